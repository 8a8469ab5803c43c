/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the rules may cost on one message, all together. It is counted in units, so that the same
 * message gets the same answer on every machine and each time: a unit is a byte that is looked at
 * by one pattern (by the sieve, by whoever gathers it), with so many steps of backtracking as each
 * place is given without asking. What no count tells, as a single step may walk over a whole text,
 * the clock bounds.
 *
 * Threads: a work belongs to the thread that began it.
 */
#ifndef RULESET_WORK_H
#define RULESET_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/effort.h"

/* Units of one message: so many, and for each rule with a pattern as many as a whole field has
 * bytes. The stock rules, which may take 21 million, need 0.15 million on a usual header, and 3
 * million on one of 100 kB with the 50 Received fields that MTAs let pass. */
#define WORK_MAX      16000000u
#define WORK_MAX_RULE 8192u

/* Units for a byte that is decoded, or searched for addresses, charsets and scripts. */
#define WORK_GATHER 4u

/* The same in microseconds of the thread's own time, and twice that at most; how many units pass
 * between two looks at the clock. */
#define WORK_TIME_MAX (G_TIME_SPAN_SECOND / 2)
#define WORK_LOOK     4096u

struct work {
    uint64_t most, taken;
    uint64_t looked; /* at the clock, when so much was taken */
    struct effort effort;
    bool timeless; /* the clock is not asked */
    bool spent;
};

/* For a message that RULES patterns are tried on. */
struct work work_begin(size_t rules, bool timeless);

/* Takes UNITS; false if there are not so many left, and from then on. */
bool work_take(struct work *work, uint64_t units);

/* Gives back UNITS of those that were taken last: they were not needed. */
void work_give_back(struct work *work, uint64_t units);

#endif
