/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which DNS lists a session met: those that its restrictions and rules asked, no others.
 */
#ifndef TRIAL_DNSHITS_H
#define TRIAL_DNSHITS_H

#include <glib.h>

#include "policy/session.h"

struct dns_hit {
    char *zone;
    char *code; /* the address that counts */
    char *what; /* what is listed: an address, a name, an e-mail address */
    int weight; /* 0: the list decides by itself, or for a rule, and adds nothing to the sum */
};

struct dns_hits {
    int64_t score;   /* the sum that reject_dnsbl compares; 0 where nobody asks for it */
    GPtrArray *hits; /* of struct dns_hit *, in the order of the settings */
};

void dns_hits_init(struct dns_hits *hits);
void dns_hits_clear(struct dns_hits *hits);

/* Fills HITS, which was initialised, from a session that has come to its end. What was asked and
 * not waited for, since the answer did not matter any more, is waited for now. */
void dns_hits_read(struct dns_hits *hits, const struct session *session);

#endif
