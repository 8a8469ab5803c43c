/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes quotation out of one text. The result holds none that the scanners would find.
 *
 * Threads: as strip.
 */
#ifndef AUTOREPLY_STRIP_TEXT_H
#define AUTOREPLY_STRIP_TEXT_H

#include "autoreply/bounce_memory.h"

struct strip_context {
    struct bounce_memory *memory; /* NULL unless the message repeats remembered lines */
    int64_t now;
    unsigned lines;    /* removed from plain text */
    unsigned elements; /* removed from HTML */
    unsigned repeated; /* lines removed because they are remembered */
    unsigned messages; /* attached or returned parts */
    unsigned others;   /* parts nobody can look through, or that the cut goes through */
};

/* TEXT (UTF-8) without its quotation; NULL if there was none. The caller frees it. */
char *strip_plain(struct strip_context *context, const char *text, size_t size);
char *strip_html(struct strip_context *context, const char *source, size_t size);

#endif
