/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where mail for a domain goes: its MX hosts (RFC 5321 5.1, RFC 7505), their addresses, and the
 * TLSA records that DANE has for them (RFC 7672 2 and 3). "Cannot tell" is never "none".
 *
 * Threads: an mx_domain belongs to one thread at a time, and is immutable once looked up.
 */
#ifndef SURVEY_MX_H
#define SURVEY_MX_H

#include "asker.h"

/* Most hosts of a domain, and addresses of a host, that are asked. */
enum { MX_HOSTS_MAX = 32, MX_ADDRESSES_MAX = 32 };

struct mx_host {
    unsigned preference;
    char *name;  /* in lower case */
    char *alias; /* what it is an alias for; NULL: it is none */
    const char
        *state; /* "ok" "implicit-mx" "mx-is-alias" "mx-is-address" "no-address" "servfail" */
    const char *reason; /* static text; NULL: nothing to add */
    struct ipaddr *addresses;
    size_t address_count;
    /* "none" "insecure" "bogus" "lookup-failed" "unusable"; "usable" where there are records to
     * compare; NULL: DNSSEC is not known here */
    const char *dane;
    const char *dane_reason;       /* static text or NULL */
    char *dane_base;               /* the name that the records are for, and that is asked by SNI */
    const struct dns_answer *tlsa; /* holds what RECORDS point into */
    struct dns_tlsa *records;      /* those that can be used */
    size_t record_count;
};

struct mx_domain {
    char *name;
    const char *state;  /* "ok" "implicit-mx" "null-mx" "nxdomain" "no-address" "servfail" */
    const char *reason; /* static text or NULL */
    int secure;         /* of the MX records: 0, 1, -1: not known here */
    GPtrArray *hosts;   /* of struct mx_host, by preference */
};

/* Looks everything up. NAME in ASCII, lower case, without a trailing dot. mx_domain_free accepts
 * NULL. */
struct mx_domain *mx_look_up(struct asker *asker, const char *name);
void mx_domain_free(struct mx_domain *domain);

/* Whether a record is one that DANE for SMTP knows: usage 2 or 3, selector 0 or 1, matching 0, or 1
 * and 2 with as many bytes as the digest has (RFC 7672 3.1, 3.2). */
bool mx_tlsa_usable(const struct dns_tlsa *record);

/* "3 1 1 0f3a..."; the caller frees it. */
char *mx_tlsa_text(const struct dns_tlsa *record);

#endif
