/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads that wait for work.
 */
#include "pool.h"

#include <errno.h>

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

/* What the next job is done for; NULL: there will be none. */
static void *next_data(struct pool *pool)
{
    void *data = NULL;
    g_mutex_lock(&pool->lock);
    while (!pool->ends && g_queue_is_empty(&pool->jobs))
        g_cond_wait(&pool->changed, &pool->lock);
    GList *link = g_queue_pop_head_link(&pool->jobs);
    if (link) {
        struct pool_job *job = (struct pool_job *)link;
        data = link->data;
        job->waits = false;
    }
    g_mutex_unlock(&pool->lock);
    return data;
}

static void *work(void *data)
{
    struct worker *worker = data;
    void *job_data;
    while ((job_data = next_data(worker->pool))) {
        worker->since = g_get_monotonic_time();
        worker->pool->run(job_data);
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
    pool->workers = g_new0(struct worker, threads);
    for (; pool->count < threads; pool->count++) {
        struct worker *worker = &pool->workers[pool->count];
        worker->pool = pool;
        worker->thread = g_thread_try_new("worker", work, worker, NULL);
        if (!worker->thread) {
            pool_free(pool);
            errno = EAGAIN;
            return NULL;
        }
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
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->changed);
    g_free(pool->workers);
    g_free(pool);
}

void pool_add(struct pool *pool, struct pool_job *job, void *data)
{
    job->link.data = data;
    g_mutex_lock(&pool->lock);
    job->waits = true;
    g_queue_push_tail_link(&pool->jobs, &job->link);
    g_cond_signal(&pool->changed);
    g_mutex_unlock(&pool->lock);
}

bool pool_remove(struct pool *pool, struct pool_job *job)
{
    g_mutex_lock(&pool->lock);
    bool waited = job->waits;
    if (waited)
        g_queue_unlink(&pool->jobs, &job->link);
    job->waits = false;
    g_mutex_unlock(&pool->lock);
    return waited;
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
