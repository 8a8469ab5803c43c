/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scan for charsets. MIME parts are found by the boundaries of the multiparts around them
 * (RFC 2046 5.1); a forwarded message (message/rfc822) counts with its own header.
 */
#include "charset_scan.h"

#include <string.h>

#include "mail/charset.h"
#include "mail/message.h"
#include "mail/mimeparam.h"
#include "mail/mimeword.h"
#include "ruleset/traits.h"

/* Deepest nesting of multiparts that is followed. */
#define BOUNDARIES_MAX 20

void charset_scan_init(struct charset_scan *scan)
{
    *scan = (struct charset_scan){.charsets = g_ptr_array_new_with_free_func(g_free),
                                  .seen = g_hash_table_new(g_str_hash, g_str_equal)};
}

void charset_scan_clear(struct charset_scan *scan)
{
    g_clear_pointer(&scan->seen, g_hash_table_unref);
    g_clear_pointer(&scan->charsets, g_ptr_array_unref);
}

static void add_charset(struct charset_scan *scan, const char *label, size_t length)
{
    char name[CHARSET_NAME_MAX];
    charset_canonical(label, length, name);
    if (!*name || g_hash_table_contains(scan->seen, name))
        return;
    if (!charset_is_listed(name) && scan->unknown++ >= TRAITS_CHARSETS_MAX)
        return;
    g_ptr_array_add(scan->charsets, g_strdup(name));
    g_hash_table_add(scan->seen, scan->charsets->pdata[scan->charsets->len - 1]);
}

static void scan_words(const char *value, size_t length, struct charset_scan *scan)
{
    const char *p = value, *end = value + length;
    while ((p = memchr(p, '=', (size_t)(end - p)))) {
        struct mimeword word;
        if (mimeword_label_at(p, (size_t)(end - p), &word))
            add_charset(scan, word.charset, word.charset_length);
        p++;
    }
}

/* Some readers decode encoded words in parameters, where RFC 2047 forbids them. */
static void scan_content_type(const char *value, size_t length, struct charset_scan *scan)
{
    g_autoptr(GPtrArray) labels = mimeparam_all(value, length, "charset");
    for (guint i = 0; i < labels->len; i++) {
        const char *label = labels->pdata[i];
        g_autoptr(GString) strict = g_string_new(NULL), decoded = g_string_new(NULL);
        mimeword_relabel(label, strlen(label), strict);
        mimeword_decode(strict->str, strict->len, decoded);
        add_charset(scan, decoded->str, decoded->len);
    }
}

void charset_scan_field(const struct header *field, bool smtputf8, struct charset_scan *scan)
{
    const char *value = field->value;
    size_t length = field->value_length;
    scan_words(value, length, scan);
    if (g_ascii_strcasecmp(field->name, "Content-Type") == 0)
        scan_content_type(value, length, scan);
    if (!scan->raw8bit && !charset_is_ascii(value, length))
        scan->raw8bit = !smtputf8 || !charset_is_utf8(value, length);
}

void charset_scan_source(const struct source *source, const struct ruleset_message *message,
                         struct charset_scan *scan)
{
    static const char *const recipients[] = {"To", "Cc", NULL};
    static const char *const ids[] = {"X-Message-Id", "Resent-Message-Id", "X-Original-Message-ID",
                                      "Message-Id", NULL};
    const char *const own[] = {source->name, NULL};
    const char *const *names = source->kind == SOURCE_TOCC        ? recipients
                               : source->kind == SOURCE_MESSAGEID ? ids
                                                                  : own;
    if (source->kind == SOURCE_ALL) {
        for (size_t i = 0; i < header_list_count(message->headers); i++)
            charset_scan_field(header_list_get(message->headers, i), message->smtputf8, scan);
        return;
    }
    for (size_t i = 0; names[i]; i++) {
        const struct header *field = header_list_first(message->headers, names[i]);
        for (; field; field = field->next_same)
            charset_scan_field(field, message->smtputf8, scan);
    }
}

/* A walk through the body. */
struct walk {
    const char *p, *end;
    GPtrArray *boundaries; /* of the multiparts around P */
    struct charset_scan *scan;
};

/* Whether a line begins with "--" and one of the boundaries; those inside the one it ends are
 * over. */
static bool is_boundary(struct walk *walk, const char *line, size_t length)
{
    if (length < 3 || line[0] != '-' || line[1] != '-')
        return false;
    for (guint i = walk->boundaries->len; i-- > 0;) {
        const char *boundary = walk->boundaries->pdata[i];
        size_t size = strlen(boundary);
        if (length - 2 < size || memcmp(line + 2, boundary, size) != 0)
            continue;
        g_ptr_array_set_size(walk->boundaries, (gint)i + 1);
        bool closes = length - 2 >= size + 2 && memcmp(line + 2 + size, "--", 2) == 0;
        if (closes)
            g_ptr_array_set_size(walk->boundaries, (gint)i);
        return !closes;
    }
    return false;
}

static void push_boundary(struct walk *walk, const char *value, size_t length)
{
    g_autoptr(GPtrArray) boundaries = mimeparam_all(value, length, "boundary");
    for (guint i = 0; i < boundaries->len && walk->boundaries->len < BOUNDARIES_MAX; i++)
        if (*(const char *)boundaries->pdata[i])
            g_ptr_array_add(walk->boundaries, g_strdup(boundaries->pdata[i]));
}

/* Reads the header of a part, or of a message within one; *IS_MESSAGE_R: such a one follows. Of
 * several Content-Type fields one reader takes the first, another the last: all count. */
static void read_part_header(struct walk *walk, bool *is_message_r)
{
    struct header_list *fields = header_list_new();
    walk->p += message_parse(walk->p, (size_t)(walk->end - walk->p), fields);
    const struct header *type = header_list_first(fields, "Content-Type");
    *is_message_r = false;
    for (; type; type = type->next_same) {
        g_autoptr(GString) media = g_string_new(NULL);
        mimeparam_type(type->value, type->value_length, media);
        *is_message_r |= strcmp(media->str, "message/rfc822") == 0;
        scan_content_type(type->value, type->value_length, walk->scan);
        push_boundary(walk, type->value, type->value_length);
    }
    header_list_free(fields);
}

void charset_scan_parts(const struct header *content_type, const char *body, size_t length,
                        struct charset_scan *scan)
{
    struct walk walk = {body, body + MIN(length, RULESET_BODY_MAX),
                        g_ptr_array_new_with_free_func(g_free), scan};
    bool is_message = false;
    for (; content_type; content_type = content_type->next_same)
        push_boundary(&walk, content_type->value, content_type->value_length);
    while (walk.p < walk.end && walk.boundaries->len > 0) {
        const char *newline = memchr(walk.p, '\n', (size_t)(walk.end - walk.p));
        const char *next = newline ? newline + 1 : walk.end;
        bool begins = is_boundary(&walk, walk.p, (size_t)(next - walk.p));
        walk.p = next;
        if (begins)
            read_part_header(&walk, &is_message);
        while (begins && is_message && walk.p < walk.end)
            read_part_header(&walk, &is_message);
    }
    g_ptr_array_unref(walk.boundaries);
}
