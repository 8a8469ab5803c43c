/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys.
 */
#include "history_key.h"

#include <string.h>

#include "history_fold.h"
#include "mail/address.h"

int64_t history_key_hash(const struct siphash_seed *seed, const char *text)
{
    return (int64_t)siphash_lower(seed, text, strlen(text));
}

static bool same(const char *a, const char *b)
{
    return a && g_ascii_strcasecmp(a, b) == 0;
}

static const char *domain_of(const char *address)
{
    const char *at = address ? strrchr(address, '@') : NULL;
    return at && at[1] ? at + 1 : NULL;
}

/* All texts that a row is found by, some perhaps twice; false when VISIT is content. */
static bool each_text(const struct history_row *row, bool (*visit)(void *data, const char *text),
                      void *data)
{
    const char *const texts[] = {
        row->queue_id,
        row->session,
        row->login,
        row->sender,
        row->sender_meant,
        domain_of(row->sender),
        domain_of(row->sender_meant),
        g_strcmp0(row->client_name, "unknown") == 0 ? NULL : row->client_name,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i] && *texts[i] && !visit(data, texts[i]))
            return false;
    for (guint i = 0; row->recipients && i < row->recipients->len; i++) {
        const struct history_recipient *one =
            &g_array_index(row->recipients, struct history_recipient, i);
        const char *const of[] = {one->address, one->meant, domain_of(one->address),
                                  domain_of(one->meant)};
        for (size_t k = 0; k < G_N_ELEMENTS(of); k++)
            if (of[k] && *of[k] && !visit(data, of[k]))
                return false;
    }
    return true;
}

/* Calls VISIT for each address that TEXT is an extension of, by one of DELIMITERS; false when it is
 * content. */
static bool each_bare(const char *text, const char *delimiters,
                      bool (*visit)(void *data, const char *text), void *data)
{
    const char *at = delimiters ? strrchr(text, '@') : NULL;
    for (; at && *delimiters; delimiters++) {
        if (!memchr(text, *delimiters, (size_t)(at - text)))
            continue;
        const char delimiter[] = {*delimiters, '\0'};
        g_autofree char *local = g_strndup(text, (gsize)(at - text));
        g_autofree char *bare = mail_local_bare(local, delimiter);
        g_autofree char *address = bare ? g_strconcat(bare, at, NULL) : NULL;
        if (address && !visit(data, address))
            return false;
    }
    return true;
}

/* So many hashes are looked through for one: most rows have fewer. */
enum { HASHES_SEARCHED = 32 };

struct collecting {
    const struct siphash_seed *seed;
    const char *delimiters;
    GArray *hashes;
    int64_t last[4]; /* of texts that came before: the typed and the meant are mostly the same */
    unsigned next;
};

static void add_hash(struct collecting *collecting, int64_t hash)
{
    GArray *hashes = collecting->hashes;
    for (guint i = hashes->len; i > 0 && i + HASHES_SEARCHED > hashes->len; i--)
        if (g_array_index(hashes, int64_t, i - 1) == hash)
            return;
    g_array_append_val(hashes, hash);
}

static bool collect_bare(void *data, const char *text)
{
    struct collecting *collecting = data;
    add_hash(collecting, history_key_hash(collecting->seed, text));
    return true;
}

static bool collect(void *data, const char *text)
{
    struct collecting *collecting = data;
    int64_t hash = history_key_hash(collecting->seed, text);
    for (unsigned i = 0; i < MIN(collecting->next, G_N_ELEMENTS(collecting->last)); i++)
        if (collecting->last[i] == hash)
            return true;
    collecting->last[collecting->next++ % G_N_ELEMENTS(collecting->last)] = hash;
    add_hash(collecting, hash);
    g_autofree char *folded = history_fold(text);
    if (folded)
        collect_bare(collecting, folded);
    return each_bare(folded ? folded : text, collecting->delimiters, collect_bare, collecting);
}

