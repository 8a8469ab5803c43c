/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was decided in each hour of the last days, for plots: the differences of counters, taken
 * once a second, so that mail has no part in it; kept in the file of the state, where there is one.
 *
 * Threads: locks itself; hours_tick and hours_save are for one thread.
 */
#ifndef DAEMON_HOURS_H
#define DAEMON_HOURS_H

#include "report/counts.h"
#include "store/statefile.h"

/* So many hours are kept: 30 days, and the one that they begin in. */
#define HOURS_KEPT (31 * 24)
/* Different words of an hour at most; what is beyond counts as "other". */
#define HOURS_WORDS_MAX 200

struct hours;

/* What FILE holds (NULL: nothing is kept), which must outlive it; what cannot be read is begun
 * anew. The caller frees it with hours_free. */
struct hours *hours_new(struct state_file *file);
void hours_free(struct hours *hours); /* accepts NULL */

/* Adds what COUNTS have grown by since the last call to the hour of NOW (seconds since 1970), under
 * the words "accept", "tag", "hold", "reject CHECK", "tempfail CHECK" and, of what mode = monitor
 * let pass, "would CHECK". */
void hours_tick(struct hours *hours, const struct counts *counts, int64_t now);

/* Writes what changed. false with *WHY_R (owned by the caller); it is tried anew the next time. */
bool hours_save(struct hours *hours, char **why_r);

/* Calls VISIT for each word of each hour (seconds since 1970 of its begin), the oldest first. */
void hours_foreach(struct hours *hours,
                   void (*visit)(void *data, int64_t hour, const char *word, uint64_t count),
                   void *data);

#endif
