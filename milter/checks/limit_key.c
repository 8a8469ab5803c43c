/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys: in lower case, without extensions, of what cannot be chosen freely where that is possible.
 * A part that does not exist makes no key: strangers never share one.
 */
#include "limit_key.h"

#include <string.h>

#include "base/siphash.h"
#include "base/text.h"
#include "checks/whose.h"
#include "mail/header.h"
#include "mail/mailboxes.h"
#include "store/counter.h"

enum {
    HEADER_VALUE_MAX = 200, /* bytes of a header:NAME key */
    FROM_MAX = 20,          /* From: addresses that are counted */
    KEYS_MAX = 20000,       /* keys of a message */
};

static const struct {
    const char *word;
    enum limit_part_kind kind;
} part_words[] = {
    {"sasl_user", LIMIT_SASL_USER},
    {"sender", LIMIT_SENDER},
    {"sender_domain", LIMIT_SENDER_DOMAIN},
    {"client", LIMIT_CLIENT},
    {"client/24", LIMIT_CLIENT_24},
    {"listener", LIMIT_LISTENER},
    {"recipient", LIMIT_RECIPIENT},
    {"recipient_domain", LIMIT_RECIPIENT_DOMAIN},
    {"from", LIMIT_FROM},
    {"from_domain", LIMIT_FROM_DOMAIN},
};

static void clear_part(void *data)
{
    g_free(((struct limit_part *)data)->header);
}

static bool read_part(const char *word, struct limit_part *part_r)
{
    static const char prefix[] = "header:";
    if (g_ascii_strncasecmp(word, prefix, strlen(prefix)) == 0) {
        const char *name = word + strlen(prefix);
        if (*name == '\0' || name[strcspn(name, ":\t ")] != '\0')
            return false;
        *part_r = (struct limit_part){.kind = LIMIT_HEADER, .header = g_strdup(name)};
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(part_words); i++) {
        if (g_ascii_strcasecmp(word, part_words[i].word) != 0)
            continue;
        *part_r = (struct limit_part){.kind = part_words[i].kind};
        return true;
    }
    return false;
}

GArray *limit_parts_parse(const char *key, char **why_r)
{
    GArray *parts = g_array_new(FALSE, TRUE, sizeof(struct limit_part));
    g_array_set_clear_func(parts, clear_part);
    g_auto(GStrv) words = g_strsplit(key, "+", -1);
    for (char **word = words; *word; word++) {
        struct limit_part part = {0};
        if (read_part(g_strstrip(*word), &part)) {
            g_array_append_val(parts, part);
            continue;
        }
        const char *names[G_N_ELEMENTS(part_words)];
        for (size_t i = 0; i < G_N_ELEMENTS(part_words); i++)
            names[i] = part_words[i].word;
        const char *near = text_nearest(*word, names, G_N_ELEMENTS(part_words));
        g_autofree char *hint = near ? g_strdup_printf("; did you mean \"%s\"?", near) : NULL;
        *why_r = g_strdup_printf(
            "\"%s\" is no part of a key; write sasl_user, sender, sender_domain, client, "
            "client/24, listener, recipient, recipient_domain, from, from_domain or header:NAME, "
            "several joined by +%s",
            *word, hint ? hint : "");
        g_array_unref(parts);
        return NULL;
    }
    return parts;
}

/* --- the parts of a key --- */

/* Lower case, control characters and the separator of parts written as something else. */
static char *tidy(const char *text)
{
    const char *end = text;
    while (*end >= ' ' && *end <= '~' && *end != '\\')
        end++;
    if (*end == '\0') /* as a rule */
        return g_strdelimit(g_ascii_strdown(text, -1), "|", '/');
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);
    g_strdelimit(lower, "|", '/');
    return text_escape(lower);
}

static char *address_part(const struct site *site, const struct mail_address *address)
{
    if (address->null || (address->local[0] == '\0' && address->domain[0] == '\0'))
        return NULL;
    /* no name is spared, as mail_local_bare spares owner-1: each number would have a key */
    const char *local = address->local;
    size_t length = local[0] ? 1 + strcspn(local + 1, site->recipient_delimiter) : 0;
    g_autofree char *whole = address->domain[0]
                                 ? g_strdup_printf("%.*s@%s", (int)length, local, address->domain)
                                 : g_strndup(local, length);
    return tidy(whole);
}

