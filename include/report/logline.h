/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What became of a recipient or a message, as one line of the log: key=value pairs, or a JSON
 * object with the same keys. Nothing that a client sends can end the line, look like another key,
 * or make it longer than LOGLINE_MAX.
 *
 * Threads: pure.
 */
#ifndef REPORT_LOGLINE_H
#define REPORT_LOGLINE_H

#include <glib.h>

#include "base/problems.h"
#include "policy/engine.h"
#include "settings/settings_table.h"

/* Longest line, in bytes, if a client makes each value as long as it can. */
#define LOGLINE_MAX 32768

/* The key "v" of JSON lines: it grows when a key changes its meaning or its type, not when there is
 * a new one. */
#define LOGLINE_VERSION 1

/* Writes the line for EVENT into LINE, which is empty, without a line end. */
void logline_event(const struct event *event, enum setting_log_format format, GString *line);

/* Appends a line that says TEXT: level=warning message="TEXT", or {"ts":"...","v":1,
 * "level":"warning","message":"TEXT"}. WHEN: real time in us; 0: not told. */
void logline_message(enum engine_level level, const char *text, gint64 when,
                     enum setting_log_format format, GString *line);

/* The same of a problem: level=error file=FILE line=LINE message="TEXT". */
void logline_problem(const struct problem *problem, gint64 when, enum setting_log_format format,
                     GString *line);

/* Calls VISIT for each key of EVENT that has a value, with the value as it is (not escaped, but
 * bounded in length); of a list for each element. */
void logline_foreach(const struct event *event,
                     void (*visit)(void *data, const char *key, const char *value), void *data);

#endif
