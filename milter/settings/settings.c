/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings as a whole: loading and asking.
 */
#include "settings/settings.h"

#include <errno.h>
#include <string.h>

#include "base/wholefile.h"
#include "private.h"

struct settings *settings_parse(const char *text, size_t length, const char *name,
                                struct problems *problems)
{
    struct settings *settings = g_new0(struct settings, 1);
    settings->file = g_strdup(name);
    settings->main = section_new(settings, SECTION_MAIN, "", 0);
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++)
        settings->sections[kind] = g_ptr_array_new();
    if (length > SETTINGS_FILE_MAX)
        problems_error(problems, name, 0, "the file is longer than %d bytes", SETTINGS_FILE_MAX);
    else
        parse_text(settings, text, length, problems);
    resolve_all(settings, problems);
    return settings;
}

struct settings *settings_load(const char *path, struct problems *problems)
{
    struct whole_file file;
    enum whole_file_result result =
        whole_file_read(path, WHOLE_FILE_STREAMS, SETTINGS_FILE_MAX, &file);
    if (result == WHOLE_FILE_READ) {
        struct settings *settings = settings_parse(file.text, file.length, path, problems);
        g_free(file.text);
        return settings;
    }
    if (result == WHOLE_FILE_CHANGED)
        problems_error(problems, path, 0, "the file was changed while it was read; try again");
    else if (result == WHOLE_FILE_TOO_LARGE)
        problems_error(problems, path, 0, "the file is longer than %d bytes", SETTINGS_FILE_MAX);
    else
        problems_error(problems, path, 0, "the file cannot be read: %s",
                       result == WHOLE_FILE_FOLDER ? g_strerror(EISDIR) : whole_file_why(result));
    return NULL;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++) {
        for (guint i = 0; i < settings->sections[kind]->len; i++)
            section_free(settings->sections[kind]->pdata[i], settings->main);
        g_ptr_array_unref(settings->sections[kind]);
    }
    section_free(settings->main, settings->main);
    g_free(settings->file);
    g_free(settings);
}

static const struct cell *cell_of(const struct settings *settings, const struct section *section,
                                  enum setting setting)
{
    return (section ? section : settings->main)->cells[setting];
}

const struct setting_value *settings_get(const struct settings *settings,
                                         const struct section *section, enum setting setting)
{
    return &cell_of(settings, section, setting)->value;
}

int64_t settings_integer(const struct settings *settings, const struct section *section,
                         enum setting setting)
{
    return cell_of(settings, section, setting)->integer;
}

double settings_score(const struct settings *settings, const struct section *section,
                      enum setting setting)
{
    return cell_of(settings, section, setting)->score;
}

const struct setting_keyed *settings_keyed(const struct settings *settings,
                                           const struct section *section, enum setting setting,
                                           guint index)
{
    const GPtrArray *lines = (section ? section : settings->main)->keyed_of[setting];
    if (!lines || index >= lines->len)
        return NULL;
    const struct keyed_line *line = lines->pdata[index];
    return &line->keyed;
}

const struct setting_keyed *settings_find_keyed(const struct settings *settings,
                                                const struct section *section, enum setting setting,
                                                const char *key)
{
    g_autofree char *name = keyed_name(setting, key);
    const struct keyed_line *line =
        g_hash_table_lookup((section ? section : settings->main)->keyed_index, name);
    return line && line->setting == setting ? &line->keyed : NULL;
}

guint settings_section_count(const struct settings *settings, enum section_kind kind)
{
    return settings->sections[kind]->len;
}

const struct section *settings_section(const struct settings *settings, enum section_kind kind,
                                       guint index)
{
    const GPtrArray *sections = settings->sections[kind];
    return index < sections->len ? sections->pdata[index] : NULL;
}

const struct section *settings_find_section(const struct settings *settings, enum section_kind kind,
                                            const char *name)
{
    const GPtrArray *sections = settings->sections[kind];
    for (guint i = 0; i < sections->len; i++) {
        const struct section *section = sections->pdata[i];
        if (strcmp(section->name, name) == 0)
            return section;
    }
    return NULL;
}

enum section_kind section_get_kind(const struct section *section)
{
    return section->kind;
}

const char *section_name(const struct section *section)
{
    return section->name;
}

const char *section_file(const struct section *section)
{
    return section->file;
}

unsigned section_line(const struct section *section)
{
    return section->line;
}
