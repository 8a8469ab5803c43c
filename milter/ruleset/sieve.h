/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many patterns' needs, looked for in a text in one pass: which patterns can match at all, and
 * where a match of theirs can begin.
 *
 * Threads: a sieve is immutable after sieve_finish; what was found belongs to one thread.
 */
#ifndef RULESET_SIEVE_H
#define RULESET_SIEVE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "needs.h"
#include "work.h"

struct sieve;
struct sieve_found;

/* An empty sieve for COUNT patterns. */
struct sieve *sieve_new(unsigned count);
void sieve_free(struct sieve *sieve); /* accepts NULL */

/* Says what pattern NUMBER needs, once. A pattern of which nothing is said passes always. */
void sieve_add(struct sieve *sieve, unsigned number, const struct needs *needs);

/* Must be called once after the last pattern. */
void sieve_finish(struct sieve *sieve);

/* Room for what is found in a text; the caller frees it. */
struct sieve_found *sieve_found_new(void);
void sieve_found_free(struct sieve_found *found);

/* Bytes of that room: as many as the text took that took most. */
size_t sieve_found_size(const struct sieve_found *found);

/* Looks for all of it in the text; FOUND, which borrows both, forgets what it held. Each byte is a
 * unit of WORK, and each literal that is met; false: these are spent, and FOUND says nothing. */
bool sieve_scan(const struct sieve *sieve, const char *text, size_t length, struct work *work,
                struct sieve_found *found);

/* Whether pattern NUMBER can match. */
bool sieve_passes(const struct sieve_found *found, unsigned number);

/* The first pattern from NUMBER on that can; the sieve's COUNT if there is none. */
unsigned sieve_next(const struct sieve_found *found, unsigned number);

/* Places where a match can begin, the last one among them; SIZE_MAX: the end of the text. */
struct sieve_stretch {
    size_t first, last;
};

/* Appends the stretches (struct sieve_stretch), in their order, in which alone a match of pattern
 * NUMBER, which passes, can begin. */
void sieve_stretches(const struct sieve_found *found, unsigned number, GArray *stretches);

#endif
