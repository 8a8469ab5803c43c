/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times: a day, then a time of it, either of which may be missing.
 */
#include "base/when.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* What has been read of a time. */
struct reading {
    GDateTime *day; /* its midnight; NULL: none was named */
    int hour, minute, second;
    int64_t length; /* us that what was written stands for: a day, a minute, a second */
};

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \t");
}

/* A number of LEAST to MOST digits; NULL if there is none. */
static const char *read_digits(const char *text, unsigned least, unsigned most, int *number_r)
{
    unsigned digits = (unsigned)strspn(text, "0123456789");
    if (digits < least || digits > most)
        return NULL;
    *number_r = (int)strtol(text, NULL, 10);
    return text + digits;
}

/* "2h", "2 hours ago": so long before NOW. */
static bool read_ago(const char *text, int64_t now, int64_t *when_r)
{
    static const struct {
        const char *words; /* a space around each */
        int64_t length;
    } units[] = {
        {" s sec second seconds ", G_TIME_SPAN_SECOND},
        {" m min minute minutes ", G_TIME_SPAN_MINUTE},
        {" h hour hours ", G_TIME_SPAN_HOUR},
        {" d day days ", G_TIME_SPAN_DAY},
        {" w week weeks ", 7 * G_TIME_SPAN_DAY},
    };
    int number;
    const char *rest = read_digits(text, 1, 6, &number);
    if (!rest)
        return false;
    rest = skip_space(rest);
    g_autofree char *word = g_strndup(rest, strcspn(rest, " \t"));
    g_autofree char *spaced = g_strdup_printf(" %s ", word);
    rest = skip_space(rest + strlen(word));
    if (*word == '\0' || (*rest && g_ascii_strcasecmp(rest, "ago") != 0))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (!strstr(units[i].words, spaced))
            continue;
        *when_r = now - MIN(number * units[i].length, now);
        return true;
    }
    return false;
}

/* Midnight, so many days before NOW's. */
static GDateTime *days_before(GDateTime *now, int days)
{
    g_autoptr(GDateTime) then = g_date_time_add_days(now, -days);
    return g_date_time_new_local(g_date_time_get_year(then), g_date_time_get_month(then),
                                 g_date_time_get_day_of_month(then), 0, 0, 0);
}

static int find_word(const char *const *words, int count, const char *word, size_t least)
{
    for (int i = 0; strlen(word) >= least && i < count; i++)
        if (g_ascii_strncasecmp(words[i], word, strlen(word)) == 0)
            return i;
    return -1;
}

/* "today", a weekday, "Nov 26"; NULL if none of these begins here. */
static const char *read_day_word(const char *text, GDateTime *now, GDateTime **day_r)
{
    static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                           "friday", "saturday", "sunday"};
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    size_t length = 0;
    while (g_ascii_isalpha(text[length]))
        length++;
    g_autofree char *word = g_strndup(text, length);
    const char *rest = text + length;
    int weekday = find_word(weekdays, 7, word, 3), month = find_word(months, 12, word, 3), number;
    if (g_ascii_strcasecmp(word, "today") == 0)
        *day_r = days_before(now, 0);
    else if (g_ascii_strcasecmp(word, "yesterday") == 0)
        *day_r = days_before(now, 1);
    else if (weekday >= 0)
        *day_r = days_before(now, (g_date_time_get_day_of_week(now) - 1 - weekday + 7) % 7);
    else if (month >= 0 && (rest = read_digits(skip_space(rest), 1, 2, &number))) {
        enum { LEAP_MOST = 8 }; /* years from one 29 February to the next */
        int year = g_date_time_get_year(now);
        for (int back = 0; !*day_r && back <= LEAP_MOST; back++) {
            *day_r = g_date_time_new_local(year - back, month + 1, number, 0, 0, 0);
            if (*day_r && g_date_time_compare(*day_r, now) > 0)
                g_clear_pointer(day_r, g_date_time_unref);
        }
    } else
        return NULL;
    return *day_r ? rest : NULL;
}

/* "2026-11-26" */
static const char *read_date(const char *text, GDateTime **day_r)
{
    int year, month, day;
    const char *rest = read_digits(text, 4, 4, &year);
    if (rest)
        rest = *rest == '-' ? read_digits(rest + 1, 1, 2, &month) : NULL;
    if (rest)
        rest = *rest == '-' ? read_digits(rest + 1, 1, 2, &day) : NULL;
    if (rest)
        *day_r = g_date_time_new_local(year, month, day, 0, 0, 0);
    return rest && *day_r ? rest : NULL;
}

/* "14:00", "14:00:30"; the end of the text. */
static bool read_clock(const char *text, struct reading *reading)
{
    const char *rest = read_digits(text, 1, 2, &reading->hour);
    rest = rest && *rest == ':' ? read_digits(rest + 1, 2, 2, &reading->minute) : NULL;
    reading->length = G_TIME_SPAN_MINUTE;
    if (rest && *rest == ':') {
        rest = read_digits(rest + 1, 2, 2, &reading->second);
        reading->length = G_TIME_SPAN_SECOND;
    }
    return rest && *rest == '\0' && reading->hour < 24 && reading->minute < 60 &&
           reading->second < 60;
}

static bool read_moment(const char *text, GDateTime *now, struct reading *reading)
{
    const char *rest = read_date(text, &reading->day);
    if (!rest)
        rest = read_day_word(text, now, &reading->day);
    reading->length = G_TIME_SPAN_DAY;
    if (rest && *rest == '\0')
        return true;
    if (!rest)
        return read_clock(text, reading);
    if (*rest != ' ' && *rest != '\t' && *rest != 'T')
        return false;
    return read_clock(skip_space(*rest == 'T' ? rest + 1 : rest), reading);
}

static bool read_seconds(const char *text, int64_t *when_r)
{
    guint64 seconds;
    if (!g_ascii_string_to_unsigned(text, 10, 0, 100000000000, &seconds, NULL))
        return false;
    *when_r = (int64_t)seconds * G_USEC_PER_SEC;
    return true;
}

bool when_parse(const char *text, int64_t now, enum when_edge edge, int64_t *when_r)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(now / G_USEC_PER_SEC);
    struct reading reading = {.length = 0};
    if (!today)
        return false;
    if (g_ascii_strcasecmp(word, "now") == 0) {
        *when_r = now;
        return true;
    }
    if (word[0] == '@')
        return read_seconds(word + 1, when_r);
    if (read_ago(word, now, when_r))
        return true;
    bool good = read_moment(word, today, &reading);
    g_autoptr(GDateTime) day = reading.day ? reading.day : days_before(today, 0);
    g_autoptr(GDateTime) moment =
        good ? g_date_time_new_local(g_date_time_get_year(day), g_date_time_get_month(day),
                                     g_date_time_get_day_of_month(day), reading.hour,
                                     reading.minute, reading.second)
             : g_date_time_new_from_iso8601(word, NULL);
    if (!moment)
        return false;
    if (!good)
        reading.length = 1;
    /* A day may have 23 or 25 hours. */
    g_autoptr(GDateTime) next =
        reading.length == G_TIME_SPAN_DAY ? g_date_time_add_days(moment, 1) : NULL;
    int64_t begin =
        g_date_time_to_unix(moment) * G_USEC_PER_SEC + g_date_time_get_microsecond(moment);
    int64_t end = next ? g_date_time_to_unix(next) * G_USEC_PER_SEC : begin + reading.length;
    *when_r = edge == WHEN_SINCE ? begin : end - 1;
    return true;
}

char *when_text(int64_t seconds, const char *format)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    return time ? g_date_time_format(time, format) : g_strdup("?");
}
