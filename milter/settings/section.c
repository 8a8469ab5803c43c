/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sections: what one of them holds.
 */
#include "private.h"

static void keyed_line_free(void *data)
{
    struct keyed_line *line = data;
    g_free((char *)line->keyed.key);
    g_free((char *)line->keyed.value.text);
    g_free(line->raw);
    g_free(line);
}

void cell_free(struct cell *cell)
{
    g_free(cell->text);
    g_free(cell);
}

void given_set(struct given *given, const char *text)
{
    if (!given->text)
        given->text = g_string_new(NULL);
    g_string_assign(given->text, text);
}

const char *given_text(const struct given *given, enum setting setting)
{
    return given->text ? given->text->str : setting_rows[setting].default_text;
}

struct section *section_new(struct settings *settings, enum section_kind kind, const char *name,
                            unsigned line)
{
    struct section *section = g_new0(struct section, 1);
    section->kind = kind;
    section->name = g_strdup(name);
    section->file = settings->file;
    section->line = line;
    section->keyed = g_ptr_array_new_with_free_func(keyed_line_free);
    section->keyed_index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return section;
}

void section_free(struct section *section, const struct section *main)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (section->given[i].text)
            g_string_free(section->given[i].text, TRUE);
        if (section == main || section->cells[i] != main->cells[i])
            cell_free(section->cells[i]);
    }
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (section->keyed_of[i])
            g_ptr_array_unref(section->keyed_of[i]);
    g_hash_table_unref(section->keyed_index);
    g_ptr_array_unref(section->keyed);
    g_free(section->name);
    g_free(section);
}
