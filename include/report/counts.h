/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is decided, counted: a listener to the engine that takes no lock and no lasting memory.
 *
 * Threads: locks nothing; counts_event and counts_connection are called by any thread, by several
 * at once, while others read. counts_expect is for whoever publishes.
 */
#ifndef REPORT_COUNTS_H
#define REPORT_COUNTS_H

#include "base/tally.h"
#include "policy/snapshot.h"
#include "policy/event.h"

/* Rules that are counted by name. */
#define COUNTS_RULES_MAX 500

struct counts {
    struct tally *messages;    /* by what became of them: accept, tag, hold, reject, tempfail */
    struct tally *refusals;    /* by stage, check and the three digits of the reply */
    struct tally *monitored;   /* the same of what mode = monitor let pass */
    struct tally *connections; /* by listener */
    struct tally *rules;       /* hits, by rule */
    struct tally *limits;      /* refusals and holds, by limit */
    struct tally *greylist;    /* new, early, passed, known */
    struct tally *autoreply;   /* reject, strip, tag */
    struct histogram decisions[STAGE_COUNT]; /* what they took */
    struct histogram waits[WAIT_SOURCES];    /* of decisions that waited */
};

/* The caller frees it with counts_free when no session is left. */
struct counts *counts_new(void);
void counts_free(struct counts *counts); /* accepts NULL */

/* From now on there is a counter, of 0 as yet, for all that the policies of SNAPSHOT may do. */
void counts_expect(struct counts *counts, const struct snapshot *snapshot);

/* Of struct engine_listener; DATA is the struct counts. */
void counts_event(void *data, const struct event *event);
void counts_connection(void *data, const struct policy *policy, const struct facts *facts);

#endif
