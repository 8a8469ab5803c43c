/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Encoded words in header fields (RFC 2047, with RFC 2231's language), read as SpamAssassin 4.0
 * reads them, so that rules written for it see the same text: broken words are decoded as far as
 * they go, neighbours of one charset are joined before they are converted, and raw 8-bit text
 * counts as UTF-8, else as windows-1252. By hand, because GMime's reader does none of that: it
 * mends words in its own way, and leaves broken ones as they stand.
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

/* Longer labels are none. */
#define MIMEWORD_LABEL_MAX 256

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

/* Whether what begins at P is the head of an encoded word, "=?LABEL?B?" or "=?LABEL?Q?", as the
 * most lenient readers take it: anything up to the next "?" is a label (quoted, spaced, folded,
 * with signs that RFC 2047 forbids; charset_canonical makes a name of it), the letter may have
 * white space around it, and the rest of the word may be broken. All but the lengths of *WORD_R is
 * filled. A reader that judges by the text shown, not by a rule written for SpamAssassin, asks this
 * one. */
bool mimeword_label_at(const char *p, size_t length, struct mimeword *word_r);

/* Appends VALUE with each label that mimeword_label_at finds replaced by its canonical name, so
 * that the strict functions read what lenient readers show; by us-ascii, which gives 8-bit text no
 * letters, where nobody knows the charset. Text that is not the head of a word stays as it is. */
void mimeword_relabel(const char *value, size_t length, GString *out);

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
