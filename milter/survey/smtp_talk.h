/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said on port 25 up to STARTTLS, as a machine that bytes go into and that says what is to
 * be done next: it does no input or output of its own.
 *
 *     smtp_talk_begin(&talk, "survey.example.org");
 *     while ((step = smtp_talk_next(&talk)) ...)
 *         SMTP_READ: feed what came, or that the other side has ended it;
 *         SMTP_SEND: send talk.command, and go on;
 *         SMTP_STARTTLS: make TLS on the connection;  SMTP_DONE: talk.state is the outcome.
 *
 * Threads: a talk belongs to one thread at a time; all functions are pure.
 */
#ifndef SURVEY_SMTP_TALK_H
#define SURVEY_SMTP_TALK_H

#include <glib.h>
#include <stdbool.h>

/* Most bytes of a line, and lines of a reply, that are read; RFC 5321 4.5.3.1.5 allows 512 bytes.
 * Whoever sends more is not answered any more: nothing is known of him ("blocked"). */
#define SMTP_LINE_MAX  4096
#define SMTP_LINES_MAX 200

/* How far an address let itself be asked. "blocked" is never "no". */
enum smtp_state {
    SMTP_UNKNOWN, /* not finished */
    SMTP_OK,      /* STARTTLS was taken up (and, when the visit is over, TLS came about) */
    SMTP_NO_STARTTLS,
    SMTP_STARTTLS_REFUSED,
    SMTP_HANDSHAKE_FAILED,
    SMTP_BLOCKED, /* 4xx, 5xx, nonsense or an end before EHLO was answered */
    SMTP_TIMEOUT,
    SMTP_REFUSED, /* no connection came about */
};

enum smtp_step { SMTP_READ, SMTP_SEND, SMTP_STARTTLS, SMTP_DONE };

struct smtp_talk {
    enum smtp_state state;
    GString *banner;   /* text of the greeting, its lines joined by a blank; as sent */
    GString *keywords; /* first words of the lines that answer EHLO, in upper case */
    GString *reply;    /* the whole reply that ended the talk, "" if none did */
    GString *command;  /* for SMTP_SEND */
    bool early;        /* bytes came in clear behind the reply to STARTTLS: they are dropped */
    /* the machine's own */
    char *helo;
    int stage;
    bool waiting; /* for a reply */
    bool starttls;
    GString *line;
    GString *text; /* of the reply so far */
    int code;
    unsigned lines;
};

/* HELO is said in EHLO: a host name. smtp_talk_end frees what the talk holds. */
void smtp_talk_begin(struct smtp_talk *talk, const char *helo);
void smtp_talk_end(struct smtp_talk *talk);

enum smtp_step smtp_talk_next(struct smtp_talk *talk);

/* Bytes that came. */
void smtp_talk_feed(struct smtp_talk *talk, const char *bytes, size_t count);

/* Nothing more comes: the connection was ended, or (TIMEOUT) the deadline is there. */
void smtp_talk_over(struct smtp_talk *talk, bool timeout);

/* "ok", "no-starttls" ...; NULL for SMTP_UNKNOWN. */
const char *smtp_state_text(enum smtp_state state);

/* Whether a state, with the reply that led to it, says something about the server rather than
 * about the moment: ok, no-starttls, a 5xx to STARTTLS. A handshake that failed does so when it
 * failed twice, which is for the caller to count. */
bool smtp_state_definite(const char *state, const char *reply, int tries);

#endif
