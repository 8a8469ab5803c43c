/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The DNS lists that are in force, asked without the daemon: everything that gatepost would ask
 * about an address, a domain or an e-mail address, whatever restriction it is for, and what comes
 * of it.
 *
 * Threads: one thread at a time.
 */
#ifndef DNSLISTS_H
#define DNSLISTS_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dnsbl.h"
#include "policy/snapshot.h"

/* What a list says of a subject, or of itself. */
enum listing_state {
    LISTING_LISTED,
    LISTING_NOT_LISTED,
    LISTING_REFUSES,      /* it does not serve us, or somebody rewrites DNS */
    LISTING_NO_ANSWER,    /* in time, or one that tells nothing */
    LISTING_FAILED_PROBE, /* it lists what no list may list, so nothing it says counts */
};

struct listing {
    const struct dnsbl_entry *entry;
    const char *used_by; /* "dnsbl_sites", "reject_rbl_client" ... or the name of a rule; static
                            or of the snapshot */
    bool weighted;       /* counts for the sum with entry->weight; else it decides by itself */
    bool permits;        /* a listing is in favour of the client */
    enum listing_state state;
    const char *why;    /* static; NULL: nothing to be said */
    GPtrArray *codes;   /* of char *: all addresses of the answer */
    char *text;         /* when listed: what the list says of it; NULL: nothing */
    int64_t latency_us; /* -1: no answer */
    int zone_index;     /* in the main policy's dnsbl_zones; -1: not of it */
};

struct subject {
    char *text;           /* as given */
    enum dnsbl_kind kind; /* DNSBL_HASH: an e-mail address */
    bool is_private;      /* an address that no list is ever asked about */
    GPtrArray *listings;  /* of struct listing *, in the order of the settings */
    int64_t sum, threshold;
    bool listed;              /* by a list that is not in its favour */
    unsigned unanswered;      /* lists that told nothing of it, whether or not they answered */
    const struct listing *by; /* what would refuse it (or permit it, where nothing refuses); NULL */
    bool refused;             /* else BY permits */
    struct dnsbl_lookup **lookups; /* for dnslists.c */
};

/* The health of one list. */
struct probed {
    struct dnsbl_list_status *status;
    enum listing_state state; /* LISTING_LISTED is not among them: NOT_LISTED is well */
};

struct dnslists;

/* Prepares to ask what SNAPSHOT, which must outlive it, has its sessions ask. NULL if the resolver
 * cannot be started; PROBLEMS tells why. The caller frees it with dnslists_free (accepts NULL). */
struct dnslists *dnslists_new(const struct snapshot *snapshot, struct problems *problems);
void dnslists_free(struct dnslists *lists);

/* Whether any list is in force. */
bool dnslists_any(const struct dnslists *lists);

/* Reads an address (brackets allowed), a domain or an e-mail address; NULL if it is none of them.
 * The caller frees it with subject_free, before the lists. */
struct subject *subject_new(const char *text);
void subject_free(struct subject *subject);

/* Asks all lists about all SUBJECTS at once and fills them in; returns when all is known, or after
 * dnsbl_timeout. */
void dnslists_ask(struct dnslists *lists, struct subject *const *subjects, unsigned count);

/* Tests all lists as RFC 5782 5 says, now: an array of struct probed *, which the caller gives back
 * with g_ptr_array_unref. */
GPtrArray *dnslists_probe(struct dnslists *lists);

/* "listed", "not listed", "refuses to serve", "no answer", "failed its probe". */
const char *listing_state_text(enum listing_state state);

#endif
