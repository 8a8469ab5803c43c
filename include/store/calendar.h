/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Days, weeks and months of a place on Earth, numbered by their date: 20261127 is a day, 20261123
 * the week of that Monday, 20261100 a month. Never "midnight and 24 hours": there are days of 23,
 * 24.5 and 25 hours, days without midnight, and places that left one out.
 *
 * Threads: immutable.
 */
#ifndef STORE_CALENDAR_H
#define STORE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct calendar;

enum calendar_unit { CALENDAR_DAY, CALENDAR_WEEK, CALENDAR_MONTH };

/* ZONE: a name of the tz database (Europe/Athens); "" is the system's. NULL if there is no such
 * zone. The caller frees it with calendar_free. */
struct calendar *calendar_new(const char *zone);
void calendar_free(struct calendar *calendar); /* accepts NULL */

/* The zone's name; of the system's as far as it tells ($TZ, /etc/localtime), else "local". */
const char *calendar_zone(const struct calendar *calendar);

/* The number of the unit that NOW (ms since 1970) is in. */
uint32_t calendar_date(const struct calendar *calendar, enum calendar_unit unit, int64_t now);

/* For how many ms the unit that NOW is in goes on, by a clock that is not changed until then: wrong
 * by as much as it is. Cheap, unlike the next. */
int64_t calendar_rest(const struct calendar *calendar, enum calendar_unit unit, int64_t now);

/* When the next one begins, ms since 1970: the first second that has another number. */
int64_t calendar_next(const struct calendar *calendar, enum calendar_unit unit, int64_t now);

#endif
