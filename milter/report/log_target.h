/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where lines go: syslog, standard error, the journal. Each of them may be slow, or stand still.
 *
 * Threads: any; lines for standard error are written one at a time.
 */
#ifndef REPORT_LOG_TARGET_H
#define REPORT_LOG_TARGET_H

#include "log_queue.h"
#include "report/log.h"

struct event;

/* To be called before the first line, and after the last one. FOREGROUND: what the journal cannot
 * take goes to standard error. */
void log_target_open(int facility, bool foreground);
void log_target_close(void);

/* Whether the journal reads standard error, as of log_target_open: lines begin with "<N>" then. */
bool log_target_journal_reads(void);

/* A line of KIND that says TEXT, which it takes over, made as TARGET wants it; the journal gets the
 * keys of EVENT, too, if that is not NULL. The caller frees it with log_line_free. */
struct log_line *log_line_new(enum setting_log_target target, int facility, enum log_kind kind,
                              GString *text, const struct event *event);

/* Writes the first of COUNT lines (1 at least), and as many of the next ones as its target takes by
 * the same call; how many it has written. What cannot be written is nothing that could be told
 * anywhere. */
unsigned log_target_write(struct log_line *const *lines, unsigned count);

#endif
