/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Content-Type: and Content-Transfer-Encoding: as their readers understand them: by RFC 2045, and
 * more leniently. Where readers differ, each of their readings is one.
 *
 * Threads: all functions are pure.
 */
#ifndef AUTOREPLY_MIME_FIELDS_H
#define AUTOREPLY_MIME_FIELDS_H

#include <glib.h>

/* Adds the readings of one Content-Type VALUE (on one line) to TYPES (char *, owned), unless they
 * are there: values as GMime takes them. A value that names no type and subtype is text/plain with
 * its parameters (RFC 2045 5.2), and "multipart" with a boundary is multipart/mixed, too. */
void mime_fields_type(GPtrArray *types, const char *value);

/* Encodings that a part's text may be in, bits so that readings can be summed. */
enum mime_encoding {
    MIME_IDENTITY = 1, /* 7bit, 8bit, binary, and what nobody knows */
    MIME_BASE64 = 2,
    MIME_QUOTED_PRINTABLE = 4,
    MIME_UUENCODE = 8,
};

/* The readings of one Content-Transfer-Encoding VALUE: comments, quotes and what follows the word
 * are looked past; of several words each is one. Never 0. */
unsigned mime_fields_encoding(const char *value);

#endif
