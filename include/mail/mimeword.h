/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Encoded words in header fields (RFC 2047, with RFC 2231's language), read as SpamAssassin 4.0
 * reads them, so that rules written for it see the same text: broken words are decoded as far as
 * they go, neighbours of one charset are joined before they are converted, and raw 8-bit text
 * counts as UTF-8, else as windows-1252.
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_MIMEWORD_H
#define MAIL_MIMEWORD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* No more than this is decoded out of one field, whatever it holds. */
#define MIMEWORD_OUTPUT_MAX ((size_t)1 << 20)

struct mimeword {
    const char *charset; /* label, with the language if there is one; not NUL terminated */
    size_t charset_length;
    char encoding;    /* 'B' or 'Q' */
    const char *text; /* encoded text */
    size_t text_length;
    size_t length; /* of the whole word, from "=?" to "?=" */
};

/* Whether a complete encoded word begins at P (which has LENGTH bytes); fills *WORD_R. */
bool mimeword_at(const char *p, size_t length, struct mimeword *word_r);

/* Whether what begins at P is at least the head of an encoded word, "=?LABEL?B?" or "=?LABEL?Q?";
 * only the charset of *WORD_R is filled. A reader sees the label even where the rest is broken. */
bool mimeword_head_at(const char *p, size_t length, struct mimeword *word_r);

/* Appends the bytes that the word encodes, still in its charset. */
void mimeword_bytes(const struct mimeword *word, GString *out);

/* Appends VALUE with its encoded words decoded, as UTF-8. VALUE is unfolded text. */
void mimeword_decode(const char *value, size_t length, GString *out);

/* Appends the field's VALUE as a reader sees it: unfolded, without white space at its ends, raw
 * 8-bit text as UTF-8, encoded words decoded unless the field called NAME may hold none (RFC 2047
 * 5: Received, dates, message IDs). */
void mimeword_decode_field(const char *name, const char *value, size_t length, GString *out);

/* The same for a display name, which keeps white space at its ends. */
void mimeword_decode_name(const char *name, size_t length, GString *out);

#endif
