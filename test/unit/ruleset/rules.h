/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules and messages as strings, for tests of the ruleset.
 */
#ifndef TEST_RULES_H
#define TEST_RULES_H

#include "ruleset/ruleset.h"

/* Loads the rules in TEXT, called "rules.cf" in problems. */
struct ruleset *rules_load(const char *text, struct problems *problems);

/* The problems as lines "LINE: severity: text\n"; the caller frees it. */
char *rules_problems(const struct problems *problems);

/* Runs MESSAGE (a whole one) and returns "SCORE NAME NAME=COUNT ..."; the caller frees it. */
char *rules_run(const struct ruleset *ruleset, const char *message, const char *sender,
                const struct ruleset_profile *profile);

#endif
