/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of DNS servers that a person wrote.
 *
 * Threads: pure.
 */
#ifndef MILTER_DNS_SERVERS_H
#define MILTER_DNS_SERVERS_H

#include <glib.h>

#include "base/ipaddr.h"
#include "base/problems.h"

struct dns_server {
    struct ipaddr address;
    unsigned port;
};

/* Reads the list; an array of struct dns_server, or NULL with errors in PROBLEMS. */
GArray *dns_servers_parse(const char *text, struct problems *problems, const char *file,
                          unsigned line);

#endif
