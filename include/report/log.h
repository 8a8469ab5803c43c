/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where log lines go: syslog, standard error or the journal. The functions log_event and
 * log_message fit struct engine_listener. While log_start's thread runs they hand over their line
 * and return at once, whoever reads the log, or does not; before, and when it has ended, they write
 * it themselves.
 *
 * Threads: locks itself; any thread may log while another changes the target. log_new, log_start,
 * log_stop and log_free are the main thread's.
 */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

#include <stdio.h>

#include "base/problems.h"
#include "policy/engine.h"
#include "settings/settings.h"

struct log_options {
    enum setting_log_target target;
    enum setting_log_format format;
    int facility;    /* LOG_MAIL ... of <syslog.h> */
    bool foreground; /* what the journal cannot take goes to standard error, not to syslog */
};

/* What a line is about, for who sorts them (milter/report/log_kind.h). */
enum log_kind {
    LOG_KIND_PASSED,
    LOG_KIND_REFUSED,
    LOG_KIND_DEFERRED,
    LOG_KIND_HELD,
    LOG_KIND_WARN, /* what a table or warn_if_reject says of a message */
    LOG_KIND_NOTE,
    LOG_KIND_DAEMON_INFO, /* what the daemon says of itself, as follows too */
    LOG_KIND_DAEMON_WARNING,
    LOG_KIND_RELOADED,
    LOG_KIND_NOT_RELOADED,
    LOG_KIND_LINES_LOST,
};

struct log;

/* What SETTINGS ask for. */
struct log_options log_options_from(const struct settings *settings);

/* An error at its line if SETTINGS ask for a target that this program was built without. */
void log_check_settings(const struct settings *settings, struct problems *problems);

/* Bytes of lines that wait for who reads the log. When they are reached lines of accepted mail are
 * lost first, refusals last; a line says how many, and since when. */
#define LOG_WAITING_MAX ((size_t)8 << 20)

/* The caller frees it with log_free (which accepts NULL) when nobody logs any more, and log_stop,
 * if it was started, has said true. */
struct log *log_new(const struct log_options *options);
void log_free(struct log *log);

/* Starts the thread that writes lines, with the signals that are blocked now; once. */
void log_start(struct log *log);

/* Has it write what waits and end, and waits for that, MICROSECONDS at most. false: it could not,
 * because nobody reads; one may ask again, or leave the process by _exit. Accepts a log that was
 * not started. */
bool log_stop(struct log *log, gint64 microseconds);

/* How the log is doing. */
struct log_state {
    guint waiting;  /* lines that nobody has read yet */
    size_t bytes;   /* what they take */
    guint64 lost;   /* lines since the start */
    gint64 writing; /* microseconds since the line began that is being written; 0: none is */
};
void log_get_state(struct log *log, struct log_state *state_r);

/* Lines from now on go there. */
void log_configure(struct log *log, const struct log_options *options);

/* DATA is the struct log. */
void log_event(void *data, const struct event *event);
void log_message(void *data, enum engine_level level, const char *text);

void log_info(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_warning(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same of a TEXT, for those who are handed a place to tell: LOG is the struct log. */
void log_tell(void *log, const char *text);
void log_warn(void *log, const char *text);

/* The same for a line of a KIND of its own, as loud as that is. */
void log_of_kind(struct log *log, enum log_kind kind, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Prints TEXT, which may be told before there is a log, as a JSON line to STREAM. */
void log_print_json(FILE *stream, enum engine_level level, const char *text);

/* The same of PROBLEMS, a line each, with file and line as keys, as log_problems has them. */
void log_print_problems_json(FILE *stream, const struct problems *problems);

/* Each of PROBLEMS as a line, at the priority of warnings. */
void log_problems(struct log *log, const struct problems *problems);

#endif
