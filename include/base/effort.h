/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long one thread has worked at one thing: for what cannot be bounded by a count beforehand.
 *
 * Threads: an effort belongs to the thread that began it.
 */
#ifndef BASE_EFFORT_H
#define BASE_EFFORT_H

#include <glib.h>
#include <stdbool.h>

struct effort {
    gint64 begun; /* of the monotonic clock, which costs next to nothing */
    gint64 end;   /* of the thread's own; 0: not asked yet */
};

struct effort effort_begin(void);

/* Whether the thread has worked at it for MICROSECONDS, and twice that at most; a busy machine, on
 * which it waits for its turn, makes no difference. The thread's own time is a system call, made
 * only once that long has passed at all. */
bool effort_is_spent(struct effort *effort, gint64 microseconds);

#endif
