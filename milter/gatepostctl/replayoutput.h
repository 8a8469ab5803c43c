/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a replay found, counted and shown.
 *
 * Threads: one thread at a time.
 */
#ifndef REPLAYOUTPUT_H
#define REPLAYOUTPUT_H

#include <stdio.h>

#include "trial/replay.h"

struct replay_report;

/* CHECK: only what this restriction decided, before or after, is counted; NULL: everything. It must
 * outlive the report. */
struct replay_report *replay_report_new(const char *check);
void replay_report_free(struct replay_report *report); /* accepts NULL */

/* Counts the OUTCOME of ROW, and keeps copies of the first rows of each change as examples. */
void replay_report_add(struct replay_report *report, const struct history_row *row,
                       const struct replay_outcome *outcome);

/* Counts what cannot be judged without a row; REASON is static. */
void replay_report_unjudged(struct replay_report *report, const char *reason);

/* Counts rows that cannot be read. */
void replay_report_broken(struct replay_report *report, uint64_t count);

/* Adds what FROM has. */
void replay_report_merge(struct replay_report *into, const struct replay_report *from);

/* Decisions that would change. */
uint64_t replay_report_changes(const struct replay_report *report);

/* For a person: what strangers wrote is escaped. */
void replay_report_text(const struct replay_report *report, FILE *stream);

/* One object, one line. */
void replay_report_json(const struct replay_report *report, FILE *stream);

#endif
