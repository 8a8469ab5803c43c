/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What two settings do not agree about, by name.
 */
#include <string.h>

#include "private.h"

/* Puts "NAME" or "[KIND SECTION] NAME" with its value into VALUES. */
static void put(GHashTable *values, const struct section *section, bool is_main, const char *name,
                const char *text)
{
    char *key = is_main ? g_strdup(name)
                        : g_strdup_printf("[%s %s] %s", section_kind_word(section->kind),
                                          section->name, name);
    g_hash_table_replace(values, key, (gpointer)text);
}

static void collect_section(GHashTable *values, const struct settings *settings,
                            const struct section *section)
{
    bool is_main = section == settings->main;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (section->cells[i] && (is_main || section->cells[i] != settings->main->cells[i]))
            put(values, section, is_main, setting_rows[i].name, section->cells[i]->value.text);
    for (guint i = 0; i < section->keyed->len; i++) {
        const struct keyed_line *line = section->keyed->pdata[i];
        g_autofree char *name = keyed_name(line->setting, line->keyed.key);
        put(values, section, is_main, name, line->keyed.value.text);
    }
}

static GHashTable *collect(const struct settings *settings)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    collect_section(values, settings, settings->main);
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++)
        for (guint i = 0; settings->sections[kind] && i < settings->sections[kind]->len; i++)
            collect_section(values, settings, settings->sections[kind]->pdata[i]);
    return values;
}

static void add_missing(GHashTable *values, GHashTable *others, bool unequal, GPtrArray *names)
{
    GHashTableIter iter;
    gpointer name, text, other;
    g_hash_table_iter_init(&iter, values);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        bool there = g_hash_table_lookup_extended(others, name, NULL, &other);
        if (there ? unequal && strcmp(text, other) != 0 : true)
            g_ptr_array_add(names, g_strdup(name));
    }
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *settings_difference(const struct settings *one, const struct settings *other)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) first = collect(one);
    g_autoptr(GHashTable) second = collect(other);
    add_missing(first, second, true, names);
    add_missing(second, first, false, names);
    g_ptr_array_sort(names, compare);
    return names;
}
