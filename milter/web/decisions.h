/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Decisions of the history, as a table and one by one with every fact.
 *
 * Threads: pure but for OUT.
 */
#ifndef WEB_DECISIONS_H
#define WEB_DECISIONS_H

#include "answer_lines.h"

/* A row for each "decision" of ANSWER, each with a link to all of its session. */
void decisions_table(GString *out, const struct answer *answer);

/* How many "decision"s there are. */
unsigned decisions_count(const struct answer *answer);

/* All of each, in the order of ANSWER: the "fact" lines behind a "decision" are its own. Where
 * there are many each is a line that opens. */
void decisions_whole(GString *out, const struct answer *answer);

#endif
