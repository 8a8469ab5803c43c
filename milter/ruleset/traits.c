/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charsets and scripts of a whole message.
 */
#include "ruleset/traits.h"

#include <string.h>

#include "charset_scan.h"
#include "mail/charset.h"
#include "mail/mimeparam.h"
#include "mail/mimeword.h"
#include "source.h"

/* Counts the letters of what a source holds. */
static void count_source(const char *name, bool display, const struct header_list *headers,
                         struct script_counts *counts)
{
    struct source source = source_of_field(name);
    source.display = display;
    struct ruleset_message message = {.headers = headers};
    g_autoptr(GString) text = g_string_new(NULL);
    if (source_text(&source, &message, text))
        script_count(text->str, text->len, counts);
}

/* The charset that Content-Type names, if it is one that 8-bit text can be converted from. */
static bool message_charset(const struct header_list *headers, char name[CHARSET_NAME_MAX])
{
    const struct header *type = header_list_first(headers, "Content-Type");
    for (; type; type = type->next_same) {
        g_autoptr(GPtrArray) labels = mimeparam_all(type->value, type->value_length, "charset");
        for (guint i = 0; i < labels->len; i++) {
            charset_canonical(labels->pdata[i], strlen(labels->pdata[i]), name);
            if (strcmp(name, "us-ascii") != 0 && strcmp(name, "utf-8") != 0 &&
                charset_can_convert(name))
                return true;
        }
    }
    return false;
}

static bool is_plain(const struct header *field)
{
    return charset_is_utf8(field->value, field->value_length) &&
           !g_strstr_len(field->value, (gssize)field->value_length, "=?");
}

struct header_list *traits_readable(const struct header_list *headers)
{
    char charset[CHARSET_NAME_MAX];
    size_t count = header_list_count(headers), plain = 0;
    for (size_t i = 0; i < count; i++)
        plain += is_plain(header_list_get(headers, i));
    if (plain == count)
        return NULL;
    struct header_list *readable = header_list_new();
    if (!message_charset(headers, charset))
        g_strlcpy(charset, "us-ascii", sizeof charset);
    for (size_t i = 0; i < count; i++) {
        const struct header *field = header_list_get(headers, i);
        g_autoptr(GString) text = g_string_new(NULL), value = g_string_new(NULL);
        if (charset_is_utf8(field->value, field->value_length))
            g_string_append_len(text, field->value, (gssize)field->value_length);
        else
            charset_to_utf8(charset, field->value, field->value_length, text);
        mimeword_relabel(text->str, text->len, value);
        header_list_add(readable, field->name, field->name_length, value->str, value->len);
    }
    return readable;
}

void traits_read(const struct header_list *headers, const char *body, size_t length, bool smtputf8,
                 struct traits *traits_r)
{
    static const char *const names[] = {"From", "Sender", "Reply-To"};
    struct charset_scan scan;
    memset(traits_r, 0, sizeof *traits_r);
    charset_scan_init(&scan);
    for (size_t i = 0; i < header_list_count(headers); i++)
        charset_scan_field(header_list_get(headers, i), smtputf8, &scan);
    if (body)
        charset_scan_parts(header_list_first(headers, "Content-Type"), body, length, &scan);
    traits_r->charsets = g_steal_pointer(&scan.charsets);
    traits_r->raw8bit = scan.raw8bit;
    g_clear_pointer(&scan.seen, g_hash_table_unref);
    traits_r->readable = traits_readable(headers);
    const struct header_list *texts = traits_r->readable ? traits_r->readable : headers;
    count_source("Subject", false, texts, &traits_r->scripts);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        count_source(names[i], true, texts, &traits_r->scripts);
}

void traits_clear(struct traits *traits)
{
    g_clear_pointer(&traits->charsets, g_ptr_array_unref);
    g_clear_pointer(&traits->readable, header_list_free);
}
