/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing JSON (RFC 8259) into a GString, one line without white space. The writer puts the
 * commas; the caller closes what it opened. There is none behind a line feed, which the caller puts
 * between values that have a line each.
 *
 * By hand: it is a screenful, of which nothing is read back, and what clients send need not be
 * UTF-8, which the libraries refuse or pass on.
 *
 *   json_open(out, NULL, '{'); json_string(out, "file", name); json_close(out, '}');
 *
 * Threads: all functions are pure but for OUT.
 */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <glib.h>
#include <stdbool.h>

/* Opens an object ('{') or array ('['). In all functions KEY is the member's name inside an
 * object, NULL inside an array and outside of everything. */
void json_open(GString *out, const char *key, char bracket);
void json_close(GString *out, char bracket);

/* Text of a stranger: control characters are escaped, bytes that are not UTF-8 become U+FFFD each.
 * NULL is null. */
void json_string(GString *out, const char *key, const char *text);

/* At most DECIMALS digits behind the point, no needless zeros; what is not finite is null. */
void json_number(GString *out, const char *key, double number, unsigned decimals);

void json_integer(GString *out, const char *key, gint64 number);

/* WHEN (us since 1970) to the second, by RFC 3339 in UTC; null where no year of four digits has it.
 */
void json_time(GString *out, const char *key, gint64 when);
void json_bool(GString *out, const char *key, bool value);

#endif
