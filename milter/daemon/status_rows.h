/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of metrics: every number that the daemon tells of itself, for people, for programs and
 * for Prometheus. Their data is a struct status.
 *
 * Threads: pure.
 */
#ifndef DAEMON_STATUS_ROWS_H
#define DAEMON_STATUS_ROWS_H

#include "report/metrics.h"

extern const struct metric_row status_rows[];
extern const size_t status_row_count;

#endif
