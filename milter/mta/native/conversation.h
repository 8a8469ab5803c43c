/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection of the MTA as a conversation: packets in, steps of the session, answers out. It does
 * no input or output and waits for nothing; whoever drives it does, by what each call says is next.
 * Exactly one final answer is given to each command whose answer was not negotiated away, in their
 * order, and none to the others: with one too many an MTA takes the refusal of a recipient for that
 * of the next.
 *
 * Threads: one at a time, not always the same.
 */
#ifndef NATIVE_CONVERSATION_H
#define NATIVE_CONVERSATION_H

#include "base/waker.h"
#include "policy/engine.h"
#include "policy/session.h"
#include "wire.h"

/* Bytes of a message from which on its end is judged apart: rules take long over it. */
#define CONVERSATION_LARGE (16 * 1024u)

enum conversation_state {
    CONVERSATION_LISTENS, /* conversation_take, with the next packet */
    CONVERSATION_WAITS,   /* conversation_resume, when woken or at the deadline; no packet before */
    CONVERSATION_WORKS,   /* conversation_work, on a thread that has time; then _worked */
    CONVERSATION_SPEAKS,  /* there is more to say: conversation_speak, when OUT has been written */
    CONVERSATION_OVER,    /* to be freed, when OUT has been written */
};

struct conversation;

/* WAKER is copied; it may be called until the conversation has been freed. */
struct conversation *conversation_new(struct engine *engine, const struct waker *waker);

/* Accepts NULL. A message under way is aborted. */
void conversation_free(struct conversation *conversation);

/* Takes PACKET; answers go to OUT. */
enum conversation_state conversation_take(struct conversation *conversation,
                                          const struct wire_packet *packet, GByteArray *out);

enum conversation_state conversation_resume(struct conversation *conversation, GByteArray *out);

/* The step that takes long. Meanwhile nobody may call anything for CONVERSATION but the functions
 * of progress. */
void conversation_work(struct conversation *conversation);
enum conversation_state conversation_worked(struct conversation *conversation, GByteArray *out);

/* Says more, a packet at least and 64 kB at most. */
enum conversation_state conversation_speak(struct conversation *conversation, GByteArray *out);

/* While it waits: when to resume it at the latest, us of the monotonic clock; never 0. */
int64_t conversation_deadline(const struct conversation *conversation);

/* While it waits or works: whether the MTA may be told that it goes on. After the end of a message
 * any MTA may; before that Postfix alone, and where an answer is due. Sendmail takes it for a
 * broken filter there. */
bool conversation_may_progress(const struct conversation *conversation);
void conversation_progress(GByteArray *out);

/* From MAIL to the end of the message. */
bool conversation_in_message(const struct conversation *conversation);

/* Whether it is known to be Postfix's. */
bool conversation_of_postfix(const struct conversation *conversation);

/* Bytes of data that a packet of the MTA may have. */
size_t conversation_packet_most(const struct conversation *conversation);

/* The session, for who judges what it says; NULL before the negotiation. */
const struct session *conversation_session(const struct conversation *conversation);

/* After CONVERSATION_OVER: what the MTA did wrong; NULL: nothing, it took leave. Static. */
const char *conversation_fault(const struct conversation *conversation);

#endif
