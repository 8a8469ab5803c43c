/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters by label, and histograms of times, for threads that must not wait: to count takes no
 * lock.
 *
 * Threads: all functions but _new and _free may be called by any thread at any time.
 */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Labels of a counter at most. */
#define TALLY_LABELS_MAX 3

/* What counts when a tally is full: all labels are this. */
#define TALLY_OTHER "other"

struct tally;

/* Counters of LABELS labels each (TALLY_LABELS_MAX at most), MAX of them and one for all that come
 * when there are so many. The caller frees it with tally_free when nobody counts any more. */
struct tally *tally_new(unsigned labels, unsigned max);
void tally_free(struct tally *tally); /* accepts NULL */

/* Adds N to the counter with these LABELS (copied; as many as the tally has), which is made when it
 * is counted first. N 0: it exists from now on. */
void tally_add(struct tally *tally, const char *const *labels, uint64_t n);

/* Whether there is one with these LABELS; its count is in *COUNT_R (may be NULL). */
bool tally_get(const struct tally *tally, const char *const *labels, uint64_t *count_r);

/* Calls VISIT for each counter, in the order in which they were made; LABELS live as long as the
 * tally. */
void tally_foreach(const struct tally *tally,
                   void (*visit)(void *data, const char *const *labels, uint64_t count),
                   void *data);

/* How many times were at most so many microseconds, for each of HISTOGRAM_BOUNDS; the last bucket
 * holds those beyond. All zero: none. */
#define HISTOGRAM_BOUNDS 12
extern const int64_t histogram_bounds[HISTOGRAM_BOUNDS];

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1]; /* each without those below */
    _Atomic uint64_t sum;                           /* us */
};

void histogram_add(struct histogram *histogram, int64_t microseconds);

#endif
