/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Resolvers that serve everybody. Operators of DNS lists count questions by who asks, and answer
 * those that ask for thousands of sites with nothing, or with an answer that looks like a listing.
 *
 * Threads: constant data.
 */
#ifndef DNS_PUBLIC_RESOLVERS_H
#define DNS_PUBLIC_RESOLVERS_H

#include <stdbool.h>

/* The address of SERVER ("ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT") if it is one of them, else
 * NULL. */
const char *public_resolver(const char *server);

/* Whether the list ZONE is of an operator who is known to refuse them, by his own documentation. */
bool public_resolver_is_refused(const char *zone);

/* The operator of the list ZONE where a customer's key, by which he is known whatever resolver he
 * has, stands in its name: a secret. NULL: none does, as far as is known. */
const char *public_resolver_keyed(const char *zone);

#endif
