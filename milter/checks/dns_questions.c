/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The DNS questions of a session.
 */
#include "checks/dns_questions.h"

#include <string.h>

#include "base/siphash.h"
#include "mail/header.h"
#include "mail/mailboxes.h"

/* Domains of a session whose existence is remembered; more are not asked but "cannot tell". */
enum { DOMAINS_MAX = 1000 };

struct dns_questions {
    const struct site *site;
    struct resolver *resolver;
    const struct wait_budget *budget;
    struct waker waker;
    struct dnsbl_lookup *weighted, *zones;
    unsigned weighted_asked, zones_asked; /* places that were added */
    GHashTable *domains;                  /* "kind:name" -> struct domaincheck * */
};

struct dns_questions *dns_questions_new(const struct site *site, struct resolver *resolver,
                                        struct dnsbl_state *state, const struct wait_budget *budget,
                                        struct waker waker)
{
    struct dns_questions *questions = g_new0(struct dns_questions, 1);
    questions->site = site;
    questions->resolver = resolver;
    questions->waker = waker;
    questions->budget = budget;
    if (dnsbl_set_count(site->dnsbl_weighted) > 0)
        questions->weighted = dnsbl_lookup_new(site->dnsbl_weighted, resolver, state, waker);
    if (dnsbl_set_count(site->dnsbl_zones) > 0)
        questions->zones = dnsbl_lookup_new(site->dnsbl_zones, resolver, state, waker);
    return questions;
}

void dns_questions_free(struct dns_questions *questions)
{
    if (!questions)
        return;
    dnsbl_lookup_free(questions->weighted);
    dnsbl_lookup_free(questions->zones);
    if (questions->domains)
        g_hash_table_unref(questions->domains);
    g_free(questions);
}

static void add_email(struct dnsbl_lookup *lookup, enum dnsbl_place place,
                      const struct mail_address *address)
{
    if (address->null || address->domain[0] == '\0')
        return;
    g_autofree char *key = mail_address_key(address);
    dnsbl_lookup_add_email(lookup, place, key);
}

