/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text cut into what can be recognised when somebody repeats it: lines, for who pastes; sentences,
 * for whose program breaks the lines anew. Both are reduced to their letters and digits.
 *
 * Threads: all functions are pure.
 */
#ifndef AUTOREPLY_TEXT_UNITS_H
#define AUTOREPLY_TEXT_UNITS_H

#include <stdbool.h>
#include <stddef.h>

/* Shorter units say nothing ("Kind regards"); longer ones are cut. */
#define TEXT_UNIT_MIN 20
#define TEXT_UNIT_MAX 2000

/* Called for each unit: its reduced text, and the lines (from 0) that it spans. false: no more. */
typedef bool text_unit_visitor(void *context, const char *unit, size_t length, bool sentence,
                               unsigned first, unsigned last);

/* Calls VISIT for the units of TEXT[SIZE] (valid UTF-8), lines first, then sentences. Quote marks
 * before lines are left out; with WITHOUT_SIGNATURE what follows the last "-- " line is too. */
void text_units(const char *text, size_t size, bool without_signature, text_unit_visitor *visit,
                void *context);

#endif