/* An address without a domain is of the MTA's own. */
static char *domain_part(const struct mail_address *address, const struct facts *facts)
{
    if (address->null)
        return NULL;
    const char *own = facts->macros.mta_name ? facts->macros.mta_name : "localhost";
    return tidy(address->domain[0] ? address->domain : own);
}

uint64_t limit_network(const struct ipaddr *address)
{
    uint64_t network = 0;
    size_t bytes = address->family == IP_V6 ? 8 : 3;
    for (size_t i = 0; i < bytes; i++)
        network = network << 8 | address->bytes[i];
    return network;
}

static char *client_part(const struct facts *facts, bool as_network)
{
    char text[IPADDR_TEXT_MAX];
    if (facts->untrusted)
        return NULL;
    struct ipaddr address = facts->address;
    if (address.family == IP_V6) {
        memset(address.bytes + 8, 0, 8);
        return g_strdup_printf("%s/64", ipaddr_format(&address, text));
    }
    if (!as_network)
        return g_strdup(ipaddr_format(&address, text));
    address.bytes[3] = 0;
    return g_strdup_printf("%s/24", ipaddr_format(&address, text));
}

static char *listener_part(const struct facts *facts)
{
    if (facts->macros.daemon_name)
        return tidy(facts->macros.daemon_name);
    return facts->macros.daemon_port ? g_strconcat(":", facts->macros.daemon_port, NULL) : NULL;
}

/* The first line of the field's value; of what PHP writes, UID:FILE, the UID alone: whoever may
 * choose the name of a file would have a new key for each. */
static char *header_part(const struct facts *facts, const char *name)
{
    const struct header *header =
        facts->message ? header_list_first(facts->message->headers, name) : NULL;
    if (!header)
        return NULL;
    size_t length = strcspn(header->value, "\r\n");
    if (g_ascii_strcasecmp(name, "X-PHP-Originating-Script") == 0)
        length = MIN(length, strcspn(header->value, ":"));
    g_autofree char *value = g_strndup(header->value, MIN(length, HEADER_VALUE_MAX));
    g_strstrip(value);
    return *value ? tidy(value) : NULL;
}

/* Takes VALUE (NULL: none) unless it is there: who is named twice is charged once. */
static void add_value(GPtrArray *values, char *value)
{
    if (value && !g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL))
        g_ptr_array_add(values, value);
    else
        g_free(value);
}

/* Whoever may be meant, as reject_from_login_mismatch has it; words beside addresses are a name. */
static void add_from(const struct site *site, const struct facts *facts, bool domain,
                     GPtrArray *values)
{
    const struct header *header =
        facts->message ? header_list_first(facts->message->headers, "From") : NULL;
    for (; header; header = header->next_same) {
        struct mailboxes mailboxes;
        mailboxes_read(header->value, header->value_length, &mailboxes);
        const GPtrArray *whom = mailboxes.addresses->len > 0 ? mailboxes.addresses : mailboxes.bare;
        for (guint i = 0; i < whom->len && values->len < FROM_MAX; i++) {
            struct mail_address typed;
            struct meant_address meant;
            mail_address_parse(whom->pdata[i], &typed);
            whose_typed(site, &typed, &meant);
            add_value(values, domain ? domain_part(&meant.address, facts)
                                     : address_part(site, &meant.address));
            mail_address_clear(&meant.address);
            mail_address_clear(&typed);
        }
        mailboxes_clear(&mailboxes);
    }
}

