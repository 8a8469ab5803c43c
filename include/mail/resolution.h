/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an MTA makes of an address that was typed: whom it delivers to, whose it is. Postfix and
 * Sendmail take user%host, host!user, "user@host"@here and user@host@here apart for as long as the
 * domain is one of their own (resolve_local in Postfix, class w in Sendmail), whether the local
 * part was quoted or not, and add their own domain where there is none.
 *
 * Threads: all functions are pure, but for what the caller's WHERE does.
 */
#ifndef MAIL_RESOLUTION_H
#define MAIL_RESOLUTION_H

#include "mail/address.h"

enum domain_place { DOMAIN_HERE, DOMAIN_ELSEWHERE, DOMAIN_CANNOT_TELL };

struct resolution_site {
    /* Whether the MTA takes addresses at DOMAIN (folded) apart; NULL: nobody knows. */
    enum domain_place (*where)(void *data, const char *domain);
    void *data;
    const char *origin; /* what the MTA adds where there is no domain; NULL or "": nobody knows */
};

/* Fills *MEANT_R, which the caller empties with mail_address_clear: text is local@domain, the
 * domain is "" if there was none and nobody knows the origin; routed tells that something for
 * another host to take apart is left; malformed that no MTA's reading explains TYPED wholly. false,
 * with TYPED's own reading marked as malformed, if WHERE cannot tell. */
bool mail_address_resolve(const struct mail_address *typed, const struct resolution_site *site,
                          struct mail_address *meant_r);

#endif
