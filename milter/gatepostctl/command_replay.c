/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl replay: what other settings would have decided on what really came.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/when.h"
#include "checks/check.h"
#include "command.h"
#include "history/history_log.h"
#include "history/history_reader.h"
#include "history/history_writer.h"
#include "logfile.h"
#include "policy/own_refusals.h"
#include "replayoutput.h"
#include "trial/replay.h"

/* Rows that a thread takes at a time; decisions of a log between two words on a terminal. */
enum { CHUNK_ROWS = 500, LOG_PROGRESS = 20000 };

/* So many rows of a session are looked through for its MAIL: strangers may have made any number. */
enum { SESSION_ROWS = 1000 };

struct job {
    struct snapshot *snapshot;
    const char *path;  /* of the history */
    const char *check; /* decisions of this restriction alone; NULL: of all */
    int64_t since;
    bool asks_dns;
    gint next; /* the chunk that is taken next */
    int64_t first, end;
    GMutex lock; /* of what follows */
    uint64_t done;
    char *why; /* what failed; NULL: nothing */
};

/* What a thread has found. */
struct worker {
    struct job *job;
    struct replay *replay;
    struct history_reader *reader;
    struct replay_report *report;
    GThread *thread;
};

static char *find_ruleset(void *data, const char *name)
{
    struct worker *worker = data;
    return worker->reader ? history_reader_ruleset(worker->reader, name) : NULL;
}

/* The row whose MAIL is looked for, and whether it is found. */
struct mail_search {
    const struct history_row *row;
    bool found;
};

static bool look_at_mail(void *data, const struct history_row *mail)
{
    struct mail_search *search = data;
    const struct history_row *row = search->row;
    search->found = mail->id < row->id && replay_is_told_mail(mail) &&
                    strcmp(mail->session, row->session) == 0 &&
                    g_strcmp0(mail->sender, row->sender) == 0;
    return !search->found;
}

/* Another thread may have had the row of MAIL. That of before --since tells nothing. */
static bool find_mail(void *data, const struct history_row *row)
{
    struct worker *worker = data;
    struct mail_search found = {.row = row};
    struct history_search search = {.since = MAX(worker->job->since, row->when - G_TIME_SPAN_DAY),
                                    .until = row->when,
                                    .rows_max = SESSION_ROWS};
    search.key.kind = HISTORY_WORD;
    g_strlcpy(search.key.text, row->session, sizeof search.key.text);
    g_autofree char *why = NULL; /* what fails here fails the scan, too */
    return history_search(worker->reader, &search, look_at_mail, &found, &why) && found.found;
}

static void worker_init(struct worker *worker, struct job *job)
{
    const struct replay_options options = {.asks_dns = job->asks_dns,
                                           .ruleset = find_ruleset,
                                           .mail_told = job->path ? find_mail : NULL,
                                           .data = worker};
    *worker = (struct worker){.job = job};
    worker->replay = replay_new(job->snapshot, &options);
    worker->report = replay_report_new(job->check);
}

static bool run_row(void *data, const struct history_row *row)
{
    struct worker *worker = data;
    struct replay_outcome outcome;
    if (row->when < worker->job->since)
        return true;
    replay_run(worker->replay, row, &outcome);
    replay_report_add(worker->report, row, &outcome);
    return true;
}

static void *run_chunks(void *data)
{
    struct worker *worker = data;
    struct job *job = worker->job;
    char *why = NULL;
    worker->reader = history_reader_open(job->path, &why);
    while (worker->reader && !why) {
        int64_t first = job->first + (int64_t)g_atomic_int_add(&job->next, 1) * CHUNK_ROWS;
        if (first >= job->end)
            break;
        int64_t end = MIN(first + CHUNK_ROWS, job->end);
        history_scan_ids(worker->reader, first, end, run_row, worker, &why);
        g_mutex_lock(&job->lock);
        job->done += (uint64_t)(end - first);
        g_mutex_unlock(&job->lock);
    }
    replay_report_broken(worker->report,
                         worker->reader ? history_reader_broken(worker->reader) : 0);
    if (why) {
        g_mutex_lock(&job->lock);
        if (!job->why)
            job->why = g_steal_pointer(&why);
        g_mutex_unlock(&job->lock);
        g_free(why);
    }
    return NULL;
}

/* Until all is done; on a terminal it says how far it is. */
static void wait_for_workers(struct job *job)
{
    uint64_t all = (uint64_t)(job->end - job->first), done = 0;
    bool failed = false;
    while (isatty(STDERR_FILENO) && done < all && !failed) {
        g_usleep(G_USEC_PER_SEC / 4);
        g_mutex_lock(&job->lock);
        done = job->done;
        failed = job->why;
        g_mutex_unlock(&job->lock);
        fprintf(stderr, "\r%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " decisions", done, all);
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* By as many threads as there are processors. false: what failed is in job->why. */
static bool replay_history(struct job *job, struct replay_report *report)
{
    struct history_reader *reader = history_reader_open(job->path, &job->why);
    if (!reader || !history_reader_range(reader, job->since, &job->first, &job->end, &job->why)) {
        history_reader_close(reader);
        return false;
    }
    history_reader_close(reader);
    unsigned count = job->asks_dns ? 1 : MIN(g_get_num_processors(), 64), begun = 0;
    g_autofree struct worker *workers = g_new0(struct worker, count);
    for (unsigned i = 0; i < count; i++) {
        worker_init(&workers[i], job);
        workers[i].thread = g_thread_try_new("replay", run_chunks, &workers[i], NULL);
        begun += workers[i].thread != NULL;
    }
    /* those that there are take the chunks of all */
    if (begun > 0)
        wait_for_workers(job);
    else
        run_chunks(&workers[0]);
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].thread)
            g_thread_join(workers[i].thread);
        replay_report_merge(report, workers[i].report);
        replay_report_free(workers[i].report);
        replay_free(workers[i].replay);
        history_reader_close(workers[i].reader);
    }
    return !job->why;
}

