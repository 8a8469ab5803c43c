/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values by their type: a reader per type, in a table.
 */
#include "value.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"
#include "settings/settings.h"
#include "settings/socket.h"
#include "settings/stateplace.h"

#define SECOND    INT64_C(1000000)
#define SCORE_MAX 1000000.0 /* so that no sum of scores loses the third decimal */

char *value_quote(const char *text)
{
    enum { LONGEST = 60 };
    size_t length = strlen(text);
    if (length <= LONGEST)
        return g_strdup_printf("\"%s\"", text);
    const char *end = g_utf8_find_prev_char(text, text + LONGEST + 1);
    return g_strdup_printf("\"%.*s...\"", (int)(end - text), text);
}

static char *not_a(const char *text, const char *what)
{
    if (*text == '\0')
        return g_strdup_printf("no value is given; write %s", what);
    g_autofree char *quoted = value_quote(text);
    return g_strdup_printf("%s is not %s", quoted, what);
}

struct unit {
    char letter;
    int64_t factor;
};

static const struct unit no_units[] = {{'\0', 1}};
static const struct unit time_units[] = {
    {'\0', SECOND},       {'s', SECOND},         {'m', 60 * SECOND},
    {'h', 3600 * SECOND}, {'d', 86400 * SECOND}, {'w', 7 * 86400 * SECOND},
};
static const struct unit size_units[] = {
    {'\0', 1}, {'k', 1024}, {'m', 1024 * 1024}, {'g', 1024 * 1024 * 1024}};

/* Digits and a unit's letter. A number beyond int64_t becomes its largest, to fail its bounds. */
static bool read_digits(const char *text, const struct unit *units, size_t count, int64_t *number_r)
{
    int64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits; i++) {
        int digit = text[i] - '0';
        number = number > (INT64_MAX - digit) / 10 ? INT64_MAX : number * 10 + digit;
    }
    if (digits == 0 || (text[digits] != '\0' && text[digits + 1] != '\0'))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (units[i].letter != g_ascii_tolower(text[digits]))
            continue;
        *number_r = number > INT64_MAX / units[i].factor ? INT64_MAX : number * units[i].factor;
        return true;
    }
    return false;
}

static char *read_any(const struct setting_row *row, const char *text, struct value_number *number)
{
    (void)row, (void)text, (void)number;
    return NULL;
}

static char *read_list(const struct setting_row *row, const char *text, struct value_number *number)
{
    (void)row, (void)number;
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    return words ? NULL : g_strdup(why);
}

const char *value_listener_fault(const char *name)
{
    guint64 port;
    if (name[0] != ':' ||
        (name[1] != '0' && g_ascii_string_to_unsigned(name + 1, 10, 1, 65535, &port, NULL)))
        return NULL;
    return "a listener's port is a number from 1 to 65535 (:587), not";
}

static char *read_listeners(const struct setting_row *row, const char *text,
                            struct value_number *number)
{
    (void)row, (void)number;
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    for (guint i = 0; words && i < words->len; i++) {
        const char *fault = value_listener_fault(words->pdata[i]);
        g_autofree char *quoted = fault ? value_quote(words->pdata[i]) : NULL;
        if (fault)
            return g_strdup_printf("%s %s", fault, quoted);
    }
    return words ? NULL : g_strdup(why);
}

static char *read_bool(const struct setting_row *row, const char *text, struct value_number *number)
{
    (void)row;
    number->integer = g_ascii_strcasecmp(text, "yes") == 0;
    if (number->integer || g_ascii_strcasecmp(text, "no") == 0)
        return NULL;
    return not_a(text, "yes or no");
}

static char *read_integer(const struct setting_row *row, const char *text,
                          struct value_number *number)
{
    (void)row;
    bool is_negative = text[0] == '-';
    if (!read_digits(text + is_negative, no_units, G_N_ELEMENTS(no_units), &number->integer))
        return not_a(text, "a whole number");
    if (is_negative)
        number->integer = -number->integer;
    return NULL;
}

