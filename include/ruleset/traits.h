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

/* Most charsets that nobody knows which are kept of one message; those that have a name are all
 * kept. */
#define TRAITS_CHARSETS_MAX 64

struct traits {
    GPtrArray *charsets; /* canonical names, each once, in the order in which they were met */
    bool raw8bit;        /* bytes above 127 stand raw in a field */
    struct script_counts scripts; /* of the subject and the names of From, Sender, Reply-To */
    struct header_list *readable; /* see traits_readable */
};

/* Fills *TRAITS_R, which the caller empties with traits_clear: charsets of the encoded words of
 * all fields, of Content-Type, and of the MIME parts within the LENGTH bytes of BODY (NULL: it was
 * not read). With SMTPUTF8 raw bytes that are UTF-8 are no raw8bit. */
void traits_read(const struct header_list *headers, const char *body, size_t length, bool smtputf8,
                 struct traits *traits_r);
void traits_clear(struct traits *traits);

/* HEADERS as lenient readers show them, for who counts letters: fields that are neither ASCII nor
 * UTF-8 are read in the charset that a Content-Type names (without one, their 8-bit bytes are no
 * letters of any script), labels of encoded words as mimeword_relabel does. A copy, which the
 * caller frees; NULL if it would be no different. */
struct header_list *traits_readable(const struct header_list *headers);

#endif
