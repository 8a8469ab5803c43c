/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of the history for people and programs.
 *
 * Threads: pure but for OUT.
 */
#ifndef REPORT_HISTORY_TEXT_H
#define REPORT_HISTORY_TEXT_H

#include "history/history_row.h"

/* The row as lines for a terminal of 80 columns, an empty line behind it: what was decided, of
 * whom, by what. What a stranger sent is escaped. */
void history_text(const struct history_row *row, GString *out);

/* The row as a JSON object, complete; the keys that the log has too are the log's, and always
 * there. No line end. */
void history_json(const struct history_row *row, GString *out);

#endif