static char *read_time(const struct setting_row *row, const char *text, struct value_number *number)
{
    (void)row;
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 10 && g_ascii_strcasecmp(text + digits, "ms") == 0) {
        number->integer = g_ascii_strtoll(text, NULL, 10) * 1000;
        return NULL;
    }
    if (!read_digits(text, time_units, G_N_ELEMENTS(time_units), &number->integer))
        return not_a(text, "a time: a whole number and s, m, h, d or w (5m)");
    return NULL;
}

int64_t settings_read_time(const char *text)
{
    struct value_number number = {0};
    g_autofree char *why = read_time(NULL, text, &number);
    return why ? -1 : number.integer;
}

static char *read_size(const struct setting_row *row, const char *text, struct value_number *number)
{
    (void)row;
    if (!read_digits(text, size_units, G_N_ELEMENTS(size_units), &number->integer))
        return not_a(text, "a size: a whole number of bytes, or of k, m or g (1m)");
    return NULL;
}

/* A decimal number alone: strtod would take "inf", "nan", "0x1p3" and "1e9", too. */
static bool is_decimal(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = strspn(text, "0123456789");
    text += whole;
    size_t places = 0;
    if (*text == '.') {
        places = strspn(text + 1, "0123456789");
        text += 1 + places;
    }
    return *text == '\0' && whole + places > 0;
}

static char *read_score(const struct setting_row *row, const char *text,
                        struct value_number *number)
{
    (void)row;
    if (!is_decimal(text))
        return not_a(text, "a score: a decimal number (5.0)");
    number->score = g_ascii_strtod(text, NULL);
    if (number->score < -SCORE_MAX || number->score > SCORE_MAX)
        return not_a(text, "a score from -1000000 to 1000000");
    return NULL;
}

static char *read_percent(const struct setting_row *row, const char *text,
                          struct value_number *number)
{
    (void)row;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || strcmp(text + digits, "%") != 0 ||
        g_ascii_strtoll(text, NULL, 10) > 100)
        return not_a(text, "a percentage up to 100% (80%)");
    number->integer = g_ascii_strtoll(text, NULL, 10);
    return NULL;
}

static char *read_window(const struct setting_row *row, const char *text,
                         struct value_number *number)
{
    (void)row;
    static const struct {
        const char *word;
        enum setting_calendar calendar;
    } words[] = {{"day", WINDOW_DAY}, {"week", WINDOW_WEEK}, {"month", WINDOW_MONTH}};
    static const int64_t least = 60 * SECOND;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        number->integer = words[i].calendar;
        if (g_ascii_strcasecmp(text, words[i].word) == 0)
            return NULL;
    }
    if (!read_digits(text, time_units, G_N_ELEMENTS(time_units), &number->integer))
        return not_a(text, "a time (1h), or day, week or month");
    if (number->integer >= least && number->integer <= 366 * 86400 * SECOND)
        return NULL;
    return not_a(text, "a time from 1m to 366d");
}

static char *read_choice(const struct setting_row *row, const char *text,
                         struct value_number *number)
{
    g_auto(GStrv) words = g_strsplit(row->choices, " ", -1);
    guint count = g_strv_length(words);
    for (guint i = 0; i < count; i++) {
        number->integer = i;
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return NULL;
    }
    g_autofree char *list = g_strjoinv(", ", words);
    g_autofree char *what = count == 1
                                ? g_strdup_printf("%s, the only choice in this version", list)
                                : g_strdup_printf("one of %s", list);
    g_autofree char *why = not_a(text, what);
    const char *near = *text ? text_nearest(text, (const char *const *)words, count) : NULL;
    if (!near)
        return g_steal_pointer(&why);
    return g_strdup_printf("%s; did you mean \"%s\"?", why, near);
}

static char *read_octal(const struct setting_row *row, const char *text,
                        struct value_number *number)
{
    (void)row;
    size_t digits = strspn(text, "01234567");
    if (digits == 0 || digits > 6 || text[digits] != '\0')
        return not_a(text, "an octal number (0660)");
    number->integer = g_ascii_strtoll(text, NULL, 8);
    return NULL;
}

