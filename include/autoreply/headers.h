/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header of a message as the guard sees it: a question "the value of field NAME, its INDEXth
 * occurrence" that whoever keeps the header answers. The guard never holds a header itself.
 *
 * Threads: as the callback.
 */
#ifndef AUTOREPLY_HEADERS_H
#define AUTOREPLY_HEADERS_H

#include <stddef.h>

struct autoreply_headers {
    /* Value of the INDEXth (from 0, top to bottom) field NAME, compared without regard to case;
     * folded or not, with or without the space after the colon; NULL past the last. It stays
     * valid while the guard's function runs. */
    const char *(*get)(void *context, const char *name, unsigned index);
    void *context;
};

/* What is looked at of one value, and how many fields of one name: what lies beyond is not read. */
#define AUTOREPLY_VALUE_MAX  65536
#define AUTOREPLY_FIELDS_MAX 50

/* A copy of the INDEXth field NAME on one line (RFC 5322 2.2.3), trimmed, cut at
 * AUTOREPLY_VALUE_MAX; NULL if there is none. The caller frees it. */
char *autoreply_header_line(const struct autoreply_headers *headers, const char *name,
                            unsigned index);

/* The same with encoded words (RFC 2047) decoded, valid UTF-8, cut at 4096 bytes. */
char *autoreply_header_text(const struct autoreply_headers *headers, const char *name,
                            unsigned index);

#endif
