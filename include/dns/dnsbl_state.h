/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How well each DNS list is, over all sessions and reloads. A list that lists everything, refuses
 * to serve us, is rewritten on its way or has fallen silent is set aside, probed with growing
 * pauses (RFC 5782 5) and used again when it is well.
 *
 * A list is probed beside the first question that it is asked, and again when the last probe is
 * DNSBL_PROBE_AGE old; a listing that comes meanwhile waits for the probe. A kind of key is part of
 * a list's name here: a zone that serves addresses and names is two lists.
 *
 * Threads: all functions may be called by any thread; locks inside. The state lives until after
 * all lookups that use it.
 */
#ifndef DNS_DNSBL_STATE_H
#define DNS_DNSBL_STATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/tally.h"
#include "dns/dnsbl_set.h"
#include "dns/resolver.h"

/* How long a probe vouches for a list: this is how long it may list everything unnoticed. */
#define DNSBL_PROBE_AGE (5 * G_TIME_SPAN_MINUTE)
/* When a probe had no answer, the next one follows after this. */
#define DNSBL_PROBE_RETRY G_TIME_SPAN_MINUTE
/* So many questions without an answer one after the other: the list is set aside. */
#define DNSBL_FAILURES_MAX 5
/* How long a list is set aside: at first, and at most; each failed probe doubles it. */
#define DNSBL_PAUSE_FIRST (30 * G_TIME_SPAN_SECOND)
#define DNSBL_PAUSE_MAX   G_TIME_SPAN_HOUR
/* A list that falls ill again within this goes on with the pause that it had reached. */
#define DNSBL_RELAPSE G_TIME_SPAN_HOUR
/* Most lists; those beyond are not asked. */
#define DNSBL_LISTS_MAX 1024

enum dnsbl_health {
    DNSBL_UNTRIED, /* never asked, or its first probe is under way */
    DNSBL_IN_USE,
    DNSBL_ASIDE,
};

enum dnsbl_reason {
    DNSBL_FINE,
    DNSBL_TIMED_OUT,    /* no answer in time */
    DNSBL_ERROR,        /* an answer that tells nothing (SERVFAIL, REFUSED, malformed ...) */
    DNSBL_REFUSES,      /* 127.255.255.0/24: it does not serve us */
    DNSBL_REWRITTEN,    /* an address outside 127.0.0.0/8: somebody rewrites DNS */
    DNSBL_LISTS_PROBE,  /* it lists 127.0.0.1 or INVALID, so it may list everything */
    DNSBL_SILENT,       /* a run of questions without an answer */
    DNSBL_NO_TEST_ENTRY /* 127.0.0.2 or TEST is not listed: a warning, the list is used */
};

enum dnsbl_test_entry { DNSBL_TEST_UNKNOWN, DNSBL_TEST_LISTED, DNSBL_TEST_MISSING };

/* A list has changed: one line for the log. */
struct dnsbl_event {
    const char *zone; /* lower case */
    enum dnsbl_kind kind;
    enum dnsbl_health health;
    enum dnsbl_reason reason; /* why; DNSBL_FINE when it is well again */
    const char *text;         /* the whole as a sentence without a line end; printable ASCII */
};

/* Called by any thread, with no lock held. */
typedef void (*dnsbl_event_fn)(void *data, const struct dnsbl_event *event);

struct dnsbl_list_status {
    char *zone;
    enum dnsbl_kind kind;
    enum dnsbl_health health;
    enum dnsbl_reason reason;
    enum dnsbl_test_entry test_entry;
    bool probing;       /* a probe is under way */
    int64_t asked_ago;  /* us since it was last asked; -1: never */
    int64_t probed_ago; /* us since a probe last had an answer; -1: never */
    int64_t retry_in;   /* us until a list set aside is probed again; 0: when it is next needed */
    uint64_t asked;     /* questions of sessions */
    uint64_t cached;    /* those answered from the cache */
    uint64_t listed;    /* answers that listed what was asked */
    uint64_t clean;     /* answers that did not */
    uint64_t errors;    /* no answer that tells anything; those refused among them */
    uint64_t refused;   /* answers by which the list refuses to serve us */
    uint64_t timeouts;
    uint64_t skipped;                              /* not asked while set aside */
    int64_t latency_p50, latency_p90, latency_p99; /* us, of answers from the network; -1: none */
    struct histogram times;                        /* of the same */
};

struct dnsbl_state;

/* EVENT may be NULL. */
struct dnsbl_state *dnsbl_state_new(dnsbl_event_fn event, void *data);
void dnsbl_state_free(struct dnsbl_state *state);

/* All lists that were ever asked, by zone and kind: an array of struct dnsbl_list_status that
 * frees its elements. */
GPtrArray *dnsbl_state_status(struct dnsbl_state *state);

/* The same of one list; NULL if it was never asked. The caller frees it with
 * dnsbl_list_status_free. */
struct dnsbl_list_status *dnsbl_state_list(struct dnsbl_state *state, const char *zone,
                                           enum dnsbl_kind kind);
void dnsbl_list_status_free(struct dnsbl_list_status *status);

/* Probes a list now, unless it is being probed. What comes of it is seen in its status. */
void dnsbl_state_probe(struct dnsbl_state *state, struct resolver *resolver, const char *zone,
                       enum dnsbl_kind kind);

/* Somebody may have mended something (other settings, other servers): lists that are set aside are
 * probed when they are next needed, not at the end of their pause. */
void dnsbl_state_retry(struct dnsbl_state *state);

/* "lists 127.0.0.1, which no list may ..." and the like: static text. */
const char *dnsbl_reason_text(enum dnsbl_reason reason, enum dnsbl_kind kind);

/* "untried", "in use", "set aside". */
const char *dnsbl_health_text(enum dnsbl_health health);

/* Judges one address of an answer by itself: DNSBL_REFUSES, DNSBL_REWRITTEN, else DNSBL_FINE. */
enum dnsbl_reason dnsbl_judge_code(const struct ipaddr *code);

#endif
