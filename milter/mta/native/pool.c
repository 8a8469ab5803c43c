/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads that wait for work.
 */
#include "pool.h"

#include <glib.h>
#include <stdbool.h>

struct worker {
    struct pool *pool;
    GThread *thread;
    _Atomic int64_t since; /* when the job it does began, us of the monotonic clock; 0: none */
};

struct pool {
    void (*run)(void *data);
    struct worker *workers;
    unsigned count;
    GMutex lock; /* of what follows */
    GCond changed;
    GQueue jobs;
    bool ends; /* when all jobs are done */
};

/* The next job; NULL: there will be none. */
static void *next_job(struct pool *pool)
{
    g_mutex_lock(&pool->lock);
    while (!pool->ends && g_queue_is_empty(&pool->jobs))
        g_cond_wait(&pool->changed, &pool->lock);
    void *job = g_queue_pop_head(&pool->jobs);
    g_mutex_unlock(&pool->lock);
    return job;
}

static void *work(void *data)
{
    struct worker *worker = data;
    void *job;
    while ((job = next_job(worker->pool))) {
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
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->changed);
    g_queue_init(&pool->jobs);
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
    g_mutex_lock(&pool->lock);
    pool->ends = true;
    g_cond_broadcast(&pool->changed);
    g_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->count; i++)
        g_thread_join(pool->workers[i].thread);
    g_queue_clear(&pool->jobs);
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->changed);
    g_free(pool->workers);
    g_free(pool);
}

void pool_add(struct pool *pool, void *data)
{
    g_mutex_lock(&pool->lock);
    g_queue_push_tail(&pool->jobs, data);
    g_cond_signal(&pool->changed);
    g_mutex_unlock(&pool->lock);
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
