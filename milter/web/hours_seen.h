/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hours that the daemon tells, added up: for plots, for totals, by check.
 *
 * Threads: pure.
 */
#ifndef WEB_HOURS_SEEN_H
#define WEB_HOURS_SEEN_H

#include <stdbool.h>

#include "answer_lines.h"

/* What became of mail. */
enum fate { FATE_PASSED, FATE_TAGGED, FATE_HELD, FATE_DEFERRED, FATE_REFUSED, FATE_WOULD };
#define FATES 6

/* "passed", ... and its colour, which stands out from white and from near black. */
const char *fate_word(enum fate fate);
const char *fate_colour(enum fate fate);

enum { SEEN_HOURS = 24, SEEN_DAYS = 30 };

struct check_seen {
    char *name;
    enum fate fate; /* FATE_DEFERRED, FATE_REFUSED or FATE_WOULD */
    double day, month;
};

struct hours_seen {
    double hours[FATES][SEEN_HOURS], days[FATES][SEEN_DAYS]; /* the latest are the last */
    char *hour_labels[SEEN_HOURS], *day_labels[SEEN_DAYS];   /* of local time */
    GPtrArray *checks; /* of struct check_seen *, most of the day first, then of the month */
};

/* NOW: seconds since 1970. To be emptied with hours_seen_clear. */
void hours_seen_fill(const struct answer *answer, int64_t now, struct hours_seen *seen_r);
void hours_seen_clear(struct hours_seen *seen);

/* The sum of the COUNT values at VALUES. */
double hours_seen_sum(const double *values, unsigned count);

#endif
