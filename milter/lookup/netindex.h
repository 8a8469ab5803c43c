/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of many networks is the first that holds an address: a table of prefixes, asked once for
 * each length that occurs, so that a hundred thousand networks cost no more than ten.
 *
 * Threads: immutable once it is filled.
 */
#ifndef LOOKUP_NETINDEX_H
#define LOOKUP_NETINDEX_H

#include "base/ipaddr.h"

/* What netindex_first says when none does. */
#define NETINDEX_NONE UINT32_MAX

struct netindex;

struct netindex *netindex_new(void);
void netindex_free(struct netindex *index); /* accepts NULL */

/* Adds a network, which must outlive the index and stay where it is, with its place; of equal ones
 * the least place counts. */
void netindex_add(struct netindex *index, const struct ipnet *net, uint32_t place);

/* The least place of a network that holds ADDRESS, or NETINDEX_NONE. */
uint32_t netindex_first(const struct netindex *index, const struct ipaddr *address);

#endif
