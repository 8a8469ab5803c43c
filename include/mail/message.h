/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking a message file apart as an MTA does when it receives one (RFC 5322 2.1, 2.2): for tests
 * of rules on files, where no MTA hands over the fields.
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stddef.h>

#include "mail/header.h"

/* Fills HEADERS from the SIZE bytes at DATA and returns where the body begins (SIZE if there is
 * none). Lines end in LF or CR LF; an mbox "From " line on top is skipped; the first line that is
 * neither a field nor the continuation of one ends the header, as with Postfix and Sendmail, and
 * belongs to the body unless it is empty. Fields beyond the limits of the list are left out. */
size_t message_parse(const char *data, size_t size, struct header_list *headers);

#endif
