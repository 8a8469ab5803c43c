/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost.conf, read and checked: gatepost.conf(5) has its syntax, settings_rows.h its parameters.
 * Everything that is wrong is told at once. What the words of restriction lists, tables, networks
 * and domains mean is looked into by those who use them; here they are split into words at most.
 *
 * Threads: struct settings is immutable once loaded; any number of threads may read it.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/problems.h"
#include "settings/settings_table.h"

/* What a file may hold at most. More is an error that names the maximum. */
#define SETTINGS_FILE_MAX     (1024 * 1024)      /* bytes of a file */
#define SETTINGS_SECTIONS_MAX 1000               /* sections of a file */
#define SETTINGS_NAME_MAX     255                /* bytes of a section's name */
#define SETTINGS_VALUE_MAX    (1024 * 1024)      /* bytes of a value after $name is expanded */
#define SETTINGS_EXPANDED_MAX (16 * 1024 * 1024) /* bytes that expansion may make in all */

struct settings;
struct section;

/* Reads the file PATH. What is wrong is added to PROBLEMS; whoever loads looks at problems_errors
 * before using the result, in which a bad value is replaced by its default. NULL only if the file
 * cannot be read (an error that names the path). The caller frees it with settings_free. */
struct settings *settings_load(const char *path, struct problems *problems);

/* The same from memory; NAME is what messages call the file. Never NULL. */
struct settings *settings_parse(const char *text, size_t length, const char *name,
                                struct problems *problems);

/* Accepts NULL. */
void settings_free(struct settings *settings);

/* A value: its text with $name expanded, and where it was said. */
struct setting_value {
    const char *text; /* never NULL; valid UTF-8 without control characters but TAB */
    const char *file; /* never NULL */
    unsigned line;    /* 0 for a default */
    bool given;       /* false: the default. A default of "not set" has an empty text */
};

/* The value in SECTION, which inherits from main what it does not say; SECTION NULL: main. A value
 * that a section inherits and that expands to the same text there is the very same pointer. Never
 * NULL; lives as long as SETTINGS. */
const struct setting_value *settings_get(const struct settings *settings,
                                         const struct section *section, enum setting setting);

/* The number of a BOOL (0, 1), INTEGER, OCTAL, TIME (microseconds), SIZE (bytes), or CHOICE (place
 * of the word); 0 for other types. */
int64_t settings_integer(const struct settings *settings, const struct section *section,
                         enum setting setting);

/* The number of a SCORE (finite); 0 for other types. */
double settings_score(const struct settings *settings, const struct section *section,
                      enum setting setting);

/* A line `NAME KEY = value` of a row that is KEYED; of SETTING_RESTRICTION_CLASSES a line
 * `KEY = value` that says what the class KEY holds. */
struct setting_keyed {
    const char *key;
    struct setting_value value;
    int64_t integer;
    double score;
};

/* The INDEXth (from 0) such line that SECTION itself says (NULL: main), in the order of the file;
 * NULL past the last. Sections inherit none. */
const struct setting_keyed *settings_keyed(const struct settings *settings,
                                           const struct section *section, enum setting setting,
                                           guint index);

/* The one of them with that KEY, or NULL. */
const struct setting_keyed *settings_find_keyed(const struct settings *settings,
                                                const struct section *section, enum setting setting,
                                                const char *key);

/* The sections of one kind in the order of the file (SECTION_MAIN has none: it is NULL). */
guint settings_section_count(const struct settings *settings, enum section_kind kind);
const struct section *settings_section(const struct settings *settings, enum section_kind kind,
                                       guint index);

/* The section of that name (compared exactly), or NULL. */
const struct section *settings_find_section(const struct settings *settings, enum section_kind kind,
                                            const char *name);

/* Kind and name of a section, and where it was opened. */
enum section_kind section_get_kind(const struct section *section);
const char *section_name(const struct section *section);
const char *section_file(const struct section *section);
unsigned section_line(const struct section *section);

/* Microseconds of a time as settings have it ("5m", "200ms"); -1 if TEXT is none. */
int64_t settings_read_time(const char *text);

/* The values that ONE and OTHER do not agree about, or that one of them alone has, by name (of
 * char *, sorted): "mode", "[listener submission] tag_score", "score RULE". The caller unrefs it.
 */
GPtrArray *settings_difference(const struct settings *one, const struct settings *other);

struct settings_print_options {
    bool only_given;          /* leave out what stands at its default (postconf -n) */
    bool defaults;            /* the defaults instead of what is in force (postconf -d) */
    bool expanded;            /* $name replaced by what it stands for (postconf -x) */
    const char *const *names; /* these alone, in this order; NULL-terminated; NULL: all by name */

    /* What is in force of a setting that SECTION (NULL: main) does not give itself, where that is
     * neither the default nor inherited, as text for g_free; NULL: nothing else. May be NULL. */
    char *(*in_force)(void *data, const struct section *section, enum setting setting);
    void *data;
};

/* Prints parameters as postconf does, a line `name = value` each; then each section that gives one
 * of them, or in which one expands to something else than in main, as a block. The output is a
 * valid gatepost.conf; what is not set is a comment line. Restriction classes follow the
 * parameters. false if one of the names is neither (the others are printed). SETTINGS may be NULL
 * for defaults that are not expanded. */
bool settings_print(const struct settings *settings, const struct settings_print_options *options,
                    FILE *stream);

#endif
