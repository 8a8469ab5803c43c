/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads DNS messages (RFC 1035 4). Whatever comes in is hostile: every length is checked, names
 * are followed backwards only, chains and records are bounded.
 *
 * Threads: pure.
 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "dns/dns_answer.h"

/* The answer to the question for NAME (valid, any case) and TYPE that the message of SIZE bytes
 * holds, CNAMEs followed. Never NULL: what cannot be read is DNS_FAILED. The caller owns it. */
struct dns_answer *dns_message_read(const uint8_t *data, size_t size, const char *name,
                                    enum dns_type type);

#endif
