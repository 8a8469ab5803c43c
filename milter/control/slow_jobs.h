/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands that take long: one after another, in a thread of their own, so that others are answered
 * meanwhile; and no more than so many of them.
 *
 * Threads: all functions are for the thread of the server; RUN is called by "search".
 */
#ifndef CONTROL_SLOW_JOBS_H
#define CONTROL_SLOW_JOBS_H

#include "control/control.h"

struct slow_jobs;
struct slow_job;

/* DATA is that of the commands. WAKE_FD gets a byte whenever a job is done. The thread begins with
 * the first job. */
struct slow_jobs *slow_jobs_new(void *data, int wake_fd);

/* Waits for the command that runs; those that wait are not run. Accepts NULL. */
void slow_jobs_free(struct slow_jobs *jobs);

/* Has COMMAND run with WORDS (NULL behind the last; taken over). NULL, and WORDS is freed: there
 * are CONTROL_SLOW_MAX of them already. To be dropped with slow_job_drop. */
struct slow_job *slow_jobs_add(struct slow_jobs *jobs, const struct control_command *command,
                               char **words);

/* What it wrote, and its status; NULL while it is not done. Lives as long as the job. */
const GString *slow_job_text(const struct slow_job *job, int *status_r);

/* Nobody wants it any more: it is not run where it was not yet. Accepts NULL. */
void slow_job_drop(struct slow_job *job);

#endif