static char *read_path(const struct setting_row *row, const char *text, struct value_number *number)
{
    (void)row, (void)number;
    const char *fault = *text ? socket_path_fault(text) : NULL;
    return fault ? g_strdup(fault) : NULL;
}

static char *read_socket(const struct setting_row *row, const char *text,
                         struct value_number *number)
{
    (void)row, (void)number;
    struct socket_address address;
    const char *fault = NULL;
    if (*text == '\0' || socket_parse(text, &address, &fault))
        return NULL;
    g_autofree char *quoted = value_quote(text);
    return g_strdup_printf("%s: %s", quoted, fault);
}

static char *read_state_place(const struct setting_row *row, const char *text,
                              struct value_number *number)
{
    (void)row, (void)number;
    struct state_place place;
    const char *fault = NULL;
    if (*text == '\0' || state_place_parse(text, &place, &fault))
        return NULL;
    g_autofree char *quoted = value_quote(text);
    return g_strdup_printf("%s: %s", quoted, fault);
}

static char *read_sqlite_place(const struct setting_row *row, const char *text,
                               struct value_number *number)
{
    (void)row, (void)number;
    struct state_place place;
    const char *fault = "write sqlite:PATH, or nothing at all";
    bool good = state_place_parse(text, &place, &fault);
    if (*text == '\0' || (good && place.kind == STATE_SQLITE))
        return NULL;
    g_autofree char *quoted = value_quote(text);
    return g_strdup_printf(
        "%s: %s", quoted,
        g_str_has_prefix(text, "sqlite:") ? fault : "write sqlite:PATH, or nothing at all");
}

static char *(*const readers[SETTING_TYPE_COUNT])(const struct setting_row *, const char *,
                                                  struct value_number *) = {
    [SETTING_TEXT] = read_any,
    [SETTING_LIST] = read_list,
    [SETTING_WORDS] = read_list,
    [SETTING_LISTENERS] = read_listeners,
    [SETTING_BOOL] = read_bool,
    [SETTING_INTEGER] = read_integer,
    [SETTING_TIME] = read_time,
    [SETTING_SIZE] = read_size,
    [SETTING_SCORE] = read_score,
    [SETTING_PERCENT] = read_percent,
    [SETTING_WINDOW] = read_window,
    [SETTING_CHOICE] = read_choice,
    [SETTING_OCTAL] = read_octal,
    [SETTING_PATH] = read_path,
    [SETTING_SOCKET] = read_socket,
    [SETTING_RESTRICTIONS] = read_list,
    [SETTING_TABLE] = read_list,
    [SETTING_TABLES] = read_list,
    [SETTING_NETWORKS] = read_list,
    [SETTING_DOMAINS] = read_list,
    [SETTING_STATE_PLACE] = read_state_place,
    [SETTING_SQLITE_PLACE] = read_sqlite_place,
};

/* Whether NUMBER is on the wrong side (SIGN -1: below, 1: above) of BOUND, a value of ROW's type.
 */
static bool is_beyond(const struct setting_row *row, const char *bound, int sign,
                      const struct value_number *number)
{
    struct value_number limit = {0};
    if (!bound)
        return false;
    g_autofree char *why = readers[row->type](row, bound, &limit);
    g_assert(!why); /* a bound is written by whoever wrote the row */
    if (sign < 0)
        return number->integer < limit.integer || number->score < limit.score;
    return number->integer > limit.integer || number->score > limit.score;
}

char *value_read(const struct setting_row *row, const char *text, struct value_number *number_r)
{
    *number_r = (struct value_number){0};
    if (row->must_not_be_empty && *text == '\0')
        return g_strdup("it must not be empty");
    char *why = readers[row->type](row, text, number_r);
    if (why)
        return why;
    g_autofree char *quoted = value_quote(text);
    if (is_beyond(row, row->least, -1, number_r))
        return g_strdup_printf("%s is less than the least, %s", quoted, row->least);
    if (is_beyond(row, row->largest, 1, number_r))
        return g_strdup_printf("%s is more than the most, %s", quoted, row->largest);
    return NULL;
}
