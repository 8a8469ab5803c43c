/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads that wait for work.
 */
#include "pool.h"

#include <glib.h>

struct worker {
    struct pool *pool;
    GThread *thread;
    _Atomic int64_t since; /* when the job it does began, us of the monotonic clock; 0: none */
};

struct pool {
    void (*run)(void *data);
    GAsyncQueue *jobs; /* the pool itself means: end */
    struct worker *workers;
    unsigned count;
};

static void *work(void *data)
{
    struct worker *worker = data;
    void *job;
    while ((job = g_async_queue_pop(worker->pool->jobs)) != worker->pool) {
        worker->since = g_get_monotonic_time();
        worker->pool->run(job);
        worker->since = 0;
    }
    return NULL;
}

struct pool *pool_new(unsigned threads, void (*run)(void *data))
{
    struct pool *pool = g_new0(struct pool, 1);
    pool->run = run;
    pool->jobs = g_async_queue_new();
    pool->count = threads;
    pool->workers = g_new0(struct worker, threads);
    for (unsigned i = 0; i < threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].thread = g_thread_new("worker", work, &pool->workers[i]);
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    for (unsigned i = 0; i < pool->count; i++)
        g_async_queue_push(pool->jobs, pool);
    for (unsigned i = 0; i < pool->count; i++)
        g_thread_join(pool->workers[i].thread);
    g_async_queue_unref(pool->jobs);
    g_free(pool->workers);
    g_free(pool);
}

void pool_add(struct pool *pool, void *data)
{
    g_async_queue_push(pool->jobs, data);
}

int64_t pool_stuck(const struct pool *pool)
{
    int64_t now = g_get_monotonic_time(), longest = 0;
    for (unsigned i = 0; i < pool->count; i++) {
        int64_t since = pool->workers[i].since;
        if (since != 0)
            longest = MAX(longest, now - since);
    }
    return longest;
}
