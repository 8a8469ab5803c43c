/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The DNS questions of a session.
 */
#include "checks/lookups.h"

#include <string.h>

#include "mail/addrlist.h"
#include "mail/header.h"

/* Domains of a session whose existence is remembered; more are not asked but "cannot tell". */
enum { DOMAINS_MAX = 1000 };

struct lookups {
    const struct site *site;
    struct resolver *resolver;
    struct dns_waker waker;
    struct dnsbl_lookup *weighted, *zones;
    unsigned weighted_asked, zones_asked; /* places that were added */
    GHashTable *domains;                  /* "kind:name" -> struct domaincheck * */
    int64_t left;                         /* of the budget, us */
    int64_t waiting_from;                 /* 0: not waiting */
};

struct lookups *lookups_new(const struct site *site, struct resolver *resolver,
                            struct dnsbl_state *state, struct dns_waker waker)
{
    struct lookups *lookups = g_new0(struct lookups, 1);
    lookups->site = site;
    lookups->resolver = resolver;
    lookups->waker = waker;
    lookups->left = site->dns_budget;
    if (dnsbl_set_count(site->dnsbl_weighted) > 0)
        lookups->weighted = dnsbl_lookup_new(site->dnsbl_weighted, resolver, state, waker);
    if (dnsbl_set_count(site->dnsbl_zones) > 0)
        lookups->zones = dnsbl_lookup_new(site->dnsbl_zones, resolver, state, waker);
    return lookups;
}

void lookups_free(struct lookups *lookups)
{
    if (!lookups)
        return;
    dnsbl_lookup_free(lookups->weighted);
    dnsbl_lookup_free(lookups->zones);
    if (lookups->domains)
        g_hash_table_unref(lookups->domains);
    g_free(lookups);
}

static void add_address(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    dnsbl_lookup_add_address(lookup, &facts->address);
}

static void add_client_name(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    if (strcmp(facts->client_name, "unknown") != 0)
        dnsbl_lookup_add_name(lookup, DNSBL_PTR, facts->client_name);
}

static void add_reverse_name(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    if (strcmp(facts->reverse_name, "unknown") != 0)
        dnsbl_lookup_add_name(lookup, DNSBL_REVERSE, facts->reverse_name);
}

static void add_helo(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    dnsbl_lookup_add_name(lookup, DNSBL_HELO, facts->helo);
}

static void add_email(struct dnsbl_lookup *lookup, enum dnsbl_place place,
                      const struct mail_address *address)
{
    if (address->null || address->domain[0] == '\0')
        return;
    g_autofree char *key = mail_address_key(address);
    dnsbl_lookup_add_email(lookup, place, key);
}

static void add_sender(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    add_email(lookup, DNSBL_SENDER, &facts->sender);
}

static void add_recipient(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    add_email(lookup, DNSBL_RECIPIENT, &facts->recipient);
}

static void add_field(struct dnsbl_lookup *lookup, enum dnsbl_place place,
                      const struct header_list *headers, const char *name)
{
    const struct header *header = header_list_first(headers, name);
    for (; header; header = header->next_same) {
        g_autoptr(GPtrArray) entries = addrlist_parse(header->value, header->value_length);
        for (guint i = 0; i < entries->len && i < DNSBL_KEYS_MAX; i++) {
            const struct addrlist_entry *entry = entries->pdata[i];
            if (entry->address)
                dnsbl_lookup_add_email(lookup, place, entry->address);
        }
    }
}

static void add_from(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    add_field(lookup, DNSBL_FROM, facts->message->headers, "From");
}

static void add_reply_to(struct dnsbl_lookup *lookup, const struct facts *facts)
{
    add_field(lookup, DNSBL_REPLY_TO, facts->message->headers, "Reply-To");
}

/* Which of the places the facts know. What the client's address and name say on an untrusted
 * listener is not its own. */
static unsigned known_places(const struct facts *facts)
{
    unsigned places = 0;
    if (!facts->untrusted && !facts->without_smtp)
        places |= DNSBL_CLIENT | DNSBL_PTR | DNSBL_REVERSE;
    if (facts->helo)
        places |= DNSBL_HELO;
    if (facts->in_message)
        places |= DNSBL_SENDER;
    if (facts->has_recipient)
        places |= DNSBL_RECIPIENT;
    if (facts->message)
        places |= DNSBL_FROM | DNSBL_REPLY_TO;
    return places;
}

