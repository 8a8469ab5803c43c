/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters of MIME fields such as Content-Type (RFC 2045 5.1), with RFC 2231's continuations
 * ("charset*0=", "charset*1=") and extended values ("charset*=us-ascii'en'x%20y").
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_MIMEPARAM_H
#define MAIL_MIMEPARAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Values longer than this, or in more pieces, are cut there. */
#define MIMEPARAM_VALUE_MAX  1024
#define MIMEPARAM_PIECES_MAX 32

/* The values of all parameters NAME (any case) of the field VALUE: quotes, backslashes and comments
 * resolved, pieces joined, percent signs decoded, charset and language of an extended value cut
 * off. First those in one piece, in their order (readers differ in which of several counts), then
 * the one in pieces. An array of strings, which the caller unrefs; empty if there is no such
 * parameter. */
GPtrArray *mimeparam_all(const char *value, size_t length, const char *name);

/* Puts the media type, "text/plain", lower case, into OUT. */
void mimeparam_type(const char *value, size_t length, GString *out);

#endif
