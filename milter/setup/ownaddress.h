/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The addresses of this machine, as address literals: mail for user@[192.0.2.1] is local where
 * 192.0.2.1 is.
 *
 * Threads: any; the system is asked.
 */
#ifndef OWNADDRESS_H
#define OWNADDRESS_H

#include <glib.h>

#include "base/ipaddr.h"

#define OWNADDRESS_MAX 64 /* more are left out */

/* The addresses (struct ipaddr) of the interfaces that are up, without link-local ones. The caller
 * frees the array, and it its elements. */
GPtrArray *ownaddress_list(void);

/* "[192.0.2.1]", "[IPv6:2001:db8::1]"; the caller frees it. */
char *ownaddress_literal(const struct ipaddr *address);

#endif