static const struct {
    enum dnsbl_place place;
    void (*add)(struct dnsbl_lookup *lookup, const struct facts *facts);
} place_rows[] = {
    {DNSBL_CLIENT, add_address}, {DNSBL_PTR, add_client_name},   {DNSBL_REVERSE, add_reverse_name},
    {DNSBL_HELO, add_helo},      {DNSBL_SENDER, add_sender},     {DNSBL_RECIPIENT, add_recipient},
    {DNSBL_FROM, add_from},      {DNSBL_REPLY_TO, add_reply_to},
};

static void add_places(struct dnsbl_lookup *lookup, const struct facts *facts, unsigned places,
                       unsigned *asked)
{
    places &= known_places(facts) & ~*asked;
    for (size_t i = 0; i < G_N_ELEMENTS(place_rows); i++)
        if (places & place_rows[i].place)
            place_rows[i].add(lookup, facts);
    *asked |= places;
}

void lookups_need(struct lookups *lookups, const struct facts *facts, unsigned groups,
                  unsigned places)
{
    if (lookups->weighted && (groups & LOOKUPS_WEIGHTED))
        add_places(lookups->weighted, facts, places, &lookups->weighted_asked);
    if (lookups->zones && (groups & LOOKUPS_ZONES))
        add_places(lookups->zones, facts, places, &lookups->zones_asked);
}

void lookups_forget(struct lookups *lookups, unsigned places)
{
    if (lookups->weighted_asked & places)
        dnsbl_lookup_forget(lookups->weighted, places);
    if (lookups->zones_asked & places)
        dnsbl_lookup_forget(lookups->zones, places);
    lookups->weighted_asked &= ~places;
    lookups->zones_asked &= ~places;
}

struct dnsbl_lookup *lookups_weighted(struct lookups *lookups)
{
    return lookups->weighted;
}

struct dnsbl_lookup *lookups_zones(struct lookups *lookups)
{
    return lookups->zones;
}

static void free_domain(void *data)
{
    domaincheck_free(data);
}

enum domaincheck_result lookups_domain(struct lookups *lookups, const char *name,
                                       enum domaincheck_kind kind)
{
    if (!lookups->domains)
        lookups->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_domain);
    g_autofree char *folded = mail_domain_fold(name);
    g_autofree char *key = g_strdup_printf("%d:%s", (int)kind, folded);
    struct domaincheck *check = g_hash_table_lookup(lookups->domains, key);
    if (!check && g_hash_table_size(lookups->domains) >= DOMAINS_MAX)
        return DOMAINCHECK_CANNOT_TELL;
    if (!check) {
        check = domaincheck_new(lookups->resolver, folded, kind, lookups->waker);
        g_hash_table_insert(lookups->domains, g_steal_pointer(&key), check);
    }
    enum domaincheck_result result = domaincheck_result(check);
    return result == DOMAINCHECK_PENDING && lookups_expired(lookups) ? DOMAINCHECK_CANNOT_TELL
                                                                     : result;
}

static void set_deadline(struct lookups *lookups, int64_t deadline)
{
    if (lookups->weighted)
        dnsbl_lookup_set_deadline(lookups->weighted, deadline);
    if (lookups->zones)
        dnsbl_lookup_set_deadline(lookups->zones, deadline);
}

void lookups_renew(struct lookups *lookups)
{
    if (lookups->left > 0)
        lookups->left = lookups->site->dns_budget;
}

void lookups_wait_begin(struct lookups *lookups)
{
    if (lookups->waiting_from)
        return;
    lookups->waiting_from = g_get_monotonic_time();
    set_deadline(lookups, lookups_deadline(lookups));
}

void lookups_wait_end(struct lookups *lookups)
{
    if (!lookups->waiting_from)
        return;
    lookups->left -= g_get_monotonic_time() - lookups->waiting_from;
    lookups->waiting_from = 0;
    /* Nobody waits: what is asked later has the rest of the budget, not this wait's end. */
    set_deadline(lookups, 0);
}

int64_t lookups_deadline(const struct lookups *lookups)
{
    return lookups->waiting_from ? lookups->waiting_from + MAX(lookups->left, 0) : 0;
}

bool lookups_expired(const struct lookups *lookups)
{
    if (!lookups->waiting_from)
        return lookups->left <= 0;
    return g_get_monotonic_time() >= lookups_deadline(lookups);
}
