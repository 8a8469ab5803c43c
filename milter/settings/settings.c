/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings as a whole: loading and asking.
 */
#include "settings/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Reads FD to its end, or one byte beyond SETTINGS_FILE_MAX; false with errno. */
static bool read_whole(int fd, GString *out)
{
    char buffer[16384];
    while (out->len <= SETTINGS_FILE_MAX) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        g_string_append_len(out, buffer, got);
    }
    return true;
}

/* Whether a regular file was written to between two looks: what was read may be half of it. */
static bool has_changed(const struct stat *before, const struct stat *after, size_t length)
{
    return S_ISREG(after->st_mode) && length <= SETTINGS_FILE_MAX &&
           (before->st_size != after->st_size || (size_t)after->st_size != length ||
            before->st_mtim.tv_sec != after->st_mtim.tv_sec ||
            before->st_mtim.tv_nsec != after->st_mtim.tv_nsec);
}

static bool read_file(const char *path, GString *out, struct problems *problems)
{
    struct stat before, after;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool is_read =
        fd >= 0 && fstat(fd, &before) == 0 && read_whole(fd, out) && fstat(fd, &after) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!is_read) {
        problems_error(problems, path, 0, "the file cannot be read: %s", g_strerror(error));
        return false;
    }
    if (has_changed(&before, &after, out->len)) {
        problems_error(problems, path, 0, "the file was changed while it was read; try again");
        return false;
    }
    return true;
}

struct settings *settings_load(const char *path, struct problems *problems)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!read_file(path, text, problems))
        return NULL;
    return settings_parse(text->str, text->len, path, problems);
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
    const GPtrArray *lines = (section ? section : settings->main)->keyed;
    for (guint i = 0; i < lines->len; i++) {
        const struct keyed_line *line = lines->pdata[i];
        if (line->setting == setting && index-- == 0)
            return &line->keyed;
    }
    return NULL;
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
