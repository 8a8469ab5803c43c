/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Days, weeks and months of real places, with the system's zone files.
 */
#include <glib.h>

#include "store/calendar.h"

struct row {
    const char *zone;
    const char *begins; /* the first second of a day, UTC */
    const char *next;   /* and of the next one */
    uint32_t date, after;
};

static const struct row days[] = {
    {"UTC", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z", 20261127, 20261128},
    {"Europe/Athens", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z", 20260329,
     20260330}, /* 23 h */
    {"Europe/Athens", "2026-10-24T21:00:00Z", "2026-10-25T22:00:00Z", 20261025,
     20261026}, /* 25 h */
    /* no midnight: the day begins at one o'clock */
    {"Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z", 20260424, 20260425},
    {"Asia/Beirut", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z", 20260329, 20260330},
    /* half an hour */
    {"Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", 20260405, 20260406},
    {"Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", 20261004, 20261005},
    /* left out 30 December 2011 */
    {"Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", 20111229, 20111231},
    {"Asia/Kathmandu", "2026-11-26T18:15:00Z", "2026-11-27T18:15:00Z", 20261127, 20261128},
    {"America/New_York", "2028-02-29T05:00:00Z", "2028-03-01T05:00:00Z", 20280229, 20280301},
    {"Europe/Berlin", "2099-12-30T23:00:00Z", "2099-12-31T23:00:00Z", 20991231, 21000101},
};

static int64_t at(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    return g_date_time_to_unix(time) * 1000;
}

/* To an hour, by which clocks are changed; and where a day was left out, to a day. Two hours behind
 * it is the next one in any case. */
static void check_rest(const struct calendar *calendar, enum calendar_unit unit, int64_t now,
                       int64_t next)
{
    static const int64_t hour = 3600 * 1000;
    bool lost = g_str_equal(calendar_zone(calendar), "Pacific/Apia");
    int64_t off = now + calendar_rest(calendar, unit, now) - next;
    g_assert_cmpint(ABS(off), <=, lost ? 24 * hour : hour);
    g_assert_cmpuint(calendar_date(calendar, unit, next + off + 2 * hour), ==,
                     calendar_date(calendar, unit, next));
}

static void test_days(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(days); i++) {
        const struct row *row = &days[i];
        struct calendar *calendar = calendar_new(row->zone);
        g_assert_nonnull(calendar);
        int64_t begins = at(row->begins), next = at(row->next);
        g_test_message("%s %u", row->zone, row->date);
        g_assert_cmpuint(calendar_date(calendar, CALENDAR_DAY, begins), ==, row->date);
        g_assert_cmpuint(calendar_date(calendar, CALENDAR_DAY, begins - 1), !=, row->date);
        g_assert_cmpuint(calendar_date(calendar, CALENDAR_DAY, next - 1), ==, row->date);
        g_assert_cmpuint(calendar_date(calendar, CALENDAR_DAY, next), ==, row->after);
        for (int64_t now = begins; now < next; now += 977000) {
            g_assert_cmpint(calendar_next(calendar, CALENDAR_DAY, now), ==, next);
            check_rest(calendar, CALENDAR_DAY, now, next);
        }
        calendar_free(calendar);
    }
}

static void test_weeks_and_months(void)
{
    static const struct {
        enum calendar_unit unit;
        const char *zone, *now, *next;
        uint32_t date;
    } rows[] = {
        {CALENDAR_WEEK, "UTC", "2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z", 20261123},
        {CALENDAR_WEEK, "UTC", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z", 20261130},
        {CALENDAR_WEEK, "UTC", "2027-01-01T12:00:00Z", "2027-01-04T00:00:00Z", 20261228},
        {CALENDAR_WEEK, "Africa/Cairo", "2026-04-22T12:00:00Z", "2026-04-26T21:00:00Z", 20260420},
        {CALENDAR_MONTH, "UTC", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z", 20260200},
        {CALENDAR_MONTH, "Europe/Athens", "2026-10-31T21:59:59Z", "2026-10-31T22:00:00Z", 20261000},
        {CALENDAR_MONTH, "Pacific/Apia", "2011-12-05T00:00:00Z", "2011-12-31T10:00:00Z", 20111200},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct calendar *calendar = calendar_new(rows[i].zone);
        int64_t now = at(rows[i].now);
        g_test_message("%s %s", rows[i].zone, rows[i].now);
        g_assert_cmpuint(calendar_date(calendar, rows[i].unit, now), ==, rows[i].date);
        g_assert_cmpint(calendar_next(calendar, rows[i].unit, now), ==, at(rows[i].next));
        check_rest(calendar, rows[i].unit, now, at(rows[i].next));
        calendar_free(calendar);
    }
}

static void test_zones(void)
{
    g_assert_null(calendar_new("Europe/Nowhere"));
    struct calendar *calendar = calendar_new("");
    g_assert_nonnull(calendar);
    g_assert_cmpstr(calendar_zone(calendar), ==, "Asia/Kathmandu");
    g_assert_cmpuint(calendar_date(calendar, CALENDAR_DAY, at("2026-11-26T18:15:00Z")), ==,
                     20261127);
    calendar_free(calendar);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "Asia/Kathmandu", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/calendar/days", test_days);
    g_test_add_func("/calendar/weeks-and-months", test_weeks_and_months);
    g_test_add_func("/calendar/zones", test_zones);
    return g_test_run();
}
