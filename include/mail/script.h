/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which scripts a text is written in: its letters counted by Unicode's Script property (UAX 24).
 * Letters of the scripts Common and Inherited count for none. GLib has the property, and the codes
 * of ISO 15924, but no names; libunistring has the names, but no codes, and an older Unicode in
 * Debian 12.
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_SCRIPT_H
#define MAIL_SCRIPT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* One more than the largest value of GUnicodeScript that is counted. */
#define SCRIPT_MAX 192

struct script_counts {
    size_t letters;        /* of all scripts together */
    size_t of[SCRIPT_MAX]; /* by GUnicodeScript */
};

/* Adds the letters of the UTF-8 TEXT to *COUNTS; bytes that are not UTF-8 count for nothing. */
void script_count(const char *text, size_t length, struct script_counts *counts);

/* The script called NAME ("Cyrillic", "Old_Italic", "Cyrl"; case, spaces, "_" and "-" do not
 * matter); -1 if there is none that can be counted. */
int script_find(const char *name);

/* Unicode's name of a script ("Cyrillic"); NULL if it has none. */
const char *script_name(int script);

/* The names that occur most, for suggestions; *COUNT_R is how many. */
const char *const *script_names(size_t *count_r);

#endif
