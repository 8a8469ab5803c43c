/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small questions about text that several layers ask: splitting a list as Postfix does, escaping
 * what a stranger sent, suggesting the name that was meant, appending fast.
 *
 * Threads: all functions are pure.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A copy of TEXT in which control characters, DEL, bytes that are not valid UTF-8 and Unicode's
 * line, direction and other format characters are written \n, \t, \xNN or \u{NNNN}, and a backslash
 * as \\, so that it stays one line and cannot pretend to be anything else. The caller frees it. */
char *text_escape(const char *text);

/* Columns of a terminal that TEXT takes, which is UTF-8 and was made safe by text_escape: those of
 * East Asia take two, combining ones none. */
size_t text_columns(const char *text);

/* Bytes of such a TEXT whose whole characters fit into COLUMNS. */
size_t text_fit(const char *text, size_t columns);

/* Appends TEXT, made safe, to OUT and ends the line. Lines end before COLUMNS are full, behind a
 * space or comma where there is one; all begin in column INDENT (the first is there already). */
void text_wrap(GString *out, const char *text, size_t indent, size_t columns);

/* A copy of TEXT for an SMTP reply: printable ASCII alone, every other byte becomes '?', white
 * space a space; cut at LIMIT bytes. RFC 5321 4.2, RFC 6531 3.7.4.2. The caller frees it. */
char *text_reply_safe(const char *text, size_t limit);

/* Splits VALUE at commas and white space, except inside braces, whose content stays one word with
 * its braces (postconf(5), "inline:{a=b, c=d}"). Returns an array of strings that frees its
 * elements, or NULL with *WHY_R (static) when braces do not match. */
GPtrArray *text_split_list(const char *value, const char **why_r);

/* The same, but separated by white space alone (a comma belongs to the word). */
GPtrArray *text_split_words(const char *value, const char **why_r);

/* The one of COUNT names, in lower case, nearest to NAME by letters inserted, removed, changed or
 * swapped, or NAME without a prefix (smtpd_...); NULL if none is near enough to be what was meant
 * (a third of its length). Case does not count. */
const char *text_nearest(const char *name, const char *const *names, size_t count);

/* Appends SIZE bytes to OUT: g_string_append_len without its many questions, for what is done a
 * hundred times a message. */
static inline void text_append(GString *out, const void *bytes, size_t size)
{
    if (out->len + size >= out->allocated_len) {
        g_string_append_len(out, bytes, (gssize)size);
        return;
    }
    memcpy(out->str + out->len, bytes, size);
    out->len += size;
    out->str[out->len] = '\0';
}

/* Whether TEXT is one or more digits and nothing else. */
bool text_is_number(const char *text);

/* Whether TEXT is UTF-8 and has a letter beyond ASCII that is capital or small: a pattern that sees
 * bytes takes the two for different ones, whatever its flags say. */
bool text_has_wide_case(const char *text);

/* What is said of a pattern in which that is so. */
#define TEXT_WIDE_CASE_REMARK                                                                      \
    "patterns see bytes, so that beyond ASCII capital and small letters differ, and [...] holds "  \
    "single bytes: write both, as in (п|П)"

#endif
