/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts what code does instead of how long it takes: each basic block of the sources that are
 * built with -fsanitize-coverage=trace-pc is a step, and so is each byte that the C library or GLib
 * walks over for them.
 */
#ifndef TEST_STEPS_H
#define TEST_STEPS_H

#include <stdint.h>

/* Counts from 0 again. At more than LIMIT steps the test ends at once, saying WHAT was at work. */
void steps_begin(uint64_t limit, const char *what);

/* Steps since then. */
uint64_t steps_taken(void);

#endif
