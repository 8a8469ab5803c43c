/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>

#include "base/when.h"

/* Friday, 2026-11-27 15:30:45 in Athens, two hours east of Greenwich in winter. */
static const int64_t now = INT64_C(1795786245) * G_USEC_PER_SEC;

static char *show(const char *text, enum when_edge edge)
{
    int64_t when;
    if (!when_parse(text, now, edge, &when))
        return g_strdup("-");
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(when / G_USEC_PER_SEC);
    return g_date_time_format(time, "%Y-%m-%d %H:%M:%S");
}

static void test_forms(void)
{
    static const struct {
        const char *text, *since, *until;
    } rows[] = {
        {"now", "2026-11-27 15:30:45", "2026-11-27 15:30:45"},
        {"2h", "2026-11-27 13:30:45", "2026-11-27 13:30:45"},
        {" 2 hours ago ", "2026-11-27 13:30:45", "2026-11-27 13:30:45"},
        {"45s", "2026-11-27 15:30:00", "2026-11-27 15:30:00"},
        {"30m", "2026-11-27 15:00:45", "2026-11-27 15:00:45"},
        {"7d", "2026-11-20 15:30:45", "2026-11-20 15:30:45"},
        {"1w", "2026-11-20 15:30:45", "2026-11-20 15:30:45"},
        {"today", "2026-11-27 00:00:00", "2026-11-27 23:59:59"},
        {"Yesterday", "2026-11-26 00:00:00", "2026-11-26 23:59:59"},
        {"yesterday 14:00", "2026-11-26 14:00:00", "2026-11-26 14:00:59"},
        {"friday", "2026-11-27 00:00:00", "2026-11-27 23:59:59"},
        {"sat", "2026-11-21 00:00:00", "2026-11-21 23:59:59"},
        {"monday 9:05", "2026-11-23 09:05:00", "2026-11-23 09:05:59"},
        {"2026-11-26", "2026-11-26 00:00:00", "2026-11-26 23:59:59"},
        {"2026-11-26 14:00", "2026-11-26 14:00:00", "2026-11-26 14:00:59"},
        {"2026-11-26T14:00:30", "2026-11-26 14:00:30", "2026-11-26 14:00:30"},
        {"2026-11-26T14:00:00Z", "2026-11-26 16:00:00", "2026-11-26 16:00:00"},
        {"2026-11-26T14:00:00.5+05:00", "2026-11-26 11:00:00", "2026-11-26 11:00:00"},
        {"Nov 26", "2026-11-26 00:00:00", "2026-11-26 23:59:59"},
        {"Nov  6 08:15:01", "2026-11-06 08:15:01", "2026-11-06 08:15:01"},
        {"december 1", "2025-12-01 00:00:00", "2025-12-01 23:59:59"},
        {"Feb 29", "2024-02-29 00:00:00", "2024-02-29 23:59:59"},
        {"14:00", "2026-11-27 14:00:00", "2026-11-27 14:00:59"},
        {"@1795786245", "2026-11-27 15:30:45", "2026-11-27 15:30:45"},
        /* the clocks went back on the 25th: a day of 25 hours */
        {"2026-10-25", "2026-10-25 00:00:00", "2026-10-25 23:59:59"},
        {"", "-", "-"},
        {"2", "-", "-"},
        {"2x", "-", "-"},
        {"2h30", "-", "-"},
        {"tomorrow", "-", "-"},
        {"2026-13-01", "-", "-"},
        {"2026-02-30", "-", "-"},
        {"25:00", "-", "-"},
        {"12:60", "-", "-"},
        {"2026-11-26 noon", "-", "-"},
        {"2026-11-26x14:00", "-", "-"},
        {"Feb 30", "-", "-"},
        {"@", "-", "-"},
        {"@x", "-", "-"},
        {"99999999999999999999h", "-", "-"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *since = show(rows[i].text, WHEN_SINCE);
        g_autofree char *until = show(rows[i].text, WHEN_UNTIL);
        g_test_message("%s", rows[i].text);
        g_assert_cmpstr(since, ==, rows[i].since);
        g_assert_cmpstr(until, ==, rows[i].until);
    }
}

static void test_bounds(void)
{
    int64_t when;
    g_assert_true(when_parse("999999w", now, WHEN_SINCE, &when));
    g_assert_cmpint(when, ==, 0);
    g_assert_true(when_parse("yesterday", now, WHEN_UNTIL, &when));
    g_assert_cmpint(when % G_USEC_PER_SEC, ==, G_USEC_PER_SEC - 1);
}

static void test_text(void)
{
    g_autofree char *plain = when_text(1795786245, "%Y-%m-%d %H:%M:%S %Z");
    g_autofree char *none = when_text(INT64_MAX, "%Y");
    g_assert_cmpstr(plain, ==, "2026-11-27 15:30:45 EET");
    g_assert_cmpstr(none, ==, "?");
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "Europe/Athens", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/when/forms", test_forms);
    g_test_add_func("/when/bounds", test_bounds);
    g_test_add_func("/when/text", test_text);
    return g_test_run();
}
