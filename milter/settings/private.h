/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of this folder share: the settings as written (given), and as in force (cells).
 */
#ifndef SETTINGS_PRIVATE_H
#define SETTINGS_PRIVATE_H

#include "settings/settings.h"

/* What a line said, and those that add to it; text NULL: none did. */
struct given {
    GString *text;
    unsigned line;
};

struct cell {
    struct setting_value value;
    int64_t integer;
    double score;
    char *text;      /* what value.text points to */
    bool has_failed; /* somebody was told; what depends on it fails in silence */
};

struct keyed_line {
    struct setting_keyed keyed; /* key and value.text are owned */
    enum setting setting;
    char *raw;
};

struct section {
    enum section_kind kind;
    char *name;
    const char *file; /* settings->file */
    unsigned line;
    struct given given[SETTING_COUNT];
    struct cell *cells[SETTING_COUNT];  /* own, or main's where they are the same */
    GPtrArray *keyed;                   /* struct keyed_line, in the order of the file */
    GPtrArray *keyed_of[SETTING_COUNT]; /* those of one row; NULL: none */
    GHashTable *keyed_index;            /* "name key" -> element of keyed */
};

/* Makes TEXT what was given, in place of what was before. */
void given_set(struct given *given, const char *text);

/* What counts: what was given, or the default; NULL: it is not set. Lives until GIVEN changes. */
const char *given_text(const struct given *given, enum setting setting);

struct settings {
    char *file;
    struct section *main;
    GPtrArray *sections[SECTION_KIND_COUNT];
};

/* How a keyed line begins: "score RULE", or the name of a class. The caller frees it. */
char *keyed_name(enum setting setting, const char *key);

struct section *section_new(struct settings *settings, enum section_kind kind, const char *name,
                            unsigned line);

/* MAIN owns the cells that sections share with it. */
void section_free(struct section *section, const struct section *main);

/* Reads the lines of TEXT into given, keyed and sections. */
void parse_text(struct settings *settings, const char *text, size_t length,
                struct problems *problems);

void cell_free(struct cell *cell);

/* Works out all cells: expands $name, reads numbers, checks types and bounds. */
void resolve_all(struct settings *settings, struct problems *problems);

#endif
