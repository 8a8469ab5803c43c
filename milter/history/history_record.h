/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows as bytes, as the file keeps them, and rows of events.
 *
 * The first byte is the version of the format. Then come fields: a tag, the length in four bytes,
 * least first, and the value. Whoever meets a tag that he does not know passes over it, so that
 * fields can be added; what a tag means never changes. A text ends with a NUL, so that a row's
 * texts are in the bytes themselves.
 *
 * There are two formats. A plain record is made on a thread that mail waits for. The file has
 * packed ones, a third as long: numbers of as many bytes as they need, each text written out once
 * and then named by its place, common words by a number. Both are read; older files have plain
 * records.
 *
 * Threads: pure.
 */
#ifndef HISTORY_HISTORY_RECORD_H
#define HISTORY_HISTORY_RECORD_H

#include "history/history_row.h"
#include "policy/event.h"

/* Most bytes of a header that are kept. */
#define HISTORY_HEADER_MAX (32u << 10)

/* What texts of ROW are put into that nobody else keeps; it is made when it is needed first. */
GStringChunk *history_row_memory(struct history_row *row);

/* Makes a row of EVENT that borrows from it. */
void history_row_from_event(struct history_row *row_r, const struct event *event);

/* Appends the row's bytes. */
void history_record_write(const struct history_row *row, GString *out);
void history_record_pack(const struct history_row *row, GString *out);

/* Makes a row of LENGTH bytes, which are copied; false if they are no row, and then it is empty. */
bool history_record_read(const void *bytes, size_t length, struct history_row *row_r);

/* The same without a copy: BYTES must stay what they are until the row is cleared. */
bool history_record_borrow(const void *bytes, size_t length, struct history_row *row_r);

/* Tells VISIT of each text that ROW holds, whatever it means; false: VISIT has ended it. */
bool history_record_each_text(const struct history_row *row,
                              bool (*visit)(void *data, const char *text), void *data);

#endif
