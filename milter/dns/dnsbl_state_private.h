/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What lookups tell the state of the lists, and ask it.
 *
 * Threads: as include/dns/dnsbl_state.h.
 */
#ifndef DNS_DNSBL_STATE_PRIVATE_H
#define DNS_DNSBL_STATE_PRIVATE_H

#include "dns/dnsbl_state.h"

struct dnsbl_list;

/* What came of one question. */
struct list_report {
    enum dnsbl_reason reason; /* DNSBL_FINE: it was answered properly */
    bool listed;
    bool cached;
    int64_t latency_us;
    uint64_t serial; /* of the question: one that several sessions waited for fails once */
};

/* A list is about to be asked. NULL if it must not be, with *REASON_R. Else the list, which lives
 * as long as the state; *PROBE_R is a question for the probe that listings have to wait for, with
 * WAKER, or NULL; answers older than *SINCE_R are not to be believed. */
struct dnsbl_list *list_begin(struct dnsbl_state *state, struct resolver *resolver,
                              const char *zone, enum dnsbl_kind kind, struct waker waker,
                              struct dns_question **probe_r, int64_t *since_r,
                              enum dnsbl_reason *reason_r);

void list_report(struct dnsbl_list *list, const struct list_report *report);

/* For tests: another clock, before the state is used. */
void state_set_clock(struct dnsbl_state *state, int64_t (*now)(void));

/* Why a list may not be believed now; DNSBL_FINE if it may. */
enum dnsbl_reason list_verdict(struct dnsbl_list *list);

#endif
