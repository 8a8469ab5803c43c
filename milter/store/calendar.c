/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Local dates. GLib reads the zone files; the date of a day number is Hinnant's arithmetic of eras
 * (400 years of 146097 days that begin in March).
 */
#include "store/calendar.h"

#include <glib.h>
#include <string.h>

enum { DAY_SECONDS = 86400 };

struct calendar {
    GTimeZone *zone;
    char *name;
};

static char *system_zone(void)
{
    const char *given = g_getenv("TZ");
    if (given && given[given[0] == ':'] != '\0')
        return g_strdup(given + (given[0] == ':'));
    g_autofree char *target = g_file_read_link("/etc/localtime", NULL);
    const char *name = target ? strstr(target, "zoneinfo/") : NULL;
    return g_strdup(name ? name + strlen("zoneinfo/") : "local");
}

struct calendar *calendar_new(const char *zone)
{
    GTimeZone *found = *zone ? g_time_zone_new_identifier(zone) : g_time_zone_new_local();
    if (!found)
        return NULL;
    struct calendar *calendar = g_new0(struct calendar, 1);
    calendar->zone = found;
    calendar->name = *zone ? g_strdup(zone) : system_zone();
    return calendar;
}

void calendar_free(struct calendar *calendar)
{
    if (!calendar)
        return;
    g_time_zone_unref(calendar->zone);
    g_free(calendar->name);
    g_free(calendar);
}

const char *calendar_zone(const struct calendar *calendar)
{
    return calendar->name;
}

static uint32_t date_of(int64_t day, bool whole_month)
{
    int64_t shifted = day + 719468; /* days from 0000-03-01 to 1970-01-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    int64_t of_month = of_year - (153 * from_march + 2) / 5 + 1;
    int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    return (uint32_t)(year * 10000 + month * 100 + (whole_month ? 0 : of_month));
}

/* The day that it is there, since 1970, and what of it is over. */
static int64_t day_at(const struct calendar *calendar, int64_t seconds, int64_t *over_r)
{
    gint interval = g_time_zone_find_interval(calendar->zone, G_TIME_TYPE_UNIVERSAL, seconds);
    int64_t local = seconds + g_time_zone_get_offset(calendar->zone, interval);
    int64_t day = (local >= 0 ? local : local - (DAY_SECONDS - 1)) / DAY_SECONDS;
    *over_r = local - day * DAY_SECONDS;
    return day;
}

/* Days since Monday; day 0 was a Thursday. */
static int64_t weekday_of(int64_t day)
{
    return ((day + 3) % 7 + 7) % 7;
}

static uint32_t date_at(const struct calendar *calendar, enum calendar_unit unit, int64_t seconds)
{
    int64_t over, day = day_at(calendar, seconds, &over);
    return date_of(unit == CALENDAR_WEEK ? day - weekday_of(day) : day, unit == CALENDAR_MONTH);
}

int64_t calendar_rest(const struct calendar *calendar, enum calendar_unit unit, int64_t now)
{
    int64_t over, day = day_at(calendar, now / 1000, &over), days = 1;
    if (unit == CALENDAR_WEEK)
        days = 7 - weekday_of(day);
    if (unit == CALENDAR_MONTH) {
        /* 32 days from the last of the month before are in the next one */
        int64_t beyond = 32 - date_of(day, false) % 100;
        days = beyond - (date_of(day + beyond, false) % 100 - 1);
    }
    return (days * DAY_SECONDS - over) * 1000;
}

uint32_t calendar_date(const struct calendar *calendar, enum calendar_unit unit, int64_t now)
{
    return date_at(calendar, unit, now / 1000);
}

int64_t calendar_next(const struct calendar *calendar, enum calendar_unit unit, int64_t now)
{
    static const int64_t longest[] = {
        [CALENDAR_DAY] = 3, [CALENDAR_WEEK] = 10, [CALENDAR_MONTH] = 34};
    int64_t before = now / 1000, after = before + longest[unit] * DAY_SECONDS;
    uint32_t date = date_at(calendar, unit, before);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (date_at(calendar, unit, middle) == date)
            before = middle;
        else
            after = middle;
    }
    return after * 1000;
}
