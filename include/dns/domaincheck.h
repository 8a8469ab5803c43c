/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a domain can receive mail, or a host name exists at all, as Postfix's reject_unknown_...
 * restrictions ask it: an MX record or an address; for a host also an MX record.
 *
 * Threads: one thread at a time; the waker is called by the resolver's thread.
 */
#ifndef DNS_DOMAINCHECK_H
#define DNS_DOMAINCHECK_H

#include "dns/resolver.h"

struct domaincheck;

enum domaincheck_kind {
    DOMAINCHECK_MAIL, /* sender and recipient domains: MX, else A or AAAA; a null MX counts */
    DOMAINCHECK_HOST, /* HELO names: A or AAAA, else MX; a null MX is an MX */
};

enum domaincheck_result {
    DOMAINCHECK_PENDING,
    DOMAINCHECK_EXISTS,
    DOMAINCHECK_NULL_MX,     /* accepts no mail (RFC 7505) */
    DOMAINCHECK_NOT_FOUND,   /* neither address nor MX */
    DOMAINCHECK_MALFORMED,   /* its MX records name no host: "Malformed DNS server reply" */
    DOMAINCHECK_CANNOT_TELL, /* some answer failed, and none says that it exists */
};

/* Asks about NAME, whose internationalised labels are asked in ASCII. What can be no name is not
 * found. WAKER may be called several times. Freed by domaincheck_free (accepts NULL). */
struct domaincheck *domaincheck_new(struct resolver *resolver, const char *name,
                                    enum domaincheck_kind kind, struct waker waker);
void domaincheck_free(struct domaincheck *check);

/* Sends the second questions where the first have found nothing; for whoever is woken. */
void domaincheck_advance(struct domaincheck *check);

/* What is known as of the last advance. At a deadline of one's own, pending is "cannot tell". */
enum domaincheck_result domaincheck_result(const struct domaincheck *check);

#endif