/* What the part is: of From: fields perhaps several. */
static GPtrArray *values_of(const struct site *site, const struct limit_part *part,
                            const struct facts *facts, const struct mail_address *recipient)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    char *login;
    switch (part->kind) {
    case LIMIT_SASL_USER:
        login = site_authenticated(site, facts) ? site_login(site, facts) : NULL;
        add_value(values, login && *login ? tidy(login) : NULL);
        g_free(login);
        break;
    case LIMIT_SENDER:
        add_value(values, address_part(site, &facts->sender_meant.address));
        break;
    case LIMIT_SENDER_DOMAIN:
        add_value(values, domain_part(&facts->sender_meant.address, facts));
        break;
    case LIMIT_CLIENT:
    case LIMIT_CLIENT_24:
        add_value(values, client_part(facts, part->kind == LIMIT_CLIENT_24));
        break;
    case LIMIT_LISTENER:
        add_value(values, listener_part(facts));
        break;
    case LIMIT_RECIPIENT:
        add_value(values, recipient ? address_part(site, recipient) : NULL);
        break;
    case LIMIT_RECIPIENT_DOMAIN:
        add_value(values, recipient ? domain_part(recipient, facts) : NULL);
        break;
    case LIMIT_FROM:
    case LIMIT_FROM_DOMAIN:
        add_from(site, facts, part->kind == LIMIT_FROM_DOMAIN, values);
        break;
    case LIMIT_HEADER:
        add_value(values, header_part(facts, part->header));
        break;
    }
    return values;
}

/* --- whole keys --- */

static void clear_key(void *data)
{
    g_free(((struct limit_key *)data)->key);
}

/* Takes KEY. INDEX: the keys by their place; NULL where there are few. */
static void add_key(GArray *keys, GHashTable *index, char *key, uint64_t recipients)
{
    void *place = NULL;
    guint at = 0;
    if (index)
        at = g_hash_table_lookup_extended(index, key, NULL, &place) ? GPOINTER_TO_UINT(place)
                                                                    : keys->len;
    else
        while (at < keys->len && strcmp(g_array_index(keys, struct limit_key, at).key, key) != 0)
            at++;
    if (at < keys->len || keys->len >= KEYS_MAX) {
        if (at < keys->len)
            g_array_index(keys, struct limit_key, at).recipients += recipients;
        g_free(key);
        return;
    }
    struct limit_key one = {.key = key, .recipients = recipients};
    if (index)
        g_hash_table_insert(index, one.key, GUINT_TO_POINTER(keys->len));
    g_array_append_val(keys, one);
}

/* All ways to take one value of each part, from part PLACE on, behind PREFIX. */
static void join(const GPtrArray *parts, guint place, const char *prefix, uint64_t recipients,
                 GArray *keys, GHashTable *index)
{
    if (place == parts->len) {
        size_t length = strnlen(prefix, STORE_KEY_MAX / 2);
        add_key(keys, index, g_strndup(prefix, length), recipients);
        return;
    }
    const GPtrArray *values = parts->pdata[place];
    for (guint i = 0; i < values->len; i++) {
        g_autofree char *more =
            place == 0 ? NULL : g_strconcat(prefix, "|", values->pdata[i], NULL);
        join(parts, place + 1, more ? more : values->pdata[i], recipients, keys, index);
    }
}

static bool is_by_recipient(const struct limit_part *part)
{
    return part->kind == LIMIT_RECIPIENT || part->kind == LIMIT_RECIPIENT_DOMAIN;
}

/* The values of each part: of RECIPIENT (NULL: none), or, of what has nothing to do with it, those
 * of OTHERS (NULL: none was looked at before). */
static GPtrArray *parts_for(const struct site *site, const struct limit *limit,
                            const struct facts *facts, const struct mail_address *recipient,
                            const GPtrArray *others)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < limit->parts->len; i++) {
        const struct limit_part *part = &g_array_index(limit->parts, struct limit_part, i);
        g_ptr_array_add(parts, others && !is_by_recipient(part)
                                   ? g_ptr_array_ref(others->pdata[i])
                                   : values_of(site, part, facts, recipient));
    }
    return parts;
}

GArray *limit_keys(const struct site *site, const struct limit *limit, const struct facts *facts)
{
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct limit_key));
    g_array_set_clear_func(keys, clear_key);
    bool by_recipient = false;
    for (guint i = 0; i < limit->parts->len; i++)
        by_recipient |= is_by_recipient(&g_array_index(limit->parts, struct limit_part, i));
    const struct message_facts *message = facts->message;
    if (!facts->has_recipient && !message)
        return keys;
    bool of_all = !facts->has_recipient && by_recipient;
    g_autoptr(GPtrArray) parts = parts_for(
        site, limit, facts, facts->has_recipient ? &facts->recipient_meant.address : NULL, NULL);
    if (!of_all) {
        join(parts, 0, "", facts->has_recipient ? 1 : message->recipient_count, keys, NULL);
        return keys;
    }
    g_autoptr(GHashTable) index = g_hash_table_new(siphash_string, g_str_equal);
    for (size_t i = 0; i < message->recipient_count; i++) {
        struct mail_address recipient;
        mail_address_parse(message->meant[i], &recipient);
        g_autoptr(GPtrArray) own = parts_for(site, limit, facts, &recipient, parts);
        join(own, 0, "", 1, keys, index);
        mail_address_clear(&recipient);
    }
    return keys;
}

