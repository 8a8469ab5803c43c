/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An SMTP reply taken apart into what the milter protocol wants, and made safe for both MTAs:
 * printable ASCII, its percent signs doubled (Sendmail drops a text with a lone one, Postfix the
 * sign), the class of the enhanced code that of the code (Postfix takes anything else for a
 * broken filter), and in as many lines as SMTP wants it to be.
 *
 * Threads: pure.
 */
#ifndef MTA_REPLY_LINE_H
#define MTA_REPLY_LINE_H

#include <stdbool.h>

/* Octets of a line, CRLF included (RFC 5321 4.5.3.1.5). */
#define MTA_REPLY_LINE_MAX 512

/* Bytes of a line's text with doubled signs: libmilter takes no more. */
#define MTA_REPLY_TEXT_MAX 980

/* Lines of a reply. Of REPLY_MAX there are no more than three: two that follow each other hold 489
 * bytes together, or the first would have taken more of the second. */
#define MTA_REPLY_LINES 4

struct mta_reply {
    char code[4];      /* "550" */
    char enhanced[12]; /* "5.7.1"; "" if there is none, which only one line can do without */
    bool temporary;    /* 4xx */
    unsigned count;    /* of lines: 1 at least */
    char texts[MTA_REPLY_LINES][MTA_REPLY_TEXT_MAX + 1]; /* what follows the codes on each */
};

/* Takes LINE ("550 5.7.1 text") apart; false if it does not begin with a code 4xx or 5xx and a
 * space. An enhanced code of another class is taken for a part of the text. What does not fit into
 * a line is broken at blanks, and where a word is longer than a line, anywhere; behind REPLY_MAX
 * (checks/check.h) bytes it is cut off. */
bool mta_reply_parse(const char *line, struct mta_reply *reply_r);

#endif
