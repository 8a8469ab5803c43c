/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX regular expressions (IEEE 1003.1, XBD 9; with the escapes \w \W \s \S \b \B \< \> \` \' of
 * the GNU library) written anew for PCRE2. regexec(3) has no limit and may take hours and all
 * memory for a key that a client chose; PCRE2 can be told to give up.
 */
#ifndef LOOKUP_POSIX2PCRE_H
#define LOOKUP_POSIX2PCRE_H

#include <glib.h>
#include <stdbool.h>

enum {
    POSIX_EXTENDED = 1, /* else basic */
    POSIX_CASELESS = 2,
    POSIX_NEWLINE = 4, /* REG_NEWLINE: . and [^x] match no newline, ^ and $ match at newlines */
};

/* Longer patterns are refused, and those with groups nested deeper. */
#define POSIX_PATTERN_MAX (512u << 10)
#define POSIX_DEPTH_MAX   200u

/* PATTERN for pcre2_compile with PCRE2_DOTALL, and PCRE2_CASELESS if it was asked for here, and no
 * other option; for g_free. NULL with *WHY_R (static text) if it is malformed. *VAIN_R is the first
 * letter that has a backslash but no meaning of its own by it ("\\d"), NUL if there is none: it
 * stands for itself, but with POSIX_CASELESS a small one matches nothing, as in the GNU library. */
char *posix2pcre(const char *pattern, unsigned flags, char *vain_r, const char **why_r);

#endif
