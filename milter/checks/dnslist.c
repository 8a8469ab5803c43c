/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions that ask DNS lists. A list that does not answer, or is set aside, never refuses.
 */
#include "restrictions.h"

#include <string.h>

#include "checks/dns_questions.h"

/* How a listing of a key from this place is told. */
static const struct place_text {
    enum dnsbl_place place;
    const char *class;
} place_texts[] = {
    {DNSBL_CLIENT, "Client host"},
    {DNSBL_PTR, "Client host"},
    {DNSBL_REVERSE, "Unverified Client host"},
    {DNSBL_HELO, "Helo command"},
    {DNSBL_SENDER, "Sender address"},
    {DNSBL_RECIPIENT, "Recipient address"},
    {DNSBL_FROM, "From address"},
    {DNSBL_REPLY_TO, "Reply-To address"},
};

static const char *place_class(enum dnsbl_place place)
{
    for (size_t i = 0; i < G_N_ELEMENTS(place_texts); i++)
        if (place_texts[i].place == place)
            return place_texts[i].class;
    return "Client host";
}

/* "554 5.7.1 Service unavailable; Client host [ADDR] blocked using ZONE; TXT" */
static enum check_result refuse_listed(struct check *check, struct dnsbl_lookup *lookup,
                                       unsigned index, unsigned places)
{
    struct dnsbl_result result;
    bool secret;
    dnsbl_lookup_result(lookup, index, places, &result);
    const char *zone = result.entry->zone;
    g_autofree char *shown = site_shown_list(check->site, zone, &secret);
    g_autofree char *text = NULL;
    if (!shown && !secret) {
        dnsbl_lookup_ask_text(lookup, index, places);
        if (dnsbl_lookup_text(lookup, index, places, &text) &&
            !dns_questions_expired(check->dns_questions))
            return check_wait(check, WAIT_DNS);
    }
    return check_refuse(check, 554, "5.7.1", "Service unavailable; %s [%s] blocked using %s%s%s",
                        place_class(result.place), result.what,
                        secret  ? "a DNS list"
                        : shown ? shown
                                : zone,
                        text ? "; " : "", text ? text : "");
}

enum check_result run_reject_dnsbl(struct check *check)
{
    struct dnsbl_lookup *lookup =
        check->dns_questions ? dns_questions_weighted(check->dns_questions) : NULL;
    if (!lookup)
        return CHECK_DUNNO;
    unsigned places = DNSBL_ENVELOPE & ~(unsigned)DNSBL_RECIPIENT;
    if (check->facts->message)
        places |= DNSBL_FROM | DNSBL_REPLY_TO;
    dns_questions_ask(check->dns_questions, check->facts, DNS_LISTS_WEIGHTED, places);
    int64_t threshold = site_dnsbl_threshold(check->site, check->facts);
    struct dnsbl_sum sum;
    dnsbl_lookup_sum(lookup, places, &sum);
    /* Once the sum is reached for good, only which list is named may still be open. */
    bool open = sum.pending && sum.highest >= threshold && (sum.lowest < threshold || sum.top_open);
    if (open && !dns_questions_expired(check->dns_questions))
        return check_wait(check, WAIT_DNS);
    if (sum.sum < threshold || sum.top < 0)
        return dnsbl_lookup_unasked(lookup) & places ? check_too_many_addresses(check)
                                                     : CHECK_DUNNO;
    return refuse_listed(check, lookup, (unsigned)sum.top, places);
}

enum listing { LISTING_WAIT, LISTING_YES, LISTING_NO, LISTING_UNKNOWN };

/* What the list that the restriction names says; the key's place is the entry's. */
static enum listing ask_zone(struct check *check)
{
    struct dnsbl_lookup *lookup =
        check->dns_questions ? dns_questions_zones(check->dns_questions) : NULL;
    if (!lookup)
        return LISTING_NO;
    unsigned index = check->argument->zone;
    unsigned places = dnsbl_set_get(check->site->dnsbl_zones, index)->places;
    dns_questions_ask(check->dns_questions, check->facts, DNS_LISTS_ZONES, places);
    struct dnsbl_result result;
    dnsbl_lookup_result(lookup, index, places, &result);
    switch (result.verdict) {
    case DNSBL_LISTED:
        return LISTING_YES;
    case DNSBL_PENDING:
        return dns_questions_expired(check->dns_questions) ? LISTING_UNKNOWN : LISTING_WAIT;
    case DNSBL_UNKNOWN:
        return LISTING_UNKNOWN;
    default:
        return LISTING_NO;
    }
}

enum check_result run_reject_listed(struct check *check)
{
    unsigned index = check->argument->zone;
    switch (ask_zone(check)) {
    case LISTING_WAIT:
        return check_wait(check, WAIT_DNS);
    case LISTING_YES:
        return refuse_listed(check, dns_questions_zones(check->dns_questions), index,
                             dnsbl_set_get(check->site->dnsbl_zones, index)->places);
    default:
        return CHECK_DUNNO;
    }
}

/* A list that praises a client opens no relay: as in Postfix, it permits mail for this site only,
 * and what it may have praised while it does not answer is put off, not refused. */
enum check_result run_permit_listed(struct check *check)
{
    const struct facts *facts = check->facts;
    if (facts->has_recipient &&
        site_destination(check->site, &facts->recipient) != DESTINATION_LOCAL)
        return CHECK_DUNNO;
    switch (ask_zone(check)) {
    case LISTING_WAIT:
        return check_wait(check, WAIT_DNS);
    case LISTING_YES:
        return CHECK_PERMIT;
    case LISTING_UNKNOWN:
        if (!check->effects->defer_if_reject)
            check->effects->defer_if_reject =
                check_format_reply(450, "4.7.1", "<%s>: %s rejected: Service unavailable",
                                   check->subject, check->subject_class);
        return CHECK_DUNNO;
    default:
        return CHECK_DUNNO;
    }
}
