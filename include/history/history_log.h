/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of gatepost's own log, text or JSON, as rows: as far as they go. A line tells less than the
 * history: no certificate, no mechanism of a login, no name that was not verified, no answers of
 * lists, and of long values the beginning alone.
 *
 * Threads: pure.
 */
#ifndef HISTORY_HISTORY_LOG_H
#define HISTORY_HISTORY_LOG_H

#include "history/history_row.h"

/* Longest line that is looked at. */
#define HISTORY_LOG_LINE_MAX ((size_t)64 << 10)

enum history_log_result {
    HISTORY_LOG_ROW,   /* a decision */
    HISTORY_LOG_OTHER, /* something else that a log holds */
    HISTORY_LOG_CUT,   /* a decision, of which a value that matters is cut */
};

/* Where gatepost's own text begins in LINE, which syslog, the journal or a container may have
 * begun; NULL: it is none of gatepost's. What other programs log of strangers' words is none. */
const char *history_log_own(const char *line);

/* Reads LINE, which begins as syslog or the journal have it, or with the line itself. NOW (us since
 * 1970) tells the year of a date that has none. On HISTORY_LOG_ROW *ROW_R is a row with from_log,
 * which the caller clears; else it is empty. */
enum history_log_result history_log_parse(const char *line, int64_t now, struct history_row *row_r);

/* A message that passed, in monitor mode whatever was decided, and whose login sent it. */
struct history_log_sent {
    char *login;
    int64_t when;        /* us since 1970; 0: it tells no time */
    uint64_t recipients; /* those that the line counts and does not name, too */
};

/* Whether LINE tells of such a message, be it cut or not. LINE and NOW as above; only then *SENT_R
 * is filled, for history_log_sent_clear. */
bool history_log_read_sent(const char *line, int64_t now, struct history_log_sent *sent_r);
void history_log_sent_clear(struct history_log_sent *sent);

#endif
