/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks as cidr tables and match lists write them.
 */
#ifndef LOOKUP_NETWORK_H
#define LOOKUP_NETWORK_H

#include "base/ipaddr.h"

/* As ipnet_parse. Returns NULL, or what is wrong with the remedy, for g_free. */
char *network_parse(const char *text, struct ipnet *net_r);

#endif
