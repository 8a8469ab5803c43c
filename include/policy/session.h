/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One SMTP session, decided. Whoever speaks with the MTA (or the command line, or a test) tells
 * what happens; each step is READY with an answer, or WAITs: then the session's waker is called
 * from some thread when it is worth asking again with session_resume. Nothing in here blocks.
 *
 *   session_new -> connect -> helo* -> (mail -> rcpt* -> header* -> end_of_message | abort)* ->
 * free
 *
 * Threads: one thread at a time, not always the same; the waker comes from any.
 */
#ifndef POLICY_SESSION_H
#define POLICY_SESSION_H

#include "base/waker.h"
#include "policy/engine.h"

/* Most header lines of a message, and most recipients; more is refused (552 5.3.4, 452 4.5.3). */
#define SESSION_HEADER_LINES_MAX 10000u
#define SESSION_RECIPIENTS_MAX   10000u

enum session_step { SESSION_READY, SESSION_WAIT };

/* What the MTA is to be told. Lives until the next step. */
struct session_answer {
    enum session_action action;
    enum stage stage;
    const char *check;        /* the restriction that decided; NULL: none */
    const char *reply;        /* REFUSE, and what monitor mode would have said; else NULL */
    const char *hold;         /* HOLD: the reason */
    const GPtrArray *changes; /* end of message: of struct header_change *, in order, to be carried
                                 out before headers are added; or NULL */
    const GString *body;      /* end of message: instead of the body; or NULL */
    const GPtrArray *headers; /* end of message: of char *, "Name: value" to be put on top */
};

struct session;

/* Begins a session under the policy that is in force now. WAKER is copied; NULL: nobody is woken.
 */
struct session *session_new(struct engine *engine, const struct waker *waker);

/* Accepts NULL. The waker is not called any more once this has returned. */
void session_free(struct session *session);

/* From now on lists are asked only when a restriction needs the answer, not as soon as there is
 * something to ask: for who has time, and wants no needless question. Before session_connect. */
void session_ask_late(struct session *session);

/* What this session needs of the MTA. */
const struct snapshot_needs *session_needs(const struct session *session);

enum session_step session_connect(struct session *session, const struct connection *connection,
                                  const struct macro_source *macros);
enum session_step session_helo(struct session *session, const char *helo,
                               const struct macro_source *macros);
enum session_step session_mail(struct session *session, const char *const *argv,
                               const struct macro_source *macros);
enum session_step session_rcpt(struct session *session, const char *const *argv,
                               const struct macro_source *macros);

/* A header line; VALUE as it stands behind the colon. Never answers by itself: what there is to say
 * against the header is said at the end of the message. */
void session_header(struct session *session, const char *name, const char *value);

/* The same for who knows how long they are; both end in a NUL. */
void session_header_sized(struct session *session, const char *name, size_t name_length,
                          const char *value, size_t value_length);

/* How large the header was, in bytes with line ends and in lines, for who was told of a part of it
 * alone (a replay). Behind the last header line. */
void session_header_size(struct session *session, size_t bytes, size_t lines);

/* The header is in. Whether the body, or some of it, is wanted. */
bool session_end_of_header(struct session *session);

/* A piece of the body, cut anywhere. Whether more is wanted. */
bool session_body(struct session *session, const void *data, size_t length);

enum session_step session_end_of_message(struct session *session,
                                         const struct macro_source *macros);

/* In place of session_end_of_message, when there is no message and will be none: what the envelope
 * alone would lead to (a HOLD, headers, the refusal of mail without SMTP). For the command line. */
enum session_step session_end_of_envelope(struct session *session,
                                          const struct macro_source *macros);

/* The message under way will not come (RSET, a lost client); not needed before MAIL. */
void session_abort(struct session *session);

/* After WAIT: goes on as far as it can. A session that does not wait stays as it is, and its answer
 * too: wakes come late, and more often than needed. */
enum session_step session_resume(struct session *session);

/* While it waits: resume it then at the latest, woken or not; us of the monotonic clock. */
int64_t session_deadline(const struct session *session);

/* After READY. */
const struct session_answer *session_get_answer(const struct session *session);

/* The recipients of the message under way (or just ended): of struct session_recipient *. */
const GPtrArray *session_recipients(const struct session *session);

/* What the message scored; NULL: reject_spam was not asked. Valid until the next message. */
const struct spam_verdict *session_spam(const struct session *session);

/* The profile of the first recipient that was accepted, if none was of the last one; never NULL. */
const struct spam_profile *session_profile(const struct session *session);

/* The DNS questions of the session; NULL: there are none. And its policy. */
struct dns_questions *session_dns_questions(const struct session *session);
const struct policy *session_policy(const struct session *session);

const struct facts *session_facts(const struct session *session);

#endif
