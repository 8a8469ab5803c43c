/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers that are told to people and to programs: one table of them, a row each, and three writers
 * over it: lines of `status`, members of `status --json`, and Prometheus' text format.
 *
 *   static const struct metric_row rows[] = {
 *       {.key = "messages", .words = "messages seen to their end", .name = ..., .put =
 * put_messages},
 *   };
 *   metrics_write(rows, count, METRICS_PROMETHEUS, data, out);
 *
 * A name, once told, means the same for ever. No label may have values that a stranger can choose.
 *
 * Threads: pure but for OUT.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include <glib.h>

#include "base/tally.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_sink;

struct metric_row {
    const char *name; /* "gatepost_messages_total"; NULL: not for Prometheus */
    const char *help; /* one sentence, ASCII */
    enum metric_kind kind;
    const char *labels[TALLY_LABELS_MAX]; /* names; NULL behind the last */
    const char *key;                      /* of status --json; NULL: not there, nor in status */
    const char *words;                    /* of status, behind the number */
    bool rare;                            /* status tells it where it is not 0 */
    /* Puts the values that DATA holds, one for each combination of labels. A row with a KEY puts
     * one number, without labels. */
    void (*put)(const void *data, struct metric_sink *sink);
};

/* For rows' functions: LABELS are the values, as many as the row has names. */
void metric_put(struct metric_sink *sink, double value, const char *const *labels);
void metric_put_histogram(struct metric_sink *sink, const struct histogram *histogram,
                          const char *const *labels);

/* All counters of TALLY. */
void metric_put_tally(struct metric_sink *sink, const struct tally *tally);

/* METRICS_JSON writes members of an object that is open. */
enum metrics_format { METRICS_TEXT, METRICS_JSON, METRICS_PROMETHEUS };

void metrics_write(const struct metric_row *rows, size_t count, enum metrics_format format,
                   const void *data, GString *out);

#endif
