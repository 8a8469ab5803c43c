/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A few threads for what takes long to compute, so that no loop stands still for it.
 *
 * Threads: pool_add and pool_stuck from any, the rest from one.
 */
#ifndef NATIVE_POOL_H
#define NATIVE_POOL_H

#include <stdint.h>

struct pool;

/* THREADS of them; each job is RUN with what pool_add gave. */
struct pool *pool_new(unsigned threads, void (*run)(void *data));

/* All jobs are done when this returns. Accepts NULL. */
void pool_free(struct pool *pool);

/* Has the job DATA, not NULL, done by the next thread that is free. */
void pool_add(struct pool *pool, void *data);

/* How long the longest job that is being done has taken, us; 0: none is. */
int64_t pool_stuck(const struct pool *pool);

#endif
