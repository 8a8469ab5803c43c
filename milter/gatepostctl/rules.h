/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Showing the rule files that are in force.
 */
#ifndef RULES_H
#define RULES_H

#include <stdio.h>

#include "policy/snapshot.h"

/* As many digits as a score has. */
enum { RULES_SCORE_DECIMALS = 3 };

/* Prints how many rules there are, and each directive that was skipped with file and line. */
void rules_print_skipped(const struct snapshot *snapshot, FILE *stream);

/* A score with the decimals it has, one at least; the caller frees it. */
char *rules_score_text(double score);

#endif
