/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The auto-reply guard's three answers about a message file, whatever the restrictions ask for.
 *
 * Threads: one thread at a time.
 */
#ifndef TRIAL_AUTOREPLIES_H
#define TRIAL_AUTOREPLIES_H

#include "autoreply/judge.h"
#include "trial/messagefile.h"
#include "policy/session.h"

/* A memory of bounces for one run of the command: what bounces among its files say is known to the
 * files behind them. The caller frees it with bounce_memory_free. */
struct bounce_memory *autoreplies_memory_new(void);

/* Judges MESSAGE (NULL: the envelope alone) as sent by SENDER to RECIPIENTS under the policy of
 * SESSION, which has come to its end. The caller empties *JUDGEMENT_R with
 * autoreply_judgement_clear. */
void autoreplies_judge(const struct session *session, const struct message_file *message,
                       const char *sender, const char *const *recipients,
                       struct bounce_memory *memory, struct autoreply_judgement *judgement_r);

#endif
