/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For those who drive a session from a thread of their own: the wait for what it waits for.
 *
 *     waiting_init(&waiting);
 *     session = session_new(engine, &waiting.waker);
 *     session_settle(session, session_rcpt(session, ...), &waiting);
 *
 * Threads: the session's.
 */
#ifndef POLICY_SETTLE_H
#define POLICY_SETTLE_H

#include "base/waiting.h"
#include "policy/session.h"

/* Resumes SESSION, at whose last STEP we are, until it is ready: when it is woken, and at its
 * deadline. WAITING must be the session's waker's. */
void session_settle(struct session *session, enum session_step step, struct waiting *waiting);

#endif
