/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Envelope addresses (RFC 5321 4.1.2, RFC 6531) as MTAs hand them to a milter: with or without
 * angle brackets, with source routes, quoted local parts, percent hacks, bang paths.
 *
 * Threads: values; all functions are pure.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321 4.5.3.1.3 allows a path of 256 octets, Sendmail 8.17 some more; what is longer is
 * malformed and nothing that it could be compared with. */
#define MAIL_ADDRESS_MAX 1024

struct mail_address {
    char *text;        /* owned, and the memory of the other two: without brackets and source route:
                          local@domain as given; "" if null */
    const char *local; /* local part, quotes and backslashes resolved; case as given */
    const char
        *domain;    /* lower case (ASCII, else Unicode case folding), no trailing dot; "" if none */
    bool null;      /* the null sender: <> or nothing */
    bool routed;    /* sender-specified routing: the local part holds % ! or @ or a further route */
    bool malformed; /* more or less than an address: no permit may rest on it, it is never local;
                     * local and domain are what a lenient MTA is thought to read */
};

/* Takes apart what the MTA gave as argument of MAIL or RCPT, without ESMTP parameters. Always
 * fills *ADDRESS_R, which the caller empties with mail_address_clear. A source route
 * (<@a,@b:user@c>) is cut off (RFC 5321 appendix C): what remains decides. */
void mail_address_parse(const char *path, struct mail_address *address_r);

/* Fills the three texts anew with copies; TEXT may be NULL: LOCAL@DOMAIN, or LOCAL where there is
 * no domain. Nothing else of *ADDRESS changes. They may be texts of the same address. */
void mail_address_set(struct mail_address *address, const char *text, const char *local,
                      const char *domain);

/* Frees what the address holds and makes it the empty one. */
void mail_address_clear(struct mail_address *address);

/* local@domain with the domain folded, "local" without one, "" for the null sender. The caller
 * frees it. This is the form that tables are asked for. */
char *mail_address_key(const struct mail_address *address);

/* Whether LOCAL (quotes resolved) and DOMAIN (folded) can be the parts of an address: neither is
 * empty, and the domain is a name or a literal. */
bool mail_address_is_sound(const char *local, const char *domain);

/* Whether DOMAIN is what mail_domain_fold would make of it, as most are. */
bool mail_domain_is_folded(const char *domain);

/* A copy of DOMAIN, lower case and without its trailing dot. The caller frees it. */
char *mail_domain_fold(const char *domain);

/* LOCAL without its extension, which any of DELIMITERS begins (NULL, "": none do); NULL if it has
 * none. postmaster, mailer-daemon and double-bounce have none, nor have owner-x and x-request by
 * "-", as in Postfix. The caller frees it. */
char *mail_local_bare(const char *local, const char *delimiters);

#endif
