/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For those who drive a session from a thread of their own and have nothing else to do meanwhile:
 * the wait for what it waits for. An event loop does this by itself instead.
 *
 *     waiting_init(&waiting);
 *     session = session_new(engine, &waiting.waker);
 *     waiting_settle(&waiting, session, session_rcpt(session, ...));
 *
 * Threads: one waits, any number wake.
 */
#ifndef POLICY_WAITING_H
#define POLICY_WAITING_H

#include "policy/session.h"

struct waiting {
    struct session_waker waker; /* to be given to session_new */
    GMutex lock;
    GCond woken;
    bool is_woken;
};

void waiting_init(struct waiting *waiting);

/* The session must be gone before. */
void waiting_clear(struct waiting *waiting);

/* Resumes SESSION, at whose last STEP we are, until it is ready: when it is woken, and at its
 * deadline. */
void waiting_settle(struct waiting *waiting, struct session *session, enum session_step step);

/* How many threads of this process are asleep in waiting_settle now. */
unsigned waiting_count(void);

#endif
