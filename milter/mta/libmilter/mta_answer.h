/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of a session, said to the MTA.
 *
 * Threads: within a callback.
 */
#ifndef MTA_ANSWER_H
#define MTA_ANSWER_H

#include <libmilter/mfapi.h>

#include "policy/session.h"

/* For MAIL and RCPT. */
sfsistat answer_command(SMFICTX *context, const struct session_answer *answer);

/* For the end of a message: headers, hold, or a reply. What the MTA did not offer (ACTIONS) or
 * refuses becomes a temporary failure, never a message that passes without what it was to get.
 * LEADING_SPACE: a value is taken as it stands behind the colon. */
sfsistat answer_message(SMFICTX *context, unsigned long actions, bool leading_space,
                        const struct session_answer *answer);

#endif
