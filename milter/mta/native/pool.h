/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A few threads for what takes long to compute, so that no loop stands still for it.
 *
 * Threads: pool_add, pool_remove and pool_stuck from any, the rest from one.
 */
#ifndef NATIVE_POOL_H
#define NATIVE_POOL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct pool;

/* A job, a part of what it is done for. All zero: it is not waiting. */
struct pool_job {
    GList link; /* its data is RUN's */
    bool waits; /* for a thread */
};

/* THREADS of them; each job is RUN with its data. NULL with errno if they cannot be begun. */
struct pool *pool_new(unsigned threads, void (*run)(void *data));

/* All jobs are done when this returns. Accepts NULL. */
void pool_free(struct pool *pool);

/* Has JOB, which does not wait yet, done for DATA by the next thread that is free. JOB must live
 * until then, or until it is removed. */
void pool_add(struct pool *pool, struct pool_job *job, void *data);

/* Takes JOB back; false: it has begun, or was done. */
bool pool_remove(struct pool *pool, struct pool_job *job);

/* How long the longest job that is being done has taken, us; 0: none is. */
int64_t pool_stuck(const struct pool *pool);

#endif
