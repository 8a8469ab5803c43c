/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Collecting the listings of a session.
 */
#include "trial/dnshits.h"

#include "checks/dns_questions.h"

/* How long to sleep between looks; the session itself is not woken any more. */
#define LOOK_US (2 * G_TIME_SPAN_MILLISECOND)

static void hit_free(void *data)
{
    struct dns_hit *hit = data;
    g_free(hit->zone);
    g_free(hit->code);
    g_free(hit->what);
    g_free(hit);
}

void dns_hits_init(struct dns_hits *hits)
{
    *hits = (struct dns_hits){.hits = g_ptr_array_new_with_free_func(hit_free)};
}

void dns_hits_clear(struct dns_hits *hits)
{
    g_clear_pointer(&hits->hits, g_ptr_array_unref);
}

static void add_hits(struct dns_hits *hits, struct dnsbl_lookup *lookup,
                     const struct dnsbl_set *set, bool weighted)
{
    char text[IPADDR_TEXT_MAX];
    for (unsigned i = 0; i < dnsbl_set_count(set); i++) {
        struct dnsbl_result result;
        dnsbl_lookup_result(lookup, i, DNSBL_ANYWHERE, &result);
        if (result.verdict != DNSBL_LISTED)
            continue;
        struct dns_hit *hit = g_new0(struct dns_hit, 1);
        hit->zone = g_strdup(result.entry->zone);
        hit->code = g_strdup(ipaddr_format(&result.code, text));
        hit->what = g_strdup(result.what);
        hit->weight = weighted ? result.entry->weight : 0;
        hits->score += hit->weight;
        g_ptr_array_add(hits->hits, hit);
    }
}

/* Takes in what came, and says whether something is still to come. LOOKUP may be NULL. */
static bool is_pending(struct dnsbl_lookup *lookup)
{
    if (!lookup)
        return false;
    dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
    return dnsbl_lookup_pending(lookup, DNSBL_ANYWHERE);
}

void dns_hits_read(struct dns_hits *hits, const struct session *session)
{
    struct dns_questions *questions = session_dns_questions(session);
    const struct site *site = &session_policy(session)->site;
    if (!questions)
        return;
    struct dnsbl_lookup *weighted = dns_questions_weighted(questions),
                        *zones = dns_questions_zones(questions);
    int64_t end = g_get_monotonic_time() + site->dns_budget;
    bool open;
    do {
        open = is_pending(weighted);
        open |= is_pending(zones);
        if (open)
            g_usleep(LOOK_US);
    } while (open && g_get_monotonic_time() < end);
    if (weighted)
        add_hits(hits, weighted, site->dnsbl_weighted, true);
    if (zones)
        add_hits(hits, zones, site->dnsbl_zones, false);
}
