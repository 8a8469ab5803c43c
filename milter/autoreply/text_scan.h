/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quotation in plain text: quote marks, attributions, separators, header blocks. Works on UTF-8,
 * line by line; what it finds are ranges of lines, so that strip can take them out.
 *
 * Threads: all functions are pure.
 */
#ifndef AUTOREPLY_TEXT_SCAN_H
#define AUTOREPLY_TEXT_SCAN_H

#include <glib.h>

/* Lines that are looked at, and how much of one: no attribution is longer. What follows the last
 * is judged by what came before; strip takes it out. */
#define TEXT_LINES_MAX 100000
#define TEXT_LINE_LOOK 1000
/* Ranges that are kept; then the last one is extended to the end of the text. */
#define TEXT_FINDS_MAX 500

/* LAST of a find that runs to the end. */
#define TEXT_TO_END G_MAXUINT

struct text_find {
    const char *kind;     /* "quote-mark", "attribution", "separator", "header-block" */
    unsigned first, last; /* lines from 0, both inclusive */
    char mark[96];        /* the line that gave it away, folded, cut */
};

/* Finds quotation in TEXT[SIZE] (valid UTF-8 without NUL). Returns an array of struct text_find in
 * ascending order; the caller unrefs it. */
GArray *text_scan(const char *text, size_t size);

#endif
