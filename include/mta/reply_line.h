/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An SMTP reply line taken apart into what the milter protocol wants, and made safe for both MTAs:
 * printable ASCII, its percent signs doubled (Sendmail drops a text with a lone one, Postfix the
 * sign), the class of the enhanced code that of the code (Postfix takes anything else for a
 * broken filter).
 *
 * Threads: pure.
 */
#ifndef MTA_REPLY_LINE_H
#define MTA_REPLY_LINE_H

#include <stdbool.h>

/* Bytes of a text, with doubled signs; libmilter takes 980. */
#define MTA_REPLY_TEXT_MAX 900

struct mta_reply {
    char code[4];                      /* "550" */
    char enhanced[12];                 /* "5.7.1"; "" if there is none */
    char text[MTA_REPLY_TEXT_MAX + 1]; /* what follows */
    bool temporary;                    /* 4xx */
};

/* Takes LINE ("550 5.7.1 text") apart; false if it does not begin with a code 4xx or 5xx and a
 * space. An enhanced code of another class is taken for a part of the text. */
bool mta_reply_parse(const char *line, struct mta_reply *reply_r);

#endif
