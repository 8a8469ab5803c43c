/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding the charsets that a message names: in encoded words, Content-Type fields, MIME parts,
 * and by raw 8-bit bytes.
 *
 * Threads: all functions are pure.
 */
#ifndef RULESET_CHARSET_SCAN_H
#define RULESET_CHARSET_SCAN_H

#include <glib.h>
#include <stdbool.h>

#include "source.h"

struct charset_scan {
    GPtrArray *charsets; /* canonical names, each once; of those that nobody knows
                          * TRAITS_CHARSETS_MAX at most, which crowd out no other */
    bool raw8bit;
    GHashTable *seen; /* the same names */
    unsigned unknown;
};

/* An empty scan, which the caller empties again with charset_scan_clear. */
void charset_scan_init(struct charset_scan *scan);
void charset_scan_clear(struct charset_scan *scan);

/* Adds what one field names. */
void charset_scan_field(const struct header *field, bool smtputf8, struct charset_scan *scan);

/* Adds what the fields that a source names hold, whatever its modifiers are. */
void charset_scan_source(const struct source *source, const struct ruleset_message *message,
                         struct charset_scan *scan);

/* Adds the charsets of the MIME parts in BODY; CONTENT_TYPE is the message's own field or NULL. */
void charset_scan_parts(const struct header *content_type, const char *body, size_t length,
                        struct charset_scan *scan);

#endif
