/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a session asks the DNS: its lists, and whether domains exist. Questions leave as soon as a
 * fact is known and are awaited only where a restriction needs the answer; all waits of a
 * connection together take no longer than its budget (dnsbl_timeout).
 *
 * Threads: one session, one thread at a time; the waker is called by the resolver's thread.
 */
#ifndef CHECKS_LOOKUPS_H
#define CHECKS_LOOKUPS_H

#include "checks/site.h"
#include "dns/dnsbl.h"
#include "dns/domaincheck.h"

struct lookups;

/* SITE, RESOLVER and STATE outlive the lookups. */
struct lookups *lookups_new(const struct site *site, struct resolver *resolver,
                            struct dnsbl_state *state, struct dns_waker waker);

/* Ends all questions. Accepts NULL. */
void lookups_free(struct lookups *lookups);

/* Which lists are meant: bits of a mask. */
enum lookups_group {
    LOOKUPS_WEIGHTED = 1, /* dnsbl_sites, rhsbl_sites, hashbl_sites */
    LOOKUPS_ZONES = 2,    /* those that restrictions and rules name */
};

/* Asks the lists of GROUPS about PLACES (enum dnsbl_place) that FACTS know by now and that they
 * were not asked about yet. */
void lookups_need(struct lookups *lookups, const struct facts *facts, unsigned groups,
                  unsigned places);

/* The facts of PLACES are others now: what was asked about them is forgotten. */
void lookups_forget(struct lookups *lookups, unsigned places);

/* The lists of dnsbl_sites, rhsbl_sites and hashbl_sites; NULL if there are none. */
struct dnsbl_lookup *lookups_weighted(struct lookups *lookups);

/* The lists that restrictions and rules name; NULL if there are none. */
struct dnsbl_lookup *lookups_zones(struct lookups *lookups);

/* Whether NAME exists, or receives mail. Asked once in a session. */
enum domaincheck_result lookups_domain(struct lookups *lookups, const char *name,
                                       enum domaincheck_kind kind);

/* Another message begins: it may wait as long as the first, unless the time ran out once. Then a
 * server is silent, or the client asks for names of his own that are, and nobody waits again. */
void lookups_renew(struct lookups *lookups);

/* The session begins to wait, goes on. In between lookups_deadline is when it must not wait any
 * longer, us of the monotonic clock. */
void lookups_wait_begin(struct lookups *lookups);
void lookups_wait_end(struct lookups *lookups);
int64_t lookups_deadline(const struct lookups *lookups);

/* Whether nothing may be waited for any more: the budget is used up. */
bool lookups_expired(const struct lookups *lookups);

#endif
