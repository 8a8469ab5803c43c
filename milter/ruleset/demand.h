/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether the answer of a rule that counts for nothing itself can still change what does, by what
 * is known of the others: of "meta M __A && __B" nobody need ask __B once __A did not hit.
 *
 * Threads: a demand belongs to the thread that tries the rules.
 */
#ifndef RULESET_DEMAND_H
#define RULESET_DEMAND_H

#include "ruleset_private.h"

struct demand;

/* One for RULESET, which it borrows, and one message after the other. The caller frees it. */
struct demand *demand_new(const struct ruleset *ruleset);
void demand_free(struct demand *demand); /* accepts NULL */

/* Begins a message, for the rules that PROFILE runs: no rule has hit. */
void demand_begin(struct demand *demand, const struct ruleset_profile *profile);

enum demand_answer { DEMAND_NO, DEMAND_HIT, DEMAND_UNKNOWN };

/* What is known of a rule that is no meta. It may become known, and does not change then. */
void demand_answer(struct demand *demand, const struct rule *rule, enum demand_answer answer);

/* Whether anything that counts can hang on RULE, a __rule. */
bool demand_has(struct demand *demand, const struct rule *rule);

#endif
