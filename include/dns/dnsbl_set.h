/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The DNS lists of one configuration: zones with filters, weights and what they are asked about.
 *
 * Threads: built by one thread; immutable once it is shared; the reference count may be used by
 * any thread.
 */
#ifndef DNS_DNSBL_SET_H
#define DNS_DNSBL_SET_H

#include <stdbool.h>

#include "base/problems.h"
#include "dns/dnsbl_filter.h"
#include "dns/dnsbl_key.h"

/* What a list is asked: client addresses, names, or hashes of e-mail addresses. */
enum dnsbl_kind { DNSBL_ADDRESS, DNSBL_NAME, DNSBL_HASH };

/* Where a key comes from; bits of a mask. */
enum dnsbl_place {
    DNSBL_CLIENT = 1, /* the client's address */
    DNSBL_HELO = 2,
    DNSBL_PTR = 4, /* the client's name */
    DNSBL_SENDER = 8,
    DNSBL_RECIPIENT = 16,
    DNSBL_FROM = 32,
    DNSBL_REPLY_TO = 64,
    DNSBL_REVERSE = 128, /* what the PTR record says, though it may be forged */
    DNSBL_ANYWHERE = 255,
};
#define DNSBL_PLACES 8 /* how many there are */

/* What may be asked before the message itself is there. */
#define DNSBL_ENVELOPE                                                                             \
    (DNSBL_CLIENT | DNSBL_HELO | DNSBL_PTR | DNSBL_REVERSE | DNSBL_SENDER | DNSBL_RECIPIENT)

/* A weight is at most this much to either side. */
#define DNSBL_WEIGHT_MAX 1000000
/* Most entries of a set. */
#define DNSBL_ENTRIES_MAX 1000

struct dnsbl_entry {
    char *text; /* as written */
    char *zone; /* as written */
    enum dnsbl_kind kind;
    enum dnsbl_hash hash; /* of kind DNSBL_HASH */
    bool filtered;
    struct dnsbl_filter filter; /* when filtered */
    int weight;
    unsigned places; /* of enum dnsbl_place */
};

struct dnsbl_set;

/* An empty set with one reference; given back by dnsbl_set_unref (accepts NULL). */
struct dnsbl_set *dnsbl_set_new(void);
struct dnsbl_set *dnsbl_set_ref(struct dnsbl_set *set);
void dnsbl_set_unref(struct dnsbl_set *set);

/* Each adds the entries of one text in their order and returns whether all of them were right;
 * what is wrong goes to PROBLEMS for FILE and LINE, and the other entries are added.
 *
 * dnsbl_sites:  zone[=filter][*weight], separated by commas or white space
 * rhsbl_sites:  zone[=filter][*weight][/place,...], separated by white space
 * hashbl_sites: zone[=filter][*weight][/place,...][:sha1|sha256|md5], separated by white space
 *
 * Without a weight it is 1, without places "sender", without a hash sha1 (the EBL's). A negative
 * weight without a filter is warned of. */
bool dnsbl_set_add_sites(struct dnsbl_set *set, const char *value, struct problems *problems,
                         const char *file, unsigned line);
bool dnsbl_set_add_rhsbl(struct dnsbl_set *set, const char *value, struct problems *problems,
                         const char *file, unsigned line);
bool dnsbl_set_add_hashbl(struct dnsbl_set *set, const char *value, struct problems *problems,
                          const char *file, unsigned line);

/* ZONE[=FILTER] of reject_rbl_client and its kin: one entry of weight 1 that is asked about keys
 * from any of PLACES. */
bool dnsbl_set_add_zone(struct dnsbl_set *set, enum dnsbl_kind kind, unsigned places,
                        const char *text, struct problems *problems, const char *file,
                        unsigned line);

/* ZONE[=FILTER][/PLACE,...] of the rule directive "dnsbl": without places the client's address,
 * else the names of those places. */
bool dnsbl_set_add_rule(struct dnsbl_set *set, const char *text, struct problems *problems,
                        const char *file, unsigned line);

unsigned dnsbl_set_count(const struct dnsbl_set *set);
const struct dnsbl_entry *dnsbl_set_get(const struct dnsbl_set *set, unsigned index);

/* The places that any entry asks about; 0 for an empty set. */
unsigned dnsbl_set_places(const struct dnsbl_set *set);

#endif
