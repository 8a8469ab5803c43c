/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SIGINT, SIGTERM and SIGHUP: a survey that takes an hour keeps what it has seen when it is told to
 * end.
 *
 * Threads: interrupt_catch before there are others; the rest by any.
 */
#ifndef SURVEY_INTERRUPT_H
#define SURVEY_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the first of these signals is noted, and a second of the same kind ends the program
 * as usual. What is ignored (nohup) stays so. */
void interrupt_catch(void);

/* Whether one came; false without interrupt_catch. */
bool interrupt_came(void);

/* Sleeps for so many us; false as soon as a signal comes, or if one has come. */
bool interrupt_sleep(int64_t us);

/* Ends the program by the signal that came, for whoever started it to see; returns if none did. */
void interrupt_pass_on(void);

#endif
