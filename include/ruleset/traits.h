/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What can be said of a message's charsets and scripts before any rule is asked.
 *
 * Threads: all functions are pure.
 */
#ifndef RULESET_TRAITS_H
#define RULESET_TRAITS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "mail/header.h"
#include "mail/script.h"

/* Most charsets that are kept of one message. */
#define TRAITS_CHARSETS_MAX 64

struct traits {
    GPtrArray *charsets; /* canonical names, each once, in the order in which they were met */
    bool raw8bit;        /* bytes above 127 stand raw in a field */
    struct script_counts scripts; /* of the subject and the names of From, Sender, Reply-To */
};

/* Fills *TRAITS_R, which the caller empties with traits_clear: charsets of the encoded words of
 * all fields, of Content-Type, and of the MIME parts within the LENGTH bytes of BODY (NULL: it was
 * not read). With SMTPUTF8 raw bytes that are UTF-8 are no raw8bit. */
void traits_read(const struct header_list *headers, const char *body, size_t length, bool smtputf8,
                 struct traits *traits_r);
void traits_clear(struct traits *traits);

/* Fields that are neither ASCII nor UTF-8 are in the charset that Content-Type names, if in any. If
 * HEADERS hold such fields and such a charset, returns a copy in which they are UTF-8, which the
 * caller frees; else NULL. */
struct header_list *traits_readable(const struct header_list *headers);

#endif
