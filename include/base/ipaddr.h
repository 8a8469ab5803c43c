/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IP addresses and networks. The address of a client that is an IPv4 address mapped into IPv6
 * (::ffff:192.0.2.1) is the IPv4 address from the moment it is read: no list can be walked around
 * by coming the other way. A pattern or an address literal is what is written: as in Postfix, none
 * in IPv6's form speaks of an IPv4 address.
 *
 * Threads: values; all functions are pure.
 */
#ifndef BASE_IPADDR_H
#define BASE_IPADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ipaddr {
    enum ip_family family;
    uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest are 0 */
};

struct ipnet {
    struct ipaddr address;
    unsigned prefix; /* bits: 0..32 or 0..128 */
};

/* Room for the longest text of ipaddr_format, its NUL included. */
#define IPADDR_TEXT_MAX 46

/* Reads an address: "192.0.2.1", "2001:db8::1"; with an "IPv6:" prefix too, as MTAs and address
 * literals write it (RFC 5321 4.1.3). No white space, no brackets, no zone. false if it is none. */
bool ipaddr_parse(const char *text, struct ipaddr *address_r);

/* The same for what an administrator or a stranger writes to be compared, not for a client's
 * address: a mapped IPv4 address stays an IPv6 one. */
bool ipaddr_parse_written(const char *text, struct ipaddr *address_r);

/* Takes the address of a socket; false for a family that is neither. */
bool ipaddr_from_sockaddr(const struct sockaddr *sockaddr, struct ipaddr *address_r);

/* Canonical text (RFC 5952 for IPv6, without "IPv6:"); "" for IP_NONE. Returns BUFFER. */
const char *ipaddr_format(const struct ipaddr *address, char buffer[IPADDR_TEXT_MAX]);

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b);
bool ipaddr_is_loopback(const struct ipaddr *address);

/* Whether the address means nothing outside: loopback, private (RFC 1918, RFC 4193), link-local,
 * unspecified, shared (RFC 6598), multicast or reserved. No public list knows such an address. */
bool ipaddr_is_private(const struct ipaddr *address);

/* Reads "ADDRESS", "ADDRESS/BITS", with brackets around the address or all of it if wished
 * ("[::1]/128", "[2001:db8::/32]"), as it is written: "::ffff:0:0/96" holds no IPv4 address. Bits
 * outside the prefix must be zero, as Postfix demands. Returns false with *WHY_R (static text) if
 * it is no network. */
bool ipnet_parse(const char *text, struct ipnet *net_r, const char **why_r);

bool ipnet_contains(const struct ipnet *net, const struct ipaddr *address);

#endif
