/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The auto-reply guard's view of a session: for the check itself, for the session that must know
 * whether to read the body, and for the command line that explains.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef CHECKS_GUARD_H
#define CHECKS_GUARD_H

#include "autoreply/judge.h"
#include "checks/site.h"

/* Describes the message under way, which FACTS must show, for the guard's questions. Borrows. */
void guard_message(const struct site *site, const struct facts *facts, struct bounce_memory *memory,
                   struct autoreply_message *message_r);

/* What was read of its body; to be emptied with autoreply_body_clear. */
void guard_body(const struct message_facts *message, struct autoreply_body *body_r);

/* autoreply_headers.get over a struct header_list. */
const char *guard_header(void *context, const char *name, unsigned index);

#endif