static gint compare_hashes(gconstpointer a, gconstpointer b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

void history_row_hashes(const struct history_row *row, const struct siphash_seed *seed,
                        const char *delimiters, GArray *hashes)
{
    struct collecting collecting = {.seed = seed, .delimiters = delimiters, .hashes = hashes};
    g_array_set_size(hashes, 0);
    each_text(row, collect, &collecting);
    if (hashes->len <= HASHES_SEARCHED)
        return; /* none is there twice */
    g_array_sort(hashes, compare_hashes);
    guint kept = 0;
    for (guint i = 0; i < hashes->len; i++) {
        int64_t hash = g_array_index(hashes, int64_t, i);
        if (kept == 0 || g_array_index(hashes, int64_t, kept - 1) != hash)
            g_array_index(hashes, int64_t, kept++) = hash;
    }
    g_array_set_size(hashes, kept);
}

size_t history_client_key(const struct ipaddr *address, unsigned char key_r[HISTORY_CLIENT_MAX])
{
    size_t length = address->family == IP_V4 ? 4 : address->family == IP_V6 ? 16 : 0;
    if (length == 0)
        return 0;
    key_r[0] = (unsigned char)length;
    memcpy(key_r + 1, address->bytes, length);
    return length + 1;
}

size_t history_row_client(const struct history_row *row, unsigned char key_r[HISTORY_CLIENT_MAX])
{
    struct ipaddr address;
    return row->client && ipaddr_parse(row->client, &address) ? history_client_key(&address, key_r)
                                                              : 0;
}

struct comparing {
    const char *text; /* folded */
    const char *delimiters;
};

static bool is_other(void *data, const char *text)
{
    return !same(text, data);
}

static bool differs(void *data, const char *text)
{
    struct comparing *comparing = data;
    g_autofree char *folded = history_fold(text);
    const char *plain = folded ? folded : text;
    return !same(plain, comparing->text) &&
           each_bare(plain, comparing->delimiters, is_other, (void *)(uintptr_t)comparing->text);
}

bool history_key_means(const struct history_key *key, const struct history_row *row)
{
    struct ipaddr address;
    if (key->kind == HISTORY_ANY)
        return true;
    if (key->kind == HISTORY_CLIENT)
        return row->client && ipaddr_parse(row->client, &address) &&
               ipnet_contains(&key->network, &address);
    g_autofree char *folded = history_fold(key->text);
    if (key->login && same(row->login, key->login))
        return true;
    struct comparing comparing = {folded ? folded : key->text, key->delimiters};
    return !each_text(row, differs, &comparing);
}

bool history_key_parse(const char *text, struct history_key *key_r)
{
    *key_r = (struct history_key){0};
    g_autofree char *word = g_strstrip(g_strdup(text));
    size_t length = strlen(word);
    if (word[0] == '<' && length > 1 && word[length - 1] == '>') {
        word[--length] = '\0';
        memmove(word, word + 1, length);
        length--;
    }
    if (length == 0 || length >= HISTORY_KEY_MAX)
        return false;
    bool bracketed = word[0] == '[' && word[length - 1] == ']';
    g_autofree char *bare = bracketed ? g_strndup(word + 1, length - 2) : g_strdup(word);
    if (ipnet_parse(bare, &key_r->network, NULL)) {
        key_r->kind = HISTORY_CLIENT;
        return true;
    }
    key_r->kind = strchr(word, '@') && word[0] != '@' ? HISTORY_ADDRESS : HISTORY_WORD;
    g_strlcpy(key_r->text, word[0] == '@' ? word + 1 : word, sizeof key_r->text);
    return key_r->text[0] != '\0';
}

int64_t history_day(int64_t when)
{
    return when / G_TIME_SPAN_DAY;
}

int64_t history_key_place(int64_t day, int64_t hash)
{
    return (int64_t)((uint64_t)day << 32 | ((uint64_t)hash & G_MAXUINT32));
}
