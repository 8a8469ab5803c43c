/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reply filters of DNS lists as postscreen_dnsbl_sites has them (postconf(5)): four fields, each a
 * number or a set in brackets: "127.0.0.[2..11;14]", brackets around the whole allowed.
 *
 * Threads: values; all functions are pure.
 */
#ifndef DNS_DNSBL_FILTER_H
#define DNS_DNSBL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ipaddr.h"

struct dnsbl_filter {
    uint64_t octets[4][4]; /* a bit per value of each octet */
};

/* Reads a filter. false with *WHY_R (which the caller frees) when it is none. */
bool dnsbl_filter_parse(const char *text, struct dnsbl_filter *filter_r, char **why_r);

/* Whether ADDRESS, an IPv4 address, is one of those that the filter names. */
bool dnsbl_filter_match(const struct dnsbl_filter *filter, const struct ipaddr *address);

#endif
