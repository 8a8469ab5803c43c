/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charsets and scripts of a whole message.
 */
#include "ruleset/traits.h"

#include <string.h>

#include "charset_scan.h"
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
    count_source("Subject", false, headers, &traits_r->scripts);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        count_source(names[i], true, headers, &traits_r->scripts);
}

void traits_clear(struct traits *traits)
{
    g_clear_pointer(&traits->charsets, g_ptr_array_unref);
}
