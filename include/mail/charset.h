/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of character sets (IANA's registry and iconv's aliases) and the conversion of bytes in
 * any of them to UTF-8, whatever state they are in.
 *
 * Threads: may be called by many at once; the pool of converters locks itself.
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Longer labels are cut: no registered name comes near. */
#define CHARSET_NAME_MAX 64

/* Writes the canonical name of the charset LABEL to BUFFER: IANA's preferred MIME name in lower
 * case ("cp1251", "CSWINDOWS1251" -> "windows-1251"). An RFC 2231 language suffix
 * ("koi8-r*ru") is cut off; white space, quotes and signs in it do not matter. A label that nobody
 * knows is given in lower case as it is; bytes other than printable ASCII become '?'. Returns
 * BUFFER. */
const char *charset_canonical(const char *label, size_t length, char buffer[CHARSET_NAME_MAX]);

/* Whether NAME (canonical) is in the table or known to iconv. */
bool charset_is_known(const char *name);

/* Whether NAME (canonical) is in the table: one of so many that a list of them is bounded. */
bool charset_is_listed(const char *name);

/* How many canonical names the table holds at most. */
size_t charset_count(void);

/* Whether text can be converted from the charset called NAME (canonical): some have a name alone
 * ("unknown-8bit"), and charset_to_utf8 reads them as windows-1252. */
bool charset_can_convert(const char *name);

/* Appends the LENGTH bytes at BYTES, which are in the charset called NAME (canonical), to OUT as
 * valid UTF-8. What the charset does not have becomes U+FFFD. As mail readers and SpamAssassin
 * do, iso-8859-1 is read as windows-1252, and so is a charset that iconv does not know. */
void charset_to_utf8(const char *name, const char *bytes, size_t length, GString *out);

/* Takes one character off the front of LENGTH bytes: returns its code, or -1 if the bytes are
 * not UTF-8; *USED_R is how many bytes it took (for bad ones: the longest part that began well,
 * at least 1; a surrogate is one bad character, as for Perl). NUL is a character. */
int charset_utf8_next(const char *bytes, size_t length, size_t *used_r);

/* Whether none of LENGTH bytes is above 127. */
bool charset_is_ascii(const char *bytes, size_t length);

/* Whether all LENGTH bytes are valid UTF-8. */
bool charset_is_utf8(const char *bytes, size_t length);

#endif
