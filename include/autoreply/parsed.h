/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message taken apart once, for all the questions that are asked of its parts. Where its header
 * can be read in several ways (two Content-Type fields, a type that is none), it is taken apart by
 * each.
 *
 * Threads: one thread at a time.
 */
#ifndef AUTOREPLY_PARSED_H
#define AUTOREPLY_PARSED_H

#include <stddef.h>

#include "autoreply/headers.h"

struct autoreply_parsed;

/* Most ways that are tried; a message with more of them counts as one that quotes. */
#define AUTOREPLY_READINGS_MAX 8

/* Takes apart BODY[SIZE], what was seen of the body, under the MIME fields of HEADERS. Borrows BODY
 * until the call ends. Never NULL; the caller frees it with autoreply_parsed_free (which accepts
 * NULL). */
struct autoreply_parsed *autoreply_parse(const struct autoreply_headers *headers, const char *body,
                                         size_t size);
void autoreply_parsed_free(struct autoreply_parsed *parsed);

#endif
