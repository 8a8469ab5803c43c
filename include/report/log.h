/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where log lines go: syslog, standard error or the journal. The functions log_event and
 * log_message fit struct engine_hooks.
 *
 * Threads: locks itself; any thread may log while another changes the target.
 */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

#include "base/problems.h"
#include "policy/engine.h"
#include "settings/settings.h"

struct log_options {
    enum setting_log_target target;
    enum setting_log_format format;
    int facility; /* LOG_MAIL ... of <syslog.h> */
};

struct log;

/* What SETTINGS ask for. */
struct log_options log_options_from(const struct settings *settings);

/* An error at its line if SETTINGS ask for a target that this program was built without. */
void log_check_settings(const struct settings *settings, struct problems *problems);

/* The caller frees it with log_free (which accepts NULL) when nobody logs any more. */
struct log *log_new(const struct log_options *options);
void log_free(struct log *log);

/* Lines from now on go there. */
void log_configure(struct log *log, const struct log_options *options);

/* DATA is the struct log. */
void log_event(void *data, const struct event *event);
void log_message(void *data, enum engine_level level, const char *text);

void log_info(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_warning(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Each of PROBLEMS as a warning line. */
void log_problems(struct log *log, const struct problems *problems);

#endif
