/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread of slow commands.
 */
#include "slow_jobs.h"

#include <unistd.h>

struct slow_job {
    gatomicrefcount references;            /* of who asked, and of the queue */
    const struct control_command *command; /* NULL: the thread is to end */
    char **words;
    GString *text;
    int status;
    gint done, unwanted; /* atomic */
};

struct slow_jobs {
    void *data;
    int wake_fd;
    GAsyncQueue *queue; /* of struct slow_job * */
    GThread *thread;    /* NULL: there was no job yet */
    gint count, ending; /* atomic: jobs that are not done */
};

static void unref(struct slow_job *job)
{
    if (!g_atomic_ref_count_dec(&job->references))
        return;
    g_strfreev(job->words);
    g_string_free(job->text, TRUE);
    g_free(job);
}

static struct slow_job *job_new(const struct control_command *command, char **words)
{
    struct slow_job *job = g_new0(struct slow_job, 1);
    g_atomic_ref_count_init(&job->references);
    job->command = command;
    job->words = words;
    job->text = g_string_new(NULL);
    return job;
}

static void *work(void *data)
{
    struct slow_jobs *jobs = data;
    for (;;) {
        struct slow_job *job = g_async_queue_pop(jobs->queue);
        if (!job->command) {
            unref(job);
            return NULL;
        }
        if (!g_atomic_int_get(&job->unwanted) && !g_atomic_int_get(&jobs->ending))
            job->status = job->command->run(jobs->data, (const char *const *)job->words, job->text);
        g_atomic_int_add(&jobs->count, -1);
        g_atomic_int_set(&job->done, 1);
        unref(job);
        (void)!write(jobs->wake_fd, "", 1);
    }
}

struct slow_jobs *slow_jobs_new(void *data, int wake_fd)
{
    struct slow_jobs *jobs = g_new0(struct slow_jobs, 1);
    jobs->data = data;
    jobs->wake_fd = wake_fd;
    jobs->queue = g_async_queue_new();
    return jobs;
}

void slow_jobs_free(struct slow_jobs *jobs)
{
    if (!jobs)
        return;
    g_atomic_int_set(&jobs->ending, 1);
    g_async_queue_push(jobs->queue, job_new(NULL, NULL));
    if (jobs->thread)
        g_thread_join(jobs->thread);
    for (struct slow_job *job; (job = g_async_queue_try_pop(jobs->queue));)
        unref(job);
    g_async_queue_unref(jobs->queue);
    g_free(jobs);
}

struct slow_job *slow_jobs_add(struct slow_jobs *jobs, const struct control_command *command,
                               char **words)
{
    if (!jobs->thread) /* g_thread_new would end the daemon where none can be begun */
        jobs->thread = g_thread_try_new("search", work, jobs, NULL);
    if (!jobs->thread || g_atomic_int_get(&jobs->count) >= CONTROL_SLOW_MAX) {
        g_strfreev(words);
        return NULL;
    }
    struct slow_job *job = job_new(command, words);
    g_atomic_int_inc(&jobs->count);
    g_atomic_ref_count_inc(&job->references);
    g_async_queue_push(jobs->queue, job);
    return job;
}

const GString *slow_job_text(const struct slow_job *job, int *status_r)
{
    if (!g_atomic_int_get(&job->done))
        return NULL;
    *status_r = job->status;
    return job->text;
}

void slow_job_drop(struct slow_job *job)
{
    if (!job)
        return;
    g_atomic_int_set(&job->unwanted, 1);
    unref(job);
}
