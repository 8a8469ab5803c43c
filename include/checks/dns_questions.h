/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a session asks the DNS: its lists, and whether domains exist. Questions leave as soon as a
 * fact is known and are awaited only where a restriction needs the answer; all waits of a
 * connection together take no longer than its budget for WAIT_DNS (dnsbl_timeout).
 *
 * Threads: one session, one thread at a time; the waker is called by the resolver's thread.
 */
#ifndef CHECKS_DNS_QUESTIONS_H
#define CHECKS_DNS_QUESTIONS_H

#include "base/wait_budget.h"
#include "checks/site.h"
#include "dns/dnsbl.h"
#include "dns/domaincheck.h"

struct dns_questions;

/* SITE, RESOLVER, STATE and BUDGET outlive the questions. */
struct dns_questions *dns_questions_new(const struct site *site, struct resolver *resolver,
                                        struct dnsbl_state *state, const struct wait_budget *budget,
                                        struct waker waker);

/* Ends all questions. Accepts NULL. */
void dns_questions_free(struct dns_questions *questions);

/* Which lists are meant: bits of a mask. */
enum dns_lists {
    DNS_LISTS_WEIGHTED = 1, /* dnsbl_sites, rhsbl_sites, hashbl_sites */
    DNS_LISTS_ZONES = 2,    /* those that restrictions and rules name */
};

/* Asks the lists of GROUPS about PLACES (enum dnsbl_place) that FACTS know by now and that they
 * were not asked about yet, and takes in what came of all that these places were asked about: what
 * is read of a lookup afterwards is what is known now. */
void dns_questions_ask(struct dns_questions *questions, const struct facts *facts, unsigned groups,
                       unsigned places);

/* The facts of PLACES are others now: what was asked about them is forgotten. */
void dns_questions_forget(struct dns_questions *questions, unsigned places);

/* The lists of dnsbl_sites, rhsbl_sites and hashbl_sites; NULL if there are none. */
struct dnsbl_lookup *dns_questions_weighted(struct dns_questions *questions);

/* The lists that restrictions and rules name; NULL if there are none. */
struct dnsbl_lookup *dns_questions_zones(struct dns_questions *questions);

/* Asks whether NAME exists, or receives mail, once in a session, and takes in what was answered;
 * what is known by then. */
enum domaincheck_result dns_questions_ask_domain(struct dns_questions *questions, const char *name,
                                                 enum domaincheck_kind kind);

/* Tells VISIT of each domain that was asked about, by its folded name, and what is known of it now.
 */
void dns_questions_domains(struct dns_questions *questions,
                           void (*visit)(void *data, const char *name, enum domaincheck_kind kind,
                                         enum domaincheck_result result),
                           void *data);

/* What is pending counts as "cannot tell" after DEADLINE, us of the monotonic clock; 0: nobody
 * waits, and what is asked later has the rest of the budget. */
void dns_questions_set_deadline(struct dns_questions *questions, int64_t deadline);

/* Whether nothing may be waited for any more: the budget is used up. */
bool dns_questions_expired(const struct dns_questions *questions);

#endif
