/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums over hours.
 */
#include "hours_seen.h"

#include <string.h>

#include "base/when.h"

enum { HOUR = 3600 };

static const struct {
    const char *word, *colour;
} fates[FATES] = {
    [FATE_PASSED] = {"passed", "#4e8fd0"},   [FATE_TAGGED] = {"tagged", "#e0a030"},
    [FATE_HELD] = {"held", "#8a8f98"},       [FATE_DEFERRED] = {"deferred", "#9a7fc7"},
    [FATE_REFUSED] = {"refused", "#d2524a"}, [FATE_WOULD] = {"would be refused", "#c58aa0"},
};

const char *fate_word(enum fate fate)
{
    return fates[fate].word;
}

const char *fate_colour(enum fate fate)
{
    return fates[fate].colour;
}

/* What a word of the daemon's means; the check behind it is in *CHECK_R, NULL: none. */
static enum fate fate_of(const char *word, const char **check_r)
{
    static const struct {
        const char *word;
        enum fate fate;
    } words[] = {{"reject ", FATE_REFUSED}, {"tempfail ", FATE_DEFERRED}, {"would ", FATE_WOULD}};
    *check_r = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_has_prefix(word, words[i].word)) {
            *check_r = word + strlen(words[i].word);
            return words[i].fate;
        }
    return strcmp(word, "tag") == 0    ? FATE_TAGGED
           : strcmp(word, "hold") == 0 ? FATE_HELD
                                       : FATE_PASSED;
}

static struct check_seen *check_for(GPtrArray *checks, const char *name, enum fate fate)
{
    for (guint i = 0; i < checks->len; i++) {
        struct check_seen *check = checks->pdata[i];
        if (check->fate == fate && strcmp(check->name, name) == 0)
            return check;
    }
    struct check_seen *check = g_new0(struct check_seen, 1);
    check->name = g_strdup(name);
    check->fate = fate;
    g_ptr_array_add(checks, check);
    return check;
}

static void free_check(void *data)
{
    struct check_seen *check = data;
    g_free(check->name);
    g_free(check);
}

static gint compare_checks(gconstpointer a, gconstpointer b)
{
    const struct check_seen *left = *(const struct check_seen *const *)a;
    const struct check_seen *right = *(const struct check_seen *const *)b;
    if (left->day != right->day)
        return left->day < right->day ? 1 : -1;
    if (left->month != right->month)
        return left->month < right->month ? 1 : -1;
    return strcmp(left->name, right->name);
}

/* The number of the local day that SECONDS are in, counted from some day on. */
static int64_t day_of(int64_t seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    int64_t offset = time ? g_date_time_get_utc_offset(time) / G_USEC_PER_SEC : 0;
    return (seconds + offset) / 86400;
}

/* Of a day by its number: counted back from now in seconds it would be another one where the clocks
 * were changed between. */
static char *day_label(int64_t day)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(day * 86400);
    return time ? g_date_time_format(time, "%-d %b") : g_strdup("?");
}

void hours_seen_fill(const struct answer *answer, int64_t now, struct hours_seen *seen_r)
{
    const struct answer_line *line;
    int64_t this_hour = now / HOUR, today = day_of(now);
    *seen_r = (struct hours_seen){.checks = g_ptr_array_new_with_free_func(free_check)};
    for (int i = 0; i < SEEN_HOURS; i++)
        seen_r->hour_labels[i] = when_text((this_hour - SEEN_HOURS + 1 + i) * HOUR, "%H:%M");
    for (int i = 0; i < SEEN_DAYS; i++)
        seen_r->day_labels[i] = day_label(today - SEEN_DAYS + 1 + i);
    for (guint i = 0; i < answer->lines->len; i++) {
        line = &g_array_index(answer->lines, struct answer_line, i);
        if (strcmp(line->kind, "hour") != 0)
            continue;
        const char *check;
        int64_t begin = answer_number(line, 0);
        double count = (double)answer_number(line, 2);
        enum fate fate = fate_of(line->fields[1], &check);
        int64_t hour = begin / HOUR - this_hour + SEEN_HOURS - 1;
        int64_t day = day_of(begin) - today + SEEN_DAYS - 1;
        bool in_day = hour >= 0 && hour < SEEN_HOURS, in_month = day >= 0 && day < SEEN_DAYS;
        if (in_day)
            seen_r->hours[fate][hour] += count;
        if (in_month)
            seen_r->days[fate][day] += count;
        if (!check || (!in_day && !in_month))
            continue;
        struct check_seen *one = check_for(seen_r->checks, check, fate);
        one->day += in_day ? count : 0;
        one->month += in_month ? count : 0;
    }
    g_ptr_array_sort(seen_r->checks, compare_checks);
}

void hours_seen_clear(struct hours_seen *seen)
{
    for (int i = 0; i < SEEN_HOURS; i++)
        g_free(seen->hour_labels[i]);
    for (int i = 0; i < SEEN_DAYS; i++)
        g_free(seen->day_labels[i]);
    g_ptr_array_unref(seen->checks);
}

double hours_seen_sum(const double *values, unsigned count)
{
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += values[i];
    return sum;
}
