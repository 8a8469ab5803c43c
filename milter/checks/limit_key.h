/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a limit counts by, and its numbers as words: for limit.c.
 *
 * Threads: any.
 */
#ifndef LIMIT_KEY_H
#define LIMIT_KEY_H

#include "checks/limit.h"

/* A key, and how many of the message's recipients it stands for. */
struct limit_key {
    char *key;
    uint64_t recipients;
};

/* The keys of what FACTS show: at RCPT that of the recipient, at the end of a message those of all
 * recipients and From: addresses. None at all if a part of the key does not exist. To be unref'd.
 */
GArray *limit_keys(const struct site *site, const struct limit *limit, const struct facts *facts);

/* The /24 or /64 of an address, as a number. */
uint64_t limit_network(const struct ipaddr *address);

/* "700 recipients", "10 MB"; and "500", "10 MB". To be freed. */
char *limit_amount_text(const struct limit *limit, uint64_t n);
char *limit_bare_amount_text(const struct limit *limit, uint64_t n);

#endif
