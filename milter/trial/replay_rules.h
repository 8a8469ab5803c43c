/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scores by the rules of today of what hit then. A rule that was not run then, since it did not
 * exist, was another one or scored nothing, may have hit or not.
 *
 * Threads: one thread at a time.
 */
#ifndef TRIAL_REPLAY_RULES_H
#define TRIAL_REPLAY_RULES_H

#include "checks/spam.h"
#include "history/history_row.h"

struct replay_rules;

/* Reads spam_site.rules_text. */
struct replay_rules *replay_rules_new(const char *text);
void replay_rules_free(struct replay_rules *rules); /* accepts NULL */

/* The least and the most that ROW, judged by BEFORE, scores for PROFILE (NULL: none) by NOW. */
void replay_rules_score(const struct replay_rules *before, const struct replay_rules *now,
                        const struct history_row *row, const char *profile, double *least_r,
                        double *most_r);

#endif
