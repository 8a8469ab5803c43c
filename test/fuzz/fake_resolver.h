/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A resolver and a clock for fuzz targets, in place of those that the engine is linked with: what
 * the DNS says of a name follows from a seed, and nothing happens between two steps. Lists that are
 * listed, broken, silent or rewritten, hostile texts, null MX: all of it turns up.
 *
 * Threads: none.
 */
#ifndef FAKE_RESOLVER_H
#define FAKE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

enum fake_manner {
    FAKE_AT_ONCE, /* answers are there when the question is put */
    FAKE_LATER,   /* when fake_resolver_answer is called */
    FAKE_NEVER,   /* not at all */
};

/* Begins anew: another DNS, its first moment. */
void fake_resolver_begin(const char *seed, enum fake_manner manner);

void fake_resolver_seed(const char *seed);
void fake_resolver_manner(enum fake_manner manner);

/* Answers what waits for an answer, and wakes who asked. */
void fake_resolver_answer(void);

/* Moves the clock, us. */
void fake_clock_advance(int64_t microseconds);

/* Questions that nobody has given back. */
unsigned fake_resolver_questions(void);

#endif
