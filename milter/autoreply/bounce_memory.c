/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of bounces, as keyed hashes in a ring: the oldest makes room for the newest.
 */
#include "autoreply/bounce_memory.h"

#include <string.h>

#include "autoreply/classify.h"
#include "autoreply/evidence.h"
#include "bounce_memory_private.h"
#include "html_scan.h"
#include "mime.h"
#include "text_units.h"

/* When repeated lines are a quotation: so much of the text, but more than a phrase; or so much in
 * bytes, however long the rest is. */
static const double share_min = 0.2;
enum { WEIGHT_MIN = 40, WEIGHT_MUCH = 400 };

/* The secret, which has any length and serves other purposes too, as a key of our own. */
static void derive_key(const void *secret, size_t size, struct siphash_seed *key_r)
{
    static const char purpose[] = "lines of bounces";
    guint8 digest[32];
    gsize length = sizeof digest;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, secret, size);
    g_hmac_update(hmac, (const guchar *)purpose, (gssize)strlen(purpose));
    g_hmac_get_digest(hmac, digest, &length);
    g_hmac_unref(hmac);
    guint64 halves[2];
    memcpy(halves, digest, sizeof halves);
    *key_r = (struct siphash_seed){GUINT64_FROM_LE(halves[0]), GUINT64_FROM_LE(halves[1])};
}

struct bounce_memory *bounce_memory_new(const void *key, size_t key_size, unsigned lines)
{
    struct bounce_memory *memory = g_new0(struct bounce_memory, 1);
    g_mutex_init(&memory->lock);
    g_mutex_init(&memory->file_lock);
    derive_key(key, key_size, &memory->key);
    memory->ring = g_array_new(FALSE, FALSE, sizeof(struct memory_line));
    memory->max = lines ? lines : BOUNCE_MEMORY_LINES_MAX;
    /* values are indices of the ring plus one; keys are copies, as the ring may move */
    memory->index = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return memory;
}

void bounce_memory_free(struct bounce_memory *memory)
{
    if (!memory)
        return;
    g_hash_table_unref(memory->index);
    g_array_unref(memory->ring);
    g_mutex_clear(&memory->lock);
    g_mutex_clear(&memory->file_lock);
    g_free(memory);
}

int64_t bounce_memory_hash(const struct bounce_memory *memory, const char *text, size_t length)
{
    return (int64_t)siphash_strong(&memory->key, text, length);
}

struct memory_line *bounce_memory_find(struct bounce_memory *memory, int64_t hash)
{
    guint slot = GPOINTER_TO_UINT(g_hash_table_lookup(memory->index, &hash));
    return slot ? &g_array_index(memory->ring, struct memory_line, slot - 1) : NULL;
}

struct memory_line *bounce_memory_put(struct bounce_memory *memory, int64_t hash)
{
    guint slot = memory->next;
    if (slot >= memory->ring->len) {
        g_array_set_size(memory->ring, slot + 1);
    } else {
        g_hash_table_remove(memory->index,
                            &g_array_index(memory->ring, struct memory_line, slot).hash);
    }
    memory->next = (slot + 1) % memory->max;
    struct memory_line *line = &g_array_index(memory->ring, struct memory_line, slot);
    *line = (struct memory_line){.hash = hash};
    gint64 *key = g_new(gint64, 1);
    *key = hash;
    g_hash_table_insert(memory->index, key, GUINT_TO_POINTER(slot + 1));
    return line;
}

unsigned bounce_memory_count(struct bounce_memory *memory)
{
    g_mutex_lock(&memory->lock);
    unsigned count = g_hash_table_size(memory->index);
    g_mutex_unlock(&memory->lock);
    return count;
}

/* --- the text of a message --- */

struct reader {
    text_unit_visitor *visit;
    void *context;
    bool returned_too; /* read what is attached and returned, too */
};

static void read_text(const struct reader *reader, GMimeObject *part, enum mime_kind kind)
{
    struct mime_text text;
    mime_get_text(part, &text);
    if (mime_text_is_html(kind, &text)) {
        struct html html;
        html_scan(text.text, text.size, &html);
        text_units(html.text->str, html.text->len, true, reader->visit, reader->context);
        html_clear(&html);
    }
    if (kind == MIME_TEXT)
        text_units(text.text, text.size, true, reader->visit, reader->context);
    mime_text_clear(&text);
}

static bool is_autoreply_object(GMimeMessage *message)
{
    const char *value = g_mime_object_get_header(GMIME_OBJECT(message), "Auto-Submitted");
    return value && auto_submitted_parse(value) == AUTO_SUBMITTED_REPLIED;
}

static bool read_part(void *context, GMimeObject *part, enum mime_kind kind, const char *path);

/* A message that a bounce returns as plain text (qmail, old Sendmail) may be encoded: taken apart,
 * it is read as one that is attached. */
static void read_returned(const struct reader *reader, const char *text, size_t size)
{
    static const char *const starts[] = {"\nReturn-Path:", "\nReceived:", "\nFrom:"};
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        const char *start = g_strstr_len(text, (gssize)size, starts[i]);
        if (!start)
            continue;
        start++;
        GMimeMessage *message = mime_parse_whole(start, size - (size_t)(start - text));
        if (message && !is_autoreply_object(message)) {
            struct reader inner = {reader->visit, reader->context, false};
            mime_walk(message, read_part, &inner);
        }
        g_clear_object(&message);
        return;
    }
}

static bool read_part(void *context, GMimeObject *part, enum mime_kind kind, const char *path)
{
    const struct reader *reader = context;
    (void)path;
    if (kind == MIME_MESSAGE) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
        return reader->returned_too && inner && !is_autoreply_object(inner);
    }
    if (kind == MIME_TEXT || kind == MIME_HTML)
        read_text(reader, part, kind);
    return false;
}

