/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Why the guard thinks what it thinks: one piece of evidence for each thing found, to be shown by
 * `gatepostctl test` and in the log.
 *
 * Threads: one thread at a time.
 */
#ifndef AUTOREPLY_EVIDENCE_H
#define AUTOREPLY_EVIDENCE_H

#include <glib.h>

enum autoreply_question { AUTOREPLY_IS_AUTOREPLY, AUTOREPLY_TO_BOUNCE_SENDER, AUTOREPLY_QUOTES };

struct autoreply_evidence {
    enum autoreply_question question;
    const char *kind; /* one word, static: "auto-submitted", "quote-mark", "attribution" ... */
    char *mark;       /* what was seen, escaped, at most AUTOREPLY_MARK_MAX bytes; may be "" */
    char *part;       /* MIME part as IMAP counts ("1.2"); NULL: header, envelope or whole body */
    unsigned line;    /* in the decoded text of that part, from 1; 0: none to name */
    double share;     /* share of repeated lines, 0..1; 0 for other kinds */
};

/* Most characters shown of what was seen: enough to recognise it, too few to leak much. */
#define AUTOREPLY_MARK_MAX 80
/* Most pieces kept in one list: a message of nothing but quotation marks is told in few words. */
#define AUTOREPLY_EVIDENCE_MAX 24

/* An empty list of struct autoreply_evidence that frees its elements; the caller unrefs it. */
GPtrArray *autoreply_evidence_new(void);

/* Adds a piece; MARK (may be NULL) is escaped and cut, PART copied. EVIDENCE may be NULL, and then
 * or when the list is full nothing happens. Returns the piece or NULL. */
struct autoreply_evidence *autoreply_evidence_add(GPtrArray *evidence,
                                                  enum autoreply_question question,
                                                  const char *kind, const char *mark,
                                                  const char *part, unsigned line);

/* One line for people: "quotes: attribution at line 12: On Mon, 2 Nov ...". The caller frees it. */
char *autoreply_evidence_format(const struct autoreply_evidence *piece);

#endif
