/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message from a file, as an MTA would show it to a milter.
 *
 * Threads: one thread at a time.
 */
#ifndef TRIAL_MESSAGEFILE_H
#define TRIAL_MESSAGEFILE_H

#include <glib.h>
#include <stdbool.h>

#include "mail/header.h"

/* A longer file is not read. */
#define MESSAGE_FILE_MAX ((size_t)256 << 20)

struct message_file {
    struct header_list *headers;
    char *mailbox_line; /* the "From " line that an mbox has on top, without line end; NULL: none */
    GString *body;      /* lines end in CR LF */
};

/* Reads the file PATH, or standard input for "-". false, with *WHY_R (freed by the caller), if it
 * cannot be read. */
bool message_file_read(const char *path, struct message_file *message_r, char **why_r);
void message_file_clear(struct message_file *message);

/* The envelope sender that the message speaks of: Return-Path, else the first address of From:. ""
 * is the null sender, NULL: nothing is said. The caller frees it. */
char *message_file_sender(const struct message_file *message);

#endif
