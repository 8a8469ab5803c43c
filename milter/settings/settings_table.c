/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of parameters, made from settings_rows.h.
 */
#include "settings/settings_table.h"

#include <string.h>

#define MAIN     (1u << SECTION_MAIN)
#define LISTENER (1u << SECTION_LISTENER)
#define PROFILE  (1u << SECTION_PROFILE)
#define LIMIT    (1u << SECTION_LIMIT)
#define KEYED    SETTING_KEYED

#define BETWEEN(first, last) .least = first, .largest = last
#define CHOICES(words)       .choices = words
#define NOT_EMPTY            .must_not_be_empty = true
#define ANY                  .least = NULL

const struct setting_row setting_rows[SETTING_COUNT] = {
#define SETTING(id, name_, type_, default_, limits, where_, meaning_)                              \
    [SETTING_##id] = {.name = name_,                                                               \
                      .type = SETTING_##type_,                                                     \
                      .default_text = default_,                                                    \
                      limits,                                                                      \
                      .where = where_,                                                             \
                      .meaning = meaning_},
#include "settings/settings_rows.h"
#undef SETTING
};

const struct setting_row *setting_row(enum setting setting)
{
    return &setting_rows[setting];
}

bool setting_row_fits(const struct setting_row *row, enum section_kind kind)
{
    return row->where & (1u << kind);
}

bool setting_find(const char *name, enum section_kind kind, enum setting *setting_r)
{
    bool found = false;
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(setting_rows[i].name, name) != 0)
            continue;
        if (!found || setting_row_fits(&setting_rows[i], kind))
            *setting_r = (enum setting)i;
        found = true;
    }
    return found;
}

const char *section_kind_word(enum section_kind kind)
{
    static const char *const words[SECTION_KIND_COUNT] = {
        [SECTION_MAIN] = "",
        [SECTION_LISTENER] = "listener",
        [SECTION_PROFILE] = "profile",
        [SECTION_LIMIT] = "limit",
    };
    return words[kind];
}

bool section_kind_exists(enum section_kind kind)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (setting_row_fits(&setting_rows[i], kind))
            return true;
    return false;
}

const char *setting_type_word(enum setting_type type)
{
    static const char *const words[SETTING_TYPE_COUNT] = {
        [SETTING_TEXT] = "text",
        [SETTING_LIST] = "list",
        [SETTING_WORDS] = "list, separated by white space alone",
        [SETTING_LISTENERS] = "list of listeners",
        [SETTING_BOOL] = "yes or no",
        [SETTING_INTEGER] = "number",
        [SETTING_TIME] = "time",
        [SETTING_SIZE] = "size",
        [SETTING_SCORE] = "score",
        [SETTING_PERCENT] = "percentage",
        [SETTING_WINDOW] = "time, or day, week, month",
        [SETTING_CHOICE] = "choice",
        [SETTING_OCTAL] = "octal number",
        [SETTING_PATH] = "path",
        [SETTING_SOCKET] = "socket",
        [SETTING_STATE_PLACE] = "place of the state",
        [SETTING_SQLITE_PLACE] = "place of an SQLite file",
        [SETTING_RESTRICTIONS] = "restrictions",
        [SETTING_TABLE] = "table",
        [SETTING_TABLES] = "list of tables",
        [SETTING_NETWORKS] = "list of networks",
        [SETTING_DOMAINS] = "list of domains",
    };
    return words[type];
}
