/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The beginning of a candidate's body, kept while its chunks come in (cut anywhere), up to a named
 * maximum. Nothing is judged before the end: MIME needs the whole of what there is.
 *
 * Threads: one thread at a time.
 */
#ifndef AUTOREPLY_BODY_H
#define AUTOREPLY_BODY_H

#include <glib.h>
#include <stdbool.h>

/* Most that is kept of one body. An auto-reply's own text is a few kilobytes and what it quotes
 * begins within or right after it; an attached original begins early too. */
#define AUTOREPLY_BODY_MAX (1024 * 1024)

struct autoreply_body {
    GString *data;
    size_t limit;
    bool truncated; /* more came than LIMIT: what lies beyond is not known */
};

/* Makes an empty one that keeps LIMIT bytes at most (0: AUTOREPLY_BODY_MAX); the caller empties it
 * with autoreply_body_clear. */
void autoreply_body_init(struct autoreply_body *body, size_t limit);
void autoreply_body_clear(struct autoreply_body *body);

/* Adds a chunk. Returns whether more is wanted: when not, the MTA may be told to send no more. Once
 * the limit is reached TRUNCATED is set by the first byte beyond it, so a caller that stops feeding
 * at "no" sets it itself unless it knows that nothing came. */
bool autoreply_body_feed(struct autoreply_body *body, const void *data, size_t size);

#endif
