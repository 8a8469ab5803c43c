/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said of the history. PLACE NULL: none is kept.
 *
 * Threads: pure but for OUT.
 */
#ifndef DAEMON_STATUS_HISTORY_H
#define DAEMON_STATUS_HISTORY_H

#include "history/history_writer.h"

void status_history_write_text(const char *place, const struct history_state *history,
                               GString *out);
void status_history_write_json(const char *place, const struct history_state *history,
                               GString *out);

#endif
