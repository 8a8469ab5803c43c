/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a DNS list is asked: the part of the name before the zone (RFC 5782 2).
 *
 * Threads: all functions are pure.
 */
#ifndef DNS_DNSBL_KEY_H
#define DNS_DNSBL_KEY_H

#include "base/ipaddr.h"

enum dnsbl_hash { DNSBL_SHA1, DNSBL_SHA256, DNSBL_MD5 };

/* "9.113.0.203" for 203.0.113.9, 32 nibbles for IPv6. NULL for an address that no list can know:
 * none, loopback, private, link-local, multicast (ipaddr_is_private). The caller frees it. */
char *dnsbl_key_for_address(const struct ipaddr *address);

/* The domain in lower case, internationalised labels in ASCII (RFC 5890), without a trailing dot.
 * NULL for what is no host name, an address or its literal, or ends in a number: lists of names
 * answer such a question with an error or a listing. The caller frees it. */
char *dnsbl_key_for_domain(const char *domain);

/* The hash of the address's canonical form: SHA-1 and MD5 in lower-case hexadecimal, SHA-256, whose
 * 64 digits are too long for a label, in base 32 (RFC 4648 6, lower case, without padding). NULL
 * without a local part or a domain that can be a key. The caller frees it. */
char *dnsbl_key_for_email(const char *address, enum dnsbl_hash hash);

/* The form that the EBL (msbl.org) hashes: lower case, the tag cut off ("+tag"; "-tag" at Yahoo),
 * googlemail as gmail, whose local parts have no dots. ADDRESS is local@domain, the local part
 * without quotes. NULL as above. The caller frees it. */
char *dnsbl_canonical_email(const char *address);

#endif
