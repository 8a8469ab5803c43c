/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the session engine share. Read them in this order: session.c (what happens: the
 * stages), stage_run.c (the lists of a stage, and what a message costs), outcome.c (what they mean
 * for reply and log); below them message_buffer.c (header and body) and session_state.c (what a
 * session is asked between its steps). Each calls those behind it alone.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include "base/arena.h"
#include "policy/evaluation.h"
#include "policy/session.h"

struct refusal {
    char *reply;
    const char *check;
    char *entry;     /* of a table, that it rests on; NULL: none */
    char *why;       /* for the log; NULL: nothing */
    char *recipient; /* whom it met, when it is given later */
};

/* The evaluation of a stage: a sequence of lists that may stop to wait. */
struct run {
    bool begun; /* else there is nothing in it */
    enum stage stage;
    enum restriction_list_kind lists[LIST_COUNT];
    unsigned count, next;
    bool evaluating;
    struct evaluation evaluation; /* keeps its memory from one stage to the next */
    struct check_effects effects;
    struct permits permits;
    struct refusal refusal; /* what they came to; its reply is NULL: nothing against it */
    bool decided;           /* they have been run */
    bool no_message;        /* there is none to be counted: the command line asks */
    void *commit;           /* the committer's, under way; or NULL */
    enum wait_source waits_for;
};

struct session {
    struct engine *engine;
    char id[ENGINE_SESSION_ID_MAX];
    bool is_told; /* to those who count connections */
    struct waker waker;
    struct snapshot *snapshot;
    const struct policy *policy;
    struct engine_dns *dns;              /* NULL: none */
    struct dns_questions *dns_questions; /* NULL: no restriction asks the DNS */
    struct wait_budget budget;
    bool asks_late; /* no questions before they are needed */
    struct facts facts;
    struct run run;
    GArray *notes;
    /* with delay_checks = no: what CONNECT, HELO and MAIL said */
    struct refusal client_refusal, helo_refusal;
    struct check_effects client_effects, helo_effects, mail_effects;
    struct permits early_permits; /* with delay_checks = no: of lists that came before RCPT */
    /* of the message */
    struct arena message_memory;
    GPtrArray *recipients; /* of struct session_recipient *, in that memory */
    size_t header_bytes, header_lines;
    struct header_list *headers;
    GString *body;     /* as much as is wanted; NULL: nothing */
    size_t body_limit; /* bytes that are wanted */
    bool body_cut;
    uint64_t body_bytes; /* that came by */
    struct message_facts message;
    GPtrArray *message_recipients;  /* of char *, theirs: accepted, with brackets off */
    GPtrArray *message_meant;       /* of char *, beside them: what the MTA makes of them */
    GArray *message_profiles;       /* of unsigned, beside them */
    struct refusal message_refusal; /* mail without SMTP: given at its end */
    struct check_effects message_effects;
    /* of its first recipient who was not refused, and of its end */
    struct permits message_permits;
    gint64 microseconds; /* spent on the message so far */
    gint64 resumed_at;   /* when the step under way began */
    gint64 waiting_from; /* the same, while it waits; else 0 */
    struct session_answer answer;
    char *answer_reply;
};

void refusal_clear(struct refusal *refusal);

/* stage_run.c: prepares the lists of a stage; a wait that is under way is over. */
void run_begin(struct session *session, enum stage stage);

/* Runs the lists of the stage that was begun, as far as they go without waiting. */
enum session_step run_advance(struct session *session);

/* Refuses the stage that was begun without asking its lists; CHECK and WHY are static. */
enum session_step run_refuse(struct session *session, const char *reply, const char *check,
                             const char *why);
void run_clear(struct session *session);

/* The wait under way is over, if there is one. */
void run_stop_waiting(struct session *session);

/* outcome.c: the lists of the stage have been run; the message's effects are complete, if it is the
 * message's. */
void outcome_of_lists(struct session *session);

/* The refusal that the message under way meets; its reply is NULL: none. */
const struct refusal *outcome_message_refusal(const struct session *session);

/* What the end of the stage under way means: answer, log, what is kept for later. Takes
 * from REFUSAL what it needs. */
void outcome_of_stage(struct session *session, struct refusal *refusal);

/* message_buffer.c: whether the header is past its limits. */
bool content_header_too_large(const struct session *session);

/* Lets checks see the message; nothing when no restriction looks at it. */
void content_show(struct session *session);

/* Forgets header and body. */
void content_forget(struct session *session);

/* What bounces said is remembered for the guard, whoever they were for. */
void content_remember_bounce(struct session *session);

/* A delivery report that comes in asks auto-responders to keep silent. */
void content_suppress_autoreplies(struct session *session);

#endif
