/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings as text, in postconf's manner.
 */
#include <stdlib.h>
#include <string.h>

#include "private.h"

static int compare_names(const void *a, const void *b)
{
    enum setting left = *(const enum setting *)a, right = *(const enum setting *)b;
    return strcmp(setting_rows[left].name, setting_rows[right].name);
}

/* All parameters by name. */
static GArray *all_by_name(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(enum setting));
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        enum setting setting = (enum setting)i;
        g_array_append_val(list, setting);
    }
    qsort(list->data, list->len, sizeof(enum setting), compare_names);
    return list;
}

static void print_value(FILE *stream, const char *name, const char *text)
{
    if (!text)
        fprintf(stream, "# %s is not set\n", name);
    else
        fprintf(stream, "%s =%s%s\n", name, *text ? " " : "", text);
}

/* RAW as it was written, or what it became when names were expanded, written so that it would be
 * read as that. The caller frees it; NULL: it is not set. */
static char *shown(const struct settings_print_options *options, const char *raw,
                   const char *expanded)
{
    if (!options->expanded || !raw)
        return g_strdup(raw);
    GString *text = g_string_new(expanded);
    g_string_replace(text, "$", "$$", 0);
    return g_string_free(text, FALSE);
}

/* What main says of the class NAME (NULL: of all), to STREAM if that is not NULL. false: there is
 * none. */
static bool print_classes(const struct settings *settings, const char *name,
                          const struct settings_print_options *options, FILE *stream)
{
    bool found = false;
    const GPtrArray *keyed =
        settings ? settings->main->keyed_of[SETTING_RESTRICTION_CLASSES] : NULL;
    for (guint i = 0; keyed && i < keyed->len; i++) {
        const struct keyed_line *line = keyed->pdata[i];
        if (name && strcmp(name, line->keyed.key) != 0)
            continue;
        found = true;
        g_autofree char *text = shown(options, line->raw, line->keyed.value.text);
        if (stream)
            print_value(stream, line->keyed.key, text);
    }
    return found;
}

/* Those that are named: a name may be a row of several kinds of section. false: one is unknown. */
static bool find_named(const struct settings *settings,
                       const struct settings_print_options *options, GArray *list)
{
    bool all_known = true;
    for (const char *const *names = options->names; *names; names++) {
        bool is_known = print_classes(settings, *names, options, NULL);
        for (unsigned i = 0; i < SETTING_COUNT; i++) {
            enum setting setting = (enum setting)i;
            if (strcmp(setting_rows[i].name, *names) != 0)
                continue;
            g_array_append_val(list, setting);
            is_known = true;
        }
        all_known = all_known && is_known;
    }
    return all_known;
}

static char *ask_in_force(const struct settings_print_options *options,
                          const struct section *section, enum setting setting)
{
    bool ask = options->in_force && !options->only_given && !options->defaults;
    return ask ? options->in_force(options->data, section, setting) : NULL;
}

static void print_main(const struct settings *settings, const GArray *list,
                       const struct settings_print_options *options, FILE *stream)
{
    for (guint i = 0; i < list->len; i++) {
        enum setting setting = g_array_index(list, enum setting, i);
        const struct setting_row *row = &setting_rows[setting];
        const struct given unset = {0};
        const struct given *given = options->defaults ? &unset : &settings->main->given[setting];
        if (!setting_row_fits(row, SECTION_MAIN) || (options->only_given && !given->text))
            continue;
        g_autofree char *in_force = given->text ? NULL : ask_in_force(options, NULL, setting);
        const struct cell *cell = settings ? settings->main->cells[setting] : NULL;
        g_autofree char *text =
            shown(options, given_text(given, setting), cell ? cell->text : NULL);
        print_value(stream, row->name, in_force ? in_force : text);
    }
}

static void print_keyed(const struct section *section, enum setting setting,
                        const struct settings_print_options *options, GString *out)
{
    const GPtrArray *lines = section->keyed_of[setting];
    for (guint i = 0; lines && i < lines->len; i++) {
        const struct keyed_line *line = lines->pdata[i];
        g_autofree char *name = keyed_name(setting, line->keyed.key);
        g_autofree char *text = shown(options, line->raw, line->keyed.value.text);
        g_string_append_printf(out, "%s =%s%s\n", name, *text ? " " : "", text);
    }
}

static void print_section(const struct settings *settings, const struct section *section,
                          const GArray *list, const struct settings_print_options *options,
                          FILE *stream)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++) {
        enum setting setting = g_array_index(list, enum setting, i);
        const char *given = section->given[setting].text ? section->given[setting].text->str : NULL;
        g_autofree char *in_force = given ? NULL : ask_in_force(options, section, setting);
        /* What it takes over from main may name what it sets itself. */
        const struct cell *cell = section->cells[setting];
        bool differs = options->expanded && !options->only_given && cell &&
                       cell != settings->main->cells[setting] &&
                       setting_row_fits(&setting_rows[setting], section->kind);
        g_autofree char *own =
            given || differs ? shown(options, given ? given : "", cell ? cell->text : NULL) : NULL;
        const char *text = in_force ? in_force : own;
        if (text)
            g_string_append_printf(out, "%s =%s%s\n", setting_rows[setting].name, *text ? " " : "",
                                   text);
        print_keyed(section, setting, options, out);
    }
    if (out->len > 0 || !options->names)
        fprintf(stream, "\n[%s %s]\n%s", section_kind_word(section->kind), section->name, out->str);
}

bool settings_print(const struct settings *settings, const struct settings_print_options *options,
                    FILE *stream)
{
    g_autoptr(GArray) list =
        options->names ? g_array_new(FALSE, FALSE, sizeof(enum setting)) : all_by_name();
    bool all_known = !options->names || find_named(settings, options, list);
    print_main(settings, list, options, stream);
    if (options->defaults)
        return all_known;
    if (!options->names)
        print_classes(settings, NULL, options, stream);
    for (const char *const *name = options->names; name && *name; name++)
        print_classes(settings, *name, options, stream);
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++)
        for (guint i = 0; i < settings->sections[kind]->len; i++)
            print_section(settings, settings->sections[kind]->pdata[i], list, options, stream);
    return all_known;
}
