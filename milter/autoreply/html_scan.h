/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quotation in HTML: the elements by which clients mark it, and the text for text_scan, in which
 * every line knows where it came from. A tolerant scanner, not a parser: it never recurses and
 * looks at each byte once. By hand, because what a mail is made to look like by nested tags, and
 * what it was, must be told apart without a tree: libxml2's and gumbo's grow with their input, and
 * neither says which bytes a text came from.
 *
 * Threads: all functions are pure.
 */
#ifndef AUTOREPLY_HTML_SCAN_H
#define AUTOREPLY_HTML_SCAN_H

#include <glib.h>

/* Open elements that are remembered, longest tag that is looked at, ranges that are kept. */
#define HTML_DEPTH_MAX 256
#define HTML_TAG_MAX   2048
#define HTML_FINDS_MAX 500

struct html_find {
    const char *kind;  /* "blockquote", "html-class", "html-border" */
    size_t start, end; /* bytes of the source; END is past the last */
    unsigned line;     /* of the source, from 1 */
    char mark[96];     /* the tag, cut */
};

struct html_line {
    size_t start, end; /* bytes of the source from which the line was made */
    unsigned line;     /* of the source, from 1 */
};

struct html {
    GString *text; /* UTF-8, lines ended by \n, text inside quoting elements behind "> " */
    GArray *lines; /* struct html_line, one for each line of TEXT */
    GArray *finds; /* struct html_find in ascending order, not overlapping */
};

/* Scans SOURCE[SIZE] (valid UTF-8 without NUL); free with html_clear. */
void html_scan(const char *source, size_t size, struct html *html_r);
void html_clear(struct html *html);

/* End tags for the elements that are open at byte OFFSET of SOURCE, innermost first, so that a cut
 * from there to the end leaves a whole document. The caller frees it. */
char *html_closers(const char *source, size_t size, size_t offset);

#endif
