/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts what code does instead of how long it takes: each basic block of the sources that are
 * built with -fsanitize-coverage=trace-pc is a step, and so is each byte that the C library or GLib
 * walks over for them.
 */
#ifndef TEST_STEPS_H
#define TEST_STEPS_H

#include <stddef.h>
#include <stdint.h>

/* Counts from 0 again. At more than LIMIT steps the test ends at once, saying WHAT was at work. */
void steps_begin(uint64_t limit, const char *what);

/* Steps since then. */
uint64_t steps_taken(void);

/* Reads SIZE bytes of TEXT, behind which a NUL stands. */
typedef void steps_reader(const char *text, size_t size);

/* Fails unless READ takes steps in proportion to what it reads: HEAD and then UNIT over and over,
 * up to SIZE bytes and up to twice as many, which must take twice the steps and not four times. */
void steps_check_linear(const char *name, steps_reader *read, const char *head, const char *unit,
                        size_t size);

/* Alike: a reader, the pieces of text that mean something to it, and the SIZE to begin with, which
 * is to be above its bounds on what is looked at of one line, tag or address. */
struct steps_row {
    const char *name;
    steps_reader *read;
    const char *const *pieces;
    size_t count, size;
};

/* steps_check_linear for each row and one to four of its pieces, for LINEAR_ROUNDS rounds (in the
 * environment; 30), by a generator that gives the same ones each time. */
void steps_check_made(const struct steps_row *rows, size_t count);

#endif