/* Asks for whoever may be meant by a field; who names more than can be asked is noted. */
static void add_field(struct dnsbl_lookup *lookup, enum dnsbl_place place,
                      const struct header_list *headers, const char *name)
{
    const struct header *header = header_list_first(headers, name);
    for (; header; header = header->next_same) {
        struct mailboxes mailboxes;
        mailboxes_read(header->value, header->value_length, &mailboxes);
        for (guint i = 0; i < mailboxes.addresses->len; i++) {
            struct mail_address address;
            mail_address_parse(mailboxes.addresses->pdata[i], &address);
            add_email(lookup, place, &address);
            mail_address_clear(&address);
        }
        mailboxes_clear(&mailboxes);
    }
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

/* Adds what the facts know of PLACES, and was not added yet. */
static void add_places(struct dnsbl_lookup *lookup, const struct facts *facts, unsigned places,
                       unsigned *asked)
{
    places &= known_places(facts) & ~*asked;
    if (places & DNSBL_CLIENT)
        dnsbl_lookup_add_address(lookup, &facts->address);
    if (places & DNSBL_PTR && strcmp(facts->client_name, "unknown") != 0)
        dnsbl_lookup_add_name(lookup, DNSBL_PTR, facts->client_name);
    if (places & DNSBL_REVERSE && strcmp(facts->reverse_name, "unknown") != 0)
        dnsbl_lookup_add_name(lookup, DNSBL_REVERSE, facts->reverse_name);
    if (places & DNSBL_HELO)
        dnsbl_lookup_add_name(lookup, DNSBL_HELO, facts->helo);
    if (places & DNSBL_SENDER)
        add_email(lookup, DNSBL_SENDER, &facts->sender_meant.address);
    if (places & DNSBL_RECIPIENT)
        add_email(lookup, DNSBL_RECIPIENT, &facts->recipient_meant.address);
    if (places & DNSBL_FROM)
        add_field(lookup, DNSBL_FROM, facts->message->headers, "From");
    if (places & DNSBL_REPLY_TO)
        add_field(lookup, DNSBL_REPLY_TO, facts->message->headers, "Reply-To");
    *asked |= places;
}

void dns_questions_ask(struct dns_questions *questions, const struct facts *facts, unsigned groups,
                       unsigned places)
{
    if (questions->weighted && (groups & DNS_LISTS_WEIGHTED)) {
        add_places(questions->weighted, facts, places, &questions->weighted_asked);
        dnsbl_lookup_advance(questions->weighted, places);
    }
    if (questions->zones && (groups & DNS_LISTS_ZONES)) {
        add_places(questions->zones, facts, places, &questions->zones_asked);
        dnsbl_lookup_advance(questions->zones, places);
    }
}

void dns_questions_forget(struct dns_questions *questions, unsigned places)
{
    if (questions->weighted_asked & places)
        dnsbl_lookup_forget(questions->weighted, places);
    if (questions->zones_asked & places)
        dnsbl_lookup_forget(questions->zones, places);
    questions->weighted_asked &= ~places;
    questions->zones_asked &= ~places;
}

struct dnsbl_lookup *dns_questions_weighted(struct dns_questions *questions)
{
    return questions->weighted;
}

struct dnsbl_lookup *dns_questions_zones(struct dns_questions *questions)
{
    return questions->zones;
}

static void free_domain(void *data)
{
    domaincheck_free(data);
}

enum domaincheck_result dns_questions_ask_domain(struct dns_questions *questions, const char *name,
                                                 enum domaincheck_kind kind)
{
    if (!questions->domains)
        questions->domains =
            g_hash_table_new_full(siphash_string, g_str_equal, g_free, free_domain);
    g_autofree char *folded = mail_domain_fold(name);
    g_autofree char *key = g_strdup_printf("%d:%s", (int)kind, folded);
    struct domaincheck *check = g_hash_table_lookup(questions->domains, key);
    if (!check && g_hash_table_size(questions->domains) >= DOMAINS_MAX)
        return DOMAINCHECK_CANNOT_TELL;
    if (!check) {
        check = domaincheck_new(questions->resolver, folded, kind, questions->waker);
        g_hash_table_insert(questions->domains, g_steal_pointer(&key), check);
    }
    domaincheck_advance(check);
    enum domaincheck_result result = domaincheck_result(check);
    return result == DOMAINCHECK_PENDING && dns_questions_expired(questions)
               ? DOMAINCHECK_CANNOT_TELL
               : result;
}

void dns_questions_domains(struct dns_questions *questions,
                           void (*visit)(void *data, const char *name, enum domaincheck_kind kind,
                                         enum domaincheck_result result),
                           void *data)
{
    GHashTableIter iter;
    void *key, *check;
    if (!questions->domains)
        return;
    g_hash_table_iter_init(&iter, questions->domains);
    while (g_hash_table_iter_next(&iter, &key, &check)) {
        const char *name = strchr(key, ':') + 1;
        enum domaincheck_kind kind = (enum domaincheck_kind)g_ascii_strtoull(key, NULL, 10);
        enum domaincheck_result result = domaincheck_result(check);
        if (result == DOMAINCHECK_PENDING && dns_questions_expired(questions))
            result = DOMAINCHECK_CANNOT_TELL;
        visit(data, name, kind, result);
    }
}

void dns_questions_set_deadline(struct dns_questions *questions, int64_t deadline)
{
    if (questions->weighted)
        dnsbl_lookup_set_deadline(questions->weighted, deadline);
    if (questions->zones)
        dnsbl_lookup_set_deadline(questions->zones, deadline);
}

bool dns_questions_expired(const struct dns_questions *questions)
{
    return wait_budget_expired(questions->budget, WAIT_DNS);
}
