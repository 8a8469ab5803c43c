/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Days that the clocks made longer or shorter: the plot has each of the last thirty once, and what
 * was decided on one stands at its name.
 */
#include "hours_seen.h"

static void test_days(const void *data)
{
    const char *now_text = data;
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GDateTime) now = g_date_time_new_from_iso8601(now_text, zone);
    struct answer answer;
    struct hours_seen seen;
    g_assert_nonnull(now);
    for (int ago = 0; ago < SEEN_DAYS; ago++) {
        g_autoptr(GDateTime) then = g_date_time_add_days(now, -ago);
        g_autofree char *expected = g_date_time_format(then, "%-d %b");
        gint64 hour = g_date_time_to_unix(then) / 3600 * 3600;
        g_autofree char *line =
            g_strdup_printf("hour\t%" G_GINT64_FORMAT "\taccept\t%d\n", hour, ago + 1);
        int place = SEEN_DAYS - 1 - ago;
        answer_parse(line, &answer);
        hours_seen_fill(&answer, g_date_time_to_unix(now), &seen);
        g_assert_cmpstr(seen.day_labels[place], ==, expected);
        g_assert_cmpfloat(seen.days[FATE_PASSED][place], ==, ago + 1);
        hours_seen_clear(&seen);
        answer_clear(&answer);
    }
}

int main(int argc, char **argv)
{
    static const char *const rows[] = {
        "2026-11-10T23:30:00", /* behind a day of 25 hours */
        "2026-04-10T00:30:00", /* behind one of 23 */
        "2026-07-01T12:00:00",
    };
    g_setenv("TZ", "Europe/Berlin", TRUE);
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("/web/days/", rows[i], NULL);
        g_test_add_data_func(name, rows[i], test_days);
    }
    return g_test_run();
}
