/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of parameters that settings_rows.h makes: what can be set, of which type, where. It
 * needs nothing but the C library, since the man page is made from it while gatepost is built.
 *
 * Threads: constant data; all functions are pure.
 */
#ifndef SETTINGS_SETTINGS_TABLE_H
#define SETTINGS_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

enum setting {
#define SETTING(id, name, type, default_text, limits, where, meaning) SETTING_##id,
#include "settings/settings_rows.h"
#undef SETTING
    SETTING_COUNT
};

enum setting_type {
    SETTING_TEXT,
    SETTING_LIST,      /* words separated by commas or white space, braces group */
    SETTING_WORDS,     /* words separated by white space alone */
    SETTING_LISTENERS, /* a list of names, and of ports as ":587" */
    SETTING_BOOL,
    SETTING_INTEGER,
    SETTING_TIME,
    SETTING_SIZE,
    SETTING_SCORE,
    SETTING_PERCENT, /* 80% */
    SETTING_WINDOW,  /* a time, or day, week, month: see enum setting_calendar */
    SETTING_CHOICE,
    SETTING_OCTAL,
    SETTING_PATH,         /* absolute, short enough for a socket */
    SETTING_SOCKET,       /* see settings/socket.h */
    SETTING_STATE_PLACE,  /* see settings/stateplace.h */
    SETTING_SQLITE_PLACE, /* sqlite:PATH, or empty */
    SETTING_RESTRICTIONS, /* from here on: lists whose words those who use them look into */
    SETTING_TABLE,
    SETTING_TABLES,
    SETTING_NETWORKS,
    SETTING_DOMAINS,
    SETTING_TYPE_COUNT
};

/* The places of the words of CHOICES in settings_rows.h. */
enum setting_milter_engine { MILTER_ENGINE_LIBMILTER, MILTER_ENGINE_NATIVE };
enum setting_mode { MODE_ENFORCE, MODE_MONITOR };
enum setting_mixed_recipients { MIXED_LENIENT, MIXED_SPLIT };
enum setting_log_target { LOG_TARGET_SYSLOG, LOG_TARGET_STDERR, LOG_TARGET_JOURNAL };
/* What settings_integer gives for the words of a WINDOW; a time is us. */
enum setting_calendar { WINDOW_DAY = -1, WINDOW_WEEK = -2, WINDOW_MONTH = -3 };
enum setting_log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum section_kind {
    SECTION_MAIN, /* what stands before the first section */
    SECTION_LISTENER,
    SECTION_PROFILE,
    SECTION_LIMIT,
    SECTION_KIND_COUNT
};

#define SETTING_KEYED 0x100u /* in setting_row.where, beside 1 << section_kind */

struct setting_row {
    const char *name;
    enum setting_type type;
    const char *default_text; /* NULL: not set */
    const char *least;        /* of a number, as one would write it; NULL: none */
    const char *largest;
    const char *choices; /* of a CHOICE: the words, a space between them */
    bool must_not_be_empty;
    unsigned where;
    const char *meaning;
};

extern const struct setting_row setting_rows[SETTING_COUNT];

/* The row of a setting; never NULL. */
const struct setting_row *setting_row(enum setting setting);

/* Whether a parameter may stand in sections of this kind. */
bool setting_row_fits(const struct setting_row *row, enum section_kind kind);

/* Finds a parameter by its name. *SETTING_R is one that fits KIND if there is any, else one of the
 * name that belongs elsewhere (ask setting_row_fits). false: nothing has that name. */
bool setting_find(const char *name, enum section_kind kind, enum setting *setting_r);

/* "listener", "profile", "limit"; "" for SECTION_MAIN. */
const char *section_kind_word(enum section_kind kind);

/* Whether any parameter belongs there: a section for which nothing is built does not exist. */
bool section_kind_exists(enum section_kind kind);

/* What a person calls the type: "time", "list of tables". */
const char *setting_type_word(enum setting_type type);

#endif