/* --- whom a limit is for --- */

static bool is_authenticated(const struct site *site, const struct facts *facts)
{
    return site_authenticated(site, facts) ||
           site_relay_certificate(site, facts, NULL) != LOOKUP_MISS;
}

static bool is_of_mynetworks(const struct site *site, const struct facts *facts)
{
    return facts->without_smtp || site_in_mynetworks(site, facts, NULL) != LOOKUP_MISS;
}

bool limit_is_for(const struct site *site, const struct limit *limit, const struct facts *facts)
{
    switch (limit->who) {
    case LIMIT_AUTHENTICATED:
        return is_authenticated(site, facts);
    case LIMIT_MYNETWORKS:
        return is_of_mynetworks(site, facts);
    case LIMIT_LOCAL:
        return facts->without_smtp;
    case LIMIT_OUTGOING:
        return is_authenticated(site, facts) || is_of_mynetworks(site, facts);
    default:
        return true;
    }
}

/* --- numbers as words --- */

static char *bytes_text(uint64_t n)
{
    static const struct {
        uint64_t size;
        const char *word;
    } units[] = {{1u << 30, "GB"}, {1u << 20, "MB"}, {1u << 10, "kB"}};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (n < units[i].size)
            continue;
        if (n % units[i].size == 0)
            return g_strdup_printf("%" G_GUINT64_FORMAT " %s", n / units[i].size, units[i].word);
        return g_strdup_printf("%.1f %s", (double)n / (double)units[i].size, units[i].word);
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT " bytes", n);
}

char *limit_amount_text(const struct limit *limit, uint64_t n)
{
    static const char *const words[] = {[LIMIT_RECIPIENTS] = "recipients",
                                        [LIMIT_MESSAGES] = "messages",
                                        [LIMIT_CLIENTS] = "networks"};
    if (limit->count == LIMIT_BYTES)
        return bytes_text(n);
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s", n, words[limit->count]);
}

char *limit_bare_amount_text(const struct limit *limit, uint64_t n)
{
    return limit->count == LIMIT_BYTES ? bytes_text(n) : g_strdup_printf("%" G_GUINT64_FORMAT, n);
}

char *limit_text(const struct limit *limit, uint64_t max)
{
    g_autofree char *amount = limit_amount_text(limit, max);
    return g_strdup_printf("%s %s", amount, limit->window_text);
}

static const struct {
    int64_t seconds;
    char letter;
} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

static char *rounded_up(int64_t seconds, size_t unit)
{
    return g_strdup_printf("%" G_GINT64_FORMAT "%c",
                           (seconds + units[unit].seconds - 1) / units[unit].seconds,
                           units[unit].letter);
}

char *limit_duration_text(int64_t ms)
{
    int64_t seconds = MAX((ms + 999) / 1000, 1);
    size_t unit = 0;
    /* rounded up, but not by much: 26h, not 2d */
    while (seconds != units[unit].seconds && seconds < 2 * units[unit].seconds && unit < 3)
        unit++;
    if (unit == 3 && seconds > 60) /* between one minute and two */
        unit = 2;
    return rounded_up(seconds, unit);
}

char *limit_wait_text(const struct limit_site *site, const struct limit *limit, int64_t wait,
                      int64_t now)
{
    if (!limit->length)
        return limit_duration_text(wait < 0 ? calendar_next(site->calendar, limit->unit, now) - now
                                            : wait);
    size_t unit = 0;
    while (unit < 3 && units[unit].seconds * 1000 * COUNTER_SLOTS > limit->length)
        unit++;
    return rounded_up(MAX((wait + 999) / 1000, 1), unit);
}