/* --- remembering --- */

struct adding {
    struct bounce_memory *memory;
    GArray *hashes; /* int64_t */
};

static bool collect_hash(void *context, const char *unit, size_t length, bool sentence,
                         unsigned first, unsigned last)
{
    struct adding *adding = context;
    (void)sentence;
    (void)first;
    (void)last;
    if (adding->hashes->len >= BOUNCE_MEMORY_BOUNCE_MAX)
        return false;
    int64_t hash = bounce_memory_hash(adding->memory, unit, length);
    g_array_append_val(adding->hashes, hash);
    return true;
}

static void remember(struct bounce_memory *memory, int64_t hash, int64_t now)
{
    struct memory_line *line = bounce_memory_find(memory, hash);
    if (line && line->expires < now)
        line->bounces = 0;
    if (!line)
        line = bounce_memory_put(memory, hash);
    if (line->bounce != memory->bounce && line->bounces < UINT8_MAX)
        line->bounces++;
    line->bounce = memory->bounce;
    line->expires = now + BOUNCE_MEMORY_SECONDS;
    line->change = ++memory->change;
}

void bounce_memory_add(struct bounce_memory *memory, const struct autoreply_headers *headers,
                       const char *body, size_t size, int64_t now)
{
    struct adding adding = {memory, g_array_new(FALSE, FALSE, sizeof(int64_t))};
    struct reader reader = {collect_hash, &adding, true};
    struct autoreply_parsed *parsed = autoreply_parse(headers, body, size);
    GMimeMessage *message = parsed->messages->pdata[0];
    mime_walk(message, read_part, &reader);
    if (!GMIME_IS_MULTIPART(g_mime_message_get_mime_part(message)))
        read_returned(&reader, body, size);
    autoreply_parsed_free(parsed);
    g_mutex_lock(&memory->lock);
    memory->bounce++;
    for (guint i = 0; i < adding.hashes->len; i++)
        remember(memory, g_array_index(adding.hashes, int64_t, i), now);
    g_mutex_unlock(&memory->lock);
    g_array_unref(adding.hashes);
}

/* --- recognising --- */

enum known { KNOWN_NO, KNOWN_YES, KNOWN_COMMON };

static enum known is_known(struct bounce_memory *memory, const char *unit, size_t length,
                           int64_t now)
{
    int64_t hash = bounce_memory_hash(memory, unit, length);
    g_mutex_lock(&memory->lock);
    const struct memory_line *line = bounce_memory_find(memory, hash);
    enum known known = KNOWN_NO;
    if (line && line->expires >= now)
        known = line->bounces >= BOUNCE_MEMORY_COMMON ? KNOWN_COMMON : KNOWN_YES;
    g_mutex_unlock(&memory->lock);
    return known;
}

struct weighing {
    struct bounce_memory *memory;
    int64_t now;
    size_t total[2], repeated[2]; /* by lines, by sentences */
    unsigned first;               /* the first repeated line, from 1; 0: none */
};

static bool weigh(void *context, const char *unit, size_t length, bool sentence, unsigned first,
                  unsigned last)
{
    struct weighing *weighing = context;
    (void)last;
    enum known known = is_known(weighing->memory, unit, length, weighing->now);
    if (known == KNOWN_COMMON)
        return true;
    weighing->total[sentence] += length;
    if (known == KNOWN_NO)
        return true;
    weighing->repeated[sentence] += length;
    if (!weighing->first)
        weighing->first = first + 1;
    return true;
}

bool bounce_memory_judge(struct bounce_memory *memory, const struct autoreply_parsed *parsed,
                         int64_t now, double *share_r, GPtrArray *evidence)
{
    struct weighing weighing = {.memory = memory, .now = now};
    struct reader reader = {weigh, &weighing, false};
    for (guint i = 0; i < parsed->messages->len && weighing.first == 0; i++) {
        memset(weighing.total, 0, sizeof weighing.total);
        mime_walk(parsed->messages->pdata[i], read_part, &reader);
    }
    double share = 0;
    bool repeats = false;
    for (int i = 0; i < 2; i++) {
        if (weighing.total[i] == 0)
            continue;
        double one = (double)weighing.repeated[i] / (double)weighing.total[i];
        share = MAX(share, one);
        repeats |= (one >= share_min && weighing.repeated[i] >= WEIGHT_MIN) ||
                   weighing.repeated[i] >= WEIGHT_MUCH;
    }
    if (share_r)
        *share_r = share;
    if (repeats) {
        struct autoreply_evidence *piece = autoreply_evidence_add(
            evidence, AUTOREPLY_QUOTES, "repeated-lines", NULL, NULL, weighing.first);
        if (piece)
            piece->share = share;
    }
    return repeats;
}

struct marking {
    struct bounce_memory *memory;
    int64_t now;
    GArray *lines;
};

static bool mark_lines(void *context, const char *unit, size_t length, bool sentence,
                       unsigned first, unsigned last)
{
    struct marking *marking = context;
    (void)sentence;
    if (is_known(marking->memory, unit, length, marking->now) != KNOWN_YES)
        return true;
    for (unsigned i = first; i <= last && i < marking->lines->len; i++)
        g_array_index(marking->lines, bool, i) = true;
    return true;
}

GArray *bounce_memory_lines(struct bounce_memory *memory, const char *text, size_t size,
                            int64_t now)
{
    unsigned count = 1;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    GArray *lines = g_array_sized_new(FALSE, TRUE, sizeof(bool), count);
    g_array_set_size(lines, count);
    struct marking marking = {memory, now, lines};
    text_units(text, size, true, mark_lines, &marking);
    return lines;
}
