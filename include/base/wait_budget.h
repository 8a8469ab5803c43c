/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long one may wait, by what is waited for: each source has time of its own, which all waits
 * for it use up together. Waiting for one source costs the others nothing.
 *
 * Threads: one at a time.
 */
#ifndef BASE_WAIT_BUDGET_H
#define BASE_WAIT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum wait_source {
    WAIT_DNS,
    WAIT_STORE, /* counters of limits, greylisting */
    WAIT_WORK,  /* what burns CPU and runs elsewhere */
};
#define WAIT_SOURCES 3

/* "dns", "store", "work". */
const char *wait_source_word(enum wait_source source);

/* All zero: there is no time for anything. */
struct wait_budget {
    int64_t left[WAIT_SOURCES];   /* us */
    int64_t waited[WAIT_SOURCES]; /* us, ended waits alone; whoever shows them sets them to 0 */
    int64_t from;                 /* when the wait under way began, monotonic clock; 0: none is */
    enum wait_source source;      /* of the wait under way */
};

/* From now on SOURCE may be waited for MICROSECONDS. */
void wait_budget_set(struct wait_budget *budget, enum wait_source source, int64_t microseconds);

/* The same, unless its time has run out: who is silent once is not waited for again. */
void wait_budget_renew(struct wait_budget *budget, enum wait_source source, int64_t microseconds);

/* The wait for SOURCE begins, unless it is under way; one for another source ends. */
void wait_budget_begin(struct wait_budget *budget, enum wait_source source);

/* The wait under way ends, if there is one. */
void wait_budget_end(struct wait_budget *budget);

/* When the wait under way must end, us of the monotonic clock; 0: there is none. */
int64_t wait_budget_deadline(const struct wait_budget *budget);

/* Whether SOURCE must not be waited for any more. */
bool wait_budget_expired(const struct wait_budget *budget, enum wait_source source);

#endif
