/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charsets and scripts of a whole message.
 */
#include "ruleset/traits.h"

#include <string.h>

#include "charset_scan.h"
#include "mail/charset.h"
#include "mail/mimeparam.h"
#include "source.h"

/* Counts the letters of what a source holds. */
static void count_source(const char *name, bool display, const struct header_list *headers,
                         struct script_counts *counts)
{
    struct source source = {.name = (char *)name, .display = display};
    struct ruleset_message message = {.headers = headers};
    g_autoptr(GString) text = g_string_new(NULL);
    if (source_text(&source, &message, text))
        script_count(text->str, text->len, counts);
}

static bool is_readable(const struct header *field)
{
    return charset_is_utf8(field->value, field->value_length);
}

/* The charset that Content-Type names, if it is one that text can be converted from. */
static bool message_charset(const struct header_list *headers, char name[CHARSET_NAME_MAX])
{
    const struct header *type = header_list_first(headers, "Content-Type");
    g_autoptr(GString) label = g_string_new(NULL);
    if (!type || !mimeparam_get(type->value, type->value_length, "charset", label))
        return false;
    charset_canonical(label->str, label->len, name);
    return strcmp(name, "us-ascii") != 0 && strcmp(name, "utf-8") != 0 && charset_is_known(name);
}

struct header_list *traits_readable(const struct header_list *headers)
{
    char charset[CHARSET_NAME_MAX];
    size_t count = header_list_count(headers), unreadable = 0;
    for (size_t i = 0; i < count; i++)
        unreadable += !is_readable(header_list_get(headers, i));
    if (unreadable == 0 || !message_charset(headers, charset))
        return NULL;
    struct header_list *readable = header_list_new();
    for (size_t i = 0; i < count; i++) {
        const struct header *field = header_list_get(headers, i);
        g_autoptr(GString) value = g_string_new(NULL);
        if (is_readable(field))
            g_string_append_len(value, field->value, (gssize)field->value_length);
        else
            charset_to_utf8(charset, field->value, field->value_length, value);
        header_list_add(readable, field->name, field->name_length, value->str, value->len);
    }
    return readable;
}

void traits_read(const struct header_list *headers, const char *body, size_t length, bool smtputf8,
                 struct traits *traits_r)
{
    static const char *const names[] = {"From", "Sender", "Reply-To"};
    struct charset_scan scan = {g_ptr_array_new_with_free_func(g_free), false};
    memset(traits_r, 0, sizeof *traits_r);
    for (size_t i = 0; i < header_list_count(headers); i++)
        charset_scan_field(header_list_get(headers, i), smtputf8, &scan);
    if (body)
        charset_scan_parts(header_list_first(headers, "Content-Type"), body, length, &scan);
    traits_r->charsets = scan.charsets;
    traits_r->raw8bit = scan.raw8bit;
    struct header_list *readable = traits_readable(headers);
    const struct header_list *texts = readable ? readable : headers;
    count_source("Subject", false, texts, &traits_r->scripts);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        count_source(names[i], true, texts, &traits_r->scripts);
    header_list_free(readable);
}

void traits_clear(struct traits *traits)
{
    g_clear_pointer(&traits->charsets, g_ptr_array_unref);
}
