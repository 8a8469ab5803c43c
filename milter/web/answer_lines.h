/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the daemon answers on its read socket, taken apart: lines of fields with a tab between them,
 * the first of which says what the line is. In fields strangers' characters are escaped by the
 * daemon, and escaped anew for HTML by whoever shows them.
 *
 * Threads: pure.
 */
#ifndef WEB_ANSWER_LINES_H
#define WEB_ANSWER_LINES_H

#include <glib.h>
#include <stdint.h>

/* A line's fields behind the first; there are always so many, "" where the daemon said none. */
enum { ANSWER_FIELDS = 24 };
struct answer_line {
    const char *kind;
    const char *fields[ANSWER_FIELDS];
};

struct answer {
    GArray *lines;    /* of struct answer_line */
    char *text;       /* that they point into */
    unsigned lacking; /* lines left out: the daemon is of a version that tells less of them */
};

/* Takes TEXT (copied) apart, whatever it is. Lines that have fewer fields than are read of their
 * kind are left out: what is not said is no 0. To be emptied with answer_clear. */
void answer_parse(const char *text, struct answer *answer_r);
void answer_clear(struct answer *answer);

/* The INDEXth (from 0) line of that kind; NULL past the last. */
const struct answer_line *answer_line(const struct answer *answer, const char *kind, guint index);

/* The number in field INDEX; 0 where none is. */
int64_t answer_number(const struct answer_line *line, unsigned index);

#endif
