/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What became of a recipient or a message, told to all who listen: the log, metrics, the history.
 *
 * Threads: an event lives during the call alone and belongs to the thread of its session; listeners
 * are called by any thread, by several at once, and must not block: mail waits for them.
 */
#ifndef POLICY_EVENT_H
#define POLICY_EVENT_H

#include "base/wait_budget.h"
#include "checks/check.h"
#include "facts/decision.h"

struct policy;

/* Which restriction ended each list with a permit (static; NULL: none did), and the entry of a
 * table or list that it rests on ("TYPE:FILE:LINE"; NULL: none; owned). */
struct permits {
    const char *by[LIST_COUNT];
    char *entry[LIST_COUNT];
};

/* Adds what FROM has of lists that INTO has nothing of. */
void permits_add(struct permits *into, const struct permits *from);

/* Frees what it holds; it is empty then. */
void permits_clear(struct permits *permits);

/* The one that tells why a message passed: the relay list's, else the first there is; NULL: no list
 * was ended, nothing was against it. */
const char *permits_main(const struct permits *permits);

/* The entry that this one rests on; NULL: none. */
const char *permits_main_entry(const struct permits *permits);

/* How many lists were ended with one. */
unsigned permits_count(const struct permits *permits);

/* "client", "helo", "sender", "relay", "recipient", "message". */
const char *permits_list_word(enum restriction_list_kind kind);

/* "client:RESTRICTION", "relay:RESTRICTION" ... for each list that was ended, NULL behind the last;
 * the caller frees it with g_strfreev. */
char **permits_list(const struct permits *permits);

enum session_action {
    SESSION_CONTINUE, /* go on; at the end of a message: pass it on */
    SESSION_REFUSE,   /* with answer->reply, 4xx or 5xx */
    SESSION_HOLD,     /* end of message: pass it on, but to the hold queue */
};

/* What became of a recipient. */
struct session_recipient {
    char *address; /* without brackets, as given */
    enum session_action action;
    const char *check; /* NULL: none */
    char *reply;       /* NULL: none */
    char *entry;       /* of a table, that the decision rests on; NULL: none */
    char *meant;       /* what the MTA makes of it, local@domain; NULL: it was not kept */
    char *mailer, *host, *resolved; /* {rcpt_mailer}, {rcpt_host}, {rcpt_addr}; NULL: not told */
    GArray *asked; /* of struct check_asked: what was asked of who was not refused; or NULL */
};

/* One for each refusal, one for each message that was passed on or held, one for each note. */
struct event {
    gint64 when; /* real time in us; 0: not told */
    enum action action;
    enum stage stage;         /* where the reply was given */
    const char *check;        /* the restriction that decided; NULL: none */
    const char *reply;        /* the whole line; NULL: none */
    const char *entry;        /* the entry of a table or list that decided: "TYPE:FILE:LINE", or the
                                 pattern where there is no file; NULL: none */
    const GPtrArray *entries; /* of char *: the entries that were found on the way, the one that
                                 decided among them; NULL: none */
    bool entries_cut;         /* there were more of them */
    const char *text;      /* why it could not be decided, or what the note says; NULL: nothing */
    const char *const *to; /* recipients it is about, a few at most, NULL behind the last */
    unsigned to_more;      /* how many more it is about */
    const GPtrArray *recipients; /* of struct session_recipient *: all of the message by now, with
                                    their verdicts; NULL: none yet */
    const GPtrArray *details;    /* of struct check_detail *: what the restriction that decided has
                                    to add; NULL: nothing */
    const GArray *asked;         /* of struct check_asked: about the recipient who is refused, or
                                    the message; or NULL */
    const struct permits *permits; /* of what passes: who let it past its lists; else NULL */
    const char *session;           /* joins the events of a connection; letters and digits */
    const char *message_id; /* what its first Message-ID field says, unfolded; NULL: there is none,
                               the message is not in, or no restriction reads the header */
    const struct facts *facts;
    const char *login;               /* as the site knows it; NULL: none */
    const struct policy *policy;     /* of the listener */
    const struct spam_verdict *spam; /* what the message scored; NULL: nothing */
    struct dns_questions *dns;       /* what the DNS was asked, and said; NULL: nothing */
    uint64_t header_bytes;           /* of the message's header, with line ends, and its lines; */
    unsigned header_lines;
    bool header_counted;   /* false: it is not in, or the MTA was not asked for it */
    bool monitor;          /* only said, not done: the MTA was told to go on */
    double milliseconds;   /* spent on it in gatepost, waits included */
    const int64_t *waited; /* us, for each wait_source, since the last event that
                              was no note */
};

enum engine_level { ENGINE_INFO, ENGINE_WARNING };

/* Who hears what happens. Each function may be NULL. MESSAGE is a line of its own, of no session
 * perhaps. CONNECTION is told once of a session, when it is known which policy is its own. */
struct engine_listener {
    void (*event)(void *data, const struct event *event);
    void (*connection)(void *data, const struct policy *policy, const struct facts *facts);
    void (*message)(void *data, enum engine_level level, const char *text);
    void *data;
};

#endif
