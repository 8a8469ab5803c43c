/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first question of the guard: is this message an automatic answer to another one? Told from
 * the header and the envelope sender (RFC 3834, RFC 5230, and what vacation programs, groupware
 * and panels write), so that the body need not be read for any other mail. Delivery reports, read
 * receipts, mailing lists and automatic reports are none.
 *
 * Threads: all functions are pure.
 */
#ifndef AUTOREPLY_CLASSIFY_H
#define AUTOREPLY_CLASSIFY_H

#include <glib.h>
#include <stdbool.h>

#include "autoreply/headers.h"

enum autoreply_class {
    AUTOREPLY_NO,    /* a person's mail, a report, a list ...: nothing more need be read */
    AUTOREPLY_YES,   /* an automatic answer */
    AUTOREPLY_MAYBE, /* null sender and no mark of its kind: autoreply_classify_body decides */
};

/* Classifies by header and envelope SENDER (as the MTA gives it; "" and "<>" are the null sender;
 * NULL: not known). Adds what it found to EVIDENCE (may be NULL), for a "no" too. */
enum autoreply_class autoreply_classify(const struct autoreply_headers *headers, const char *sender,
                                        GPtrArray *evidence);

/* Settles AUTOREPLY_MAYBE by the beginning of the body's text, UTF-8: yes if it says of itself
 * that it is automatic or that somebody is away, no for the known texts of bounces and for all
 * else. Never returns AUTOREPLY_MAYBE. */
enum autoreply_class autoreply_classify_body(const char *text, GPtrArray *evidence);

/* Whether the message is a delivery report, whose text bounce_memory may remember and to which no
 * auto-reply should go: multipart/report, or from the MTA under the null sender. */
bool autoreply_is_bounce(const struct autoreply_headers *headers, const char *sender);

enum auto_submitted {
    AUTO_SUBMITTED_NONE,
    AUTO_SUBMITTED_NO,
    AUTO_SUBMITTED_GENERATED,
    AUTO_SUBMITTED_REPLIED
};

/* Reads one value of Auto-Submitted: (RFC 3834 5): comments, white space, parameters and case are
 * allowed everywhere the grammar allows them. Any keyword but "no" and "auto-replied" (RFC 5436's
 * auto-notified, extensions) is GENERATED; NONE if there is no keyword. */
enum auto_submitted auto_submitted_parse(const char *value);

#endif