/* What it is told of a line: the worker, and how many decisions there were. */
struct log_reading {
    struct worker *worker;
    int64_t now;
    uint64_t rows;
};

static void replay_line(void *data, char *line)
{
    struct log_reading *reading = data;
    struct worker *worker = reading->worker;
    struct history_row row;
    switch (history_log_parse(line, reading->now, &row)) {
    case HISTORY_LOG_ROW:
        run_row(worker, &row);
        history_row_clear(&row);
        break;
    case HISTORY_LOG_CUT:
        replay_report_unjudged(worker->report, "a log line is cut");
        break;
    case HISTORY_LOG_OTHER:
        return;
    }
    if (++reading->rows % LOG_PROGRESS == 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" G_GUINT64_FORMAT " decisions", reading->rows);
}

static bool replay_logs(struct job *job, char **files, struct replay_report *report)
{
    struct worker worker;
    struct log_reading reading = {.worker = &worker, .now = g_get_real_time()};
    bool cut;
    worker_init(&worker, job);
    for (char **file = files; *file && !job->why; file++) {
        job->why = log_file_read(*file, replay_line, &reading, &cut);
        if (cut)
            replay_report_unjudged(worker.report, "a log file ends too early");
    }
    if (reading.rows >= LOG_PROGRESS && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    replay_report_merge(report, worker.report);
    replay_report_free(worker.report);
    replay_free(worker.replay);
    return !job->why;
}

/* The settings whose history is read, and those that judge. */
static enum exit_code run(struct invocation *invocation, struct job *job, const char *new_file,
                          char **logs, bool json)
{
    struct invocation newer = *invocation;
    if (new_file)
        newer.config = (char *)(uintptr_t)new_file;
    enum exit_code code;
    g_autofree char *path = logs && *logs ? NULL : invocation_history(invocation, NULL, &code);
    if (!path && !(logs && *logs))
        return code;
    job->snapshot = invocation_load(&newer);
    if (!job->snapshot)
        return CODE_CONFIG;
    job->path = path;
    g_mutex_init(&job->lock);
    struct replay_report *report = replay_report_new(job->check);
    bool good = path ? replay_history(job, report) : replay_logs(job, logs, report);
    if (!good)
        complain("%s", job->why);
    else if (json)
        replay_report_json(report, stdout);
    else
        replay_report_text(report, stdout);
    code = !good ? CODE_UNAVAILABLE : replay_report_changes(report) > 0 ? CODE_NO : CODE_FINE;
    replay_report_free(report);
    snapshot_unref(job->snapshot);
    g_free(job->why);
    g_mutex_clear(&job->lock);
    return code;
}

/* As decisions name it: what is short for another name is that. NULL: nothing decides by it. */
static const char *check_word(const char *name)
{
    const struct restriction *row = restriction_find(name);
    const struct own_refusal *own;
    for (unsigned i = 0; (own = own_refusal_at(i)); i++)
        if (g_ascii_strcasecmp(name, own->check) == 0)
            return own->check;
    return row ? row->name : NULL;
}

enum exit_code command_replay(struct invocation *invocation)
{
    gboolean json = FALSE, dns = FALSE;
    g_autofree char *since = NULL, *new_file = NULL, *check = NULL;
    g_auto(GStrv) logs = NULL;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {"dns", 0, 0, G_OPTION_ARG_NONE, &dns, NULL, NULL},
                                    {"since", 0, 0, G_OPTION_ARG_STRING, &since, NULL, NULL},
                                    {"new", 0, 0, G_OPTION_ARG_FILENAME, &new_file, NULL, NULL},
                                    {"check", 0, 0, G_OPTION_ARG_STRING, &check, NULL, NULL},
                                    {"log", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &logs, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    struct job job = {.asks_dns = false};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, G_MAXUINT);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (*invocation->operands && !logs)
        return usage_error(invocation, "\"%s\" is no option", invocation->operands[0]);
    if (since && !when_parse(since, g_get_real_time(), WHEN_SINCE, &job.since))
        return usage_error(invocation, "\"%s\" is no time; " WHEN_FORMS, since);
    job.check = check ? check_word(check) : NULL;
    if (check && !job.check) {
        const char *nearest = restriction_nearest(check);
        return usage_error(invocation, "--check: there is no restriction \"%s\"%s%s%s", check,
                           nearest ? "; did you mean " : "", nearest ? nearest : "",
                           nearest ? "?" : "");
    }
    job.asks_dns = dns;
    /* --log FILE...: what stands behind it are files too */
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    for (char **file = logs; file && *file; file++)
        g_ptr_array_add(files, *file);
    for (char **file = invocation->operands; *file; file++)
        g_ptr_array_add(files, *file);
    g_ptr_array_add(files, NULL);
    return run(invocation, &job, new_file, (char **)files->pdata, json);
}
