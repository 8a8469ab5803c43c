/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the DNS lists of a set say about one session or message. Keys are added when they are known
 * (the address at connect), which sends the questions; the results are collected where a
 * restriction needs them.
 *
 *     lookup = dnsbl_lookup_new(set, resolver, state, waker);
 *     dnsbl_lookup_add_address(lookup, &client);
 *     ...
 *     dnsbl_lookup_set_deadline(lookup, now + what is left of the budget);
 *     dnsbl_lookup_advance(lookup, DNSBL_ENVELOPE);
 *     if (dnsbl_lookup_pending(lookup, DNSBL_ENVELOPE))
 *         wait to be woken or for the deadline, then look again;
 *     dnsbl_lookup_sum(lookup, DNSBL_ENVELOPE, &sum);
 *
 * Nothing here waits. Questions of equal name are asked once; an entry counts once, whatever number
 * of codes and keys match it. A list that does not answer, or that the state does not believe, is
 * "unknown", never a listing.
 *
 * Threads: one thread at a time; the waker is called by the resolver's thread. Set, state and
 * resolver are alive until the lookup is freed (of the set it holds a reference).
 */
#ifndef DNS_DNSBL_LOOKUP_H
#define DNS_DNSBL_LOOKUP_H

#include "dns/dnsbl_set.h"
#include "dns/dnsbl_state.h"
#include "dns/resolver.h"

/* Most keys of one place (From: may carry any number of addresses). More are not asked, and the
 * place is one of dnsbl_lookup_unasked. */
#define DNSBL_KEYS_MAX 64
/* Most bytes of a list's text that are kept; Postfix cuts at this too. */
#define DNSBL_TEXT_MAX 500

struct dnsbl_lookup;

enum dnsbl_verdict {
    DNSBL_NOT_ASKED, /* no key that may be asked (private addresses, no name ...) */
    DNSBL_PENDING,
    DNSBL_LISTED,
    DNSBL_NOT_LISTED,
    DNSBL_UNKNOWN, /* see reason */
};

/* What one entry says. */
struct dnsbl_result {
    const struct dnsbl_entry *entry;
    enum dnsbl_verdict verdict;
    enum dnsbl_reason reason;        /* of DNSBL_UNKNOWN */
    enum dnsbl_place place;          /* of the key below */
    const char *what;                /* the key as it was added: address, name, e-mail address */
    struct ipaddr code;              /* when listed: the first address that counts */
    const struct dns_answer *answer; /* all there is; NULL without an answer */
    bool cached;
};

struct dnsbl_sum {
    int64_t sum;     /* of the weights of what is listed */
    int64_t lowest;  /* what the sum may still become while some are pending */
    int64_t highest; /* likewise */
    bool pending;
    int top; /* index of the listed entry with the largest weight, the first of equals; -1: none */
    bool top_open; /* a pending entry may take its place */
};

/* WAKER is called whenever an answer came in, possibly for each. */
struct dnsbl_lookup *dnsbl_lookup_new(struct dnsbl_set *set, struct resolver *resolver,
                                      struct dnsbl_state *state, struct waker waker);

/* Ends all questions; afterwards nobody is woken. No lock may be held that the waker takes.
 * Accepts NULL. */
void dnsbl_lookup_free(struct dnsbl_lookup *lookup);

/* Asks the lists of addresses that look at DNSBL_CLIENT. */
void dnsbl_lookup_add_address(struct dnsbl_lookup *lookup, const struct ipaddr *address);

/* Asks the lists of names that look at PLACE. What is no name that may be asked is left out. */
void dnsbl_lookup_add_name(struct dnsbl_lookup *lookup, enum dnsbl_place place, const char *name);

/* Asks the lists of names for the domain, and those of hashes for the address local@domain. */
void dnsbl_lookup_add_email(struct dnsbl_lookup *lookup, enum dnsbl_place place,
                            const char *address);

/* The places (bits) of which a list that looks at them was not asked about every key. */
unsigned dnsbl_lookup_unasked(const struct dnsbl_lookup *lookup);

/* Drops the keys of these places (bits), for the next message of the session. */
void dnsbl_lookup_forget(struct dnsbl_lookup *lookup, unsigned places);

/* After DEADLINE (us of the monotonic clock; 0: none, as at first) what is pending counts as
 * unknown. It may be moved; an answer that comes late still counts from then on. */
void dnsbl_lookup_set_deadline(struct dnsbl_lookup *lookup, int64_t deadline);

/* Takes in the answers about keys of these places that came since the last time, and what the
 * deadline means for those that did not; tells the lists' state how they did. What follows only
 * reads what was taken in: it stays the same until the next call (but for the deadline). */
void dnsbl_lookup_advance(struct dnsbl_lookup *lookup, unsigned places);

/* Whether an entry's verdict on keys of these places is still open. */
bool dnsbl_lookup_pending(const struct dnsbl_lookup *lookup, unsigned places);

/* What entry INDEX of the set (from 0) says about keys of these places. A listing of any key
 * counts before what is pending, that before what is unknown. */
void dnsbl_lookup_result(const struct dnsbl_lookup *lookup, unsigned index, unsigned places,
                         struct dnsbl_result *result_r);

/* The weighted sum over all entries. */
void dnsbl_lookup_sum(const struct dnsbl_lookup *lookup, unsigned places, struct dnsbl_sum *sum_r);

/* What became of one question, for the history. */
struct dnsbl_asked {
    const char *query; /* the name that was asked, key and zone */
    const char *zone;
    enum dnsbl_kind kind;
    enum dnsbl_place place; /* of the first key that led to it */
    const char *what;       /* that key */
    /* DNSBL_NOT_ASKED: the list was set aside; DNSBL_PENDING: nobody waited for the answer;
     * DNSBL_LISTED: there are codes, whether or not an entry minds them; DNSBL_UNKNOWN: see reason
     */
    enum dnsbl_verdict verdict;
    enum dnsbl_reason reason;
    const struct dns_answer *answer; /* NULL without an answer that counted */
    int64_t weight;                  /* what it adds to the sum */
};

/* Question INDEX, from 0; false past the last. As of the last dnsbl_lookup_advance. */
bool dnsbl_lookup_asked(const struct dnsbl_lookup *lookup, unsigned index,
                        struct dnsbl_asked *asked_r);

/* Asks for the text (TXT) that goes with the listing of entry INDEX; the waker is called when it is
 * there. The entry must be listed. Asking again does nothing. */
void dnsbl_lookup_ask_text(struct dnsbl_lookup *lookup, unsigned index, unsigned places);

/* Whether the text is still awaited (the deadline is minded). If not, *TEXT_R is a copy that the
 * caller frees, of at most DNSBL_TEXT_MAX bytes as the list sent them (several records are joined
 * by " / "), or NULL if there is none. */
bool dnsbl_lookup_text(const struct dnsbl_lookup *lookup, unsigned index, unsigned places,
                       char **text_r);

#endif
