/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The result of a trial, for programs and for people.
 */
#ifndef TESTOUTPUT_H
#define TESTOUTPUT_H

#include <stdio.h>

#include "trial/trial.h"

/* One JSON object and a line end. FILE NULL: there was no message. */
void test_print_json(const char *file, const struct trial_result *result, FILE *stream);

/* Some lines. What strangers wrote is escaped. */
void test_print_text(const char *file, const struct trial_result *result, FILE *stream);

#endif
