/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When something is decided, and what: the words of the log, of metrics and of the history, as
 * numbers to compare.
 *
 * Threads: pure.
 */
#ifndef FACTS_DECISION_H
#define FACTS_DECISION_H

#include <stdbool.h>

/* The stages of an SMTP session as a milter sees them. A verdict's stage is where the reply was
 * given; what is decided after DATA counts as STAGE_MESSAGE. */
enum stage {
    STAGE_CONNECT,
    STAGE_HELO,
    STAGE_MAIL,
    STAGE_RCPT,
    STAGE_MESSAGE,
};
#define STAGE_COUNT 5

/* "connect", "helo", "mail", "rcpt", "message". */
const char *stage_name(enum stage stage);

/* What becomes of a recipient or a message; the last two are remarks that decide nothing. */
enum action {
    ACTION_ACCEPT,
    ACTION_REJECT,   /* 5xx */
    ACTION_TEMPFAIL, /* 4xx */
    ACTION_HOLD,     /* passed on, to the hold queue */
    ACTION_WARN,
    ACTION_INFO,
};
#define ACTION_COUNT 6

/* "accept", "reject", "tempfail", "hold", "warn", "info". */
const char *action_word(enum action action);

/* Whether ACTION is a remark. */
bool action_is_note(enum action action);

/* ACTION_TEMPFAIL or ACTION_REJECT, by the first digit of a reply. */
enum action action_of_reply(const char *reply);

#endif
