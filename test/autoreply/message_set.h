/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the labelled collections *.msgs: messages, each behind
 *   %% NAME auto=yes bounce=yes quotes=no
 *   %sender PATH
 *   %rcpt PATH          (one or more)
 *   %note TEXT          (may lack)
 */
#ifndef TEST_MESSAGE_SET_H
#define TEST_MESSAGE_SET_H

#include <glib.h>
#include <stdbool.h>

#include "autoreply/body.h"
#include "autoreply/bounce_memory.h"
#include "autoreply/headers.h"
#include "autoreply/strip.h"

struct set_field {
    char *name, *value;
};

struct set_message {
    char *name, *sender;
    bool is_autoreply, to_bounce_sender, quotes_original;
    GPtrArray *recipients;
    GPtrArray *fields; /* struct set_field */
    GString *body;
};

/* The messages of the file PATH, in order; ends the test when it cannot be read. Bodies have CRLF
 * line ends if CRLF. The caller unrefs the array. */
GPtrArray *message_set_read(const char *path, bool crlf);

/* Takes TEXT apart into header fields and body. */
void message_set_parse(struct set_message *message, const char *text);
struct set_message *set_message_new(void);
void set_message_free(void *message);

/* The header of MESSAGE for the guard. */
struct autoreply_headers set_message_headers(struct set_message *message);

/* quotation_find, quotation_first_text, bounce_memory_judge and autoreply_strip of a message that
 * is taken apart for them. */
bool set_quotes(const struct autoreply_headers *headers, const char *body, size_t size,
                GPtrArray *evidence);
char *set_first_text(const struct autoreply_headers *headers, const char *body, size_t size);
bool set_repeats(struct bounce_memory *memory, const struct autoreply_headers *headers,
                 const char *body, size_t size, int64_t now, double *share_r, GPtrArray *evidence);
void set_strip(const struct autoreply_headers *headers, const struct autoreply_body *body,
               struct bounce_memory *memory, int64_t now, struct autoreply_stripped *stripped_r);

#endif
