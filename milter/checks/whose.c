/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose an address is. What the MTA says is believed where it can be: a macro that is no address
 * with a domain says nothing.
 */
#include "checks/whose.h"

#include <string.h>

#include "mail/resolution.h"

enum lookup_status whose_login_domain(const struct site *site, const char *domain)
{
    return site->login_domains && *domain ? match_list_find_domain(site->login_domains, domain)
                                          : LOOKUP_MISS;
}

static enum domain_place where(void *data, const char *domain)
{
    switch (whose_login_domain(data, domain)) {
    case LOOKUP_HIT:
        return DOMAIN_HERE;
    case LOOKUP_MISS:
        return DOMAIN_ELSEWHERE;
    default:
        return DOMAIN_CANNOT_TELL;
    }
}

void whose_typed(const struct site *site, const struct mail_address *typed,
                 struct meant_address *meant_r)
{
    struct resolution_site resolution = {.where = site->login_domains ? where : NULL,
                                         .data = (void *)(uintptr_t)(const void *)site,
                                         .origin = site->origin};
    meant_r->untold = !mail_address_resolve(typed, &resolution, &meant_r->address);
}

/* An address of the envelope as its macros tell of it. */
struct told {
    const char *mailer, *addr; /* NULL: absent */
};

static void take(struct meant_address *meant, struct mail_address *address)
{
    mail_address_clear(&meant->address);
    meant->address = *address;
    meant->untold = false;
    mail_address_set(&meant->address, NULL, meant->address.local, meant->address.domain);
    *address = (struct mail_address){0};
}

/* Sendmail tells of a local address who it is; where, what was typed says. What it tells helps
 * where that could not be read; where both differ, nobody knows. */
static void ask_sendmail(const struct site *site, const struct told *told,
                         struct mail_address *address, struct meant_address *meant)
{
    struct mail_address *own = &meant->address;
    bool local = told->mailer && strcmp(told->mailer, "local") == 0;
    if (!*told->addr || address->malformed || address->routed)
        return;
    if (!*address->domain && local && own->routed)
        own->malformed = true;
    if (!own->malformed)
        return;
    if (*address->domain) {
        take(meant, address);
    } else if (local && !own->routed && whose_login_domain(site, own->domain) == LOOKUP_HIT) {
        mail_address_set(address, NULL, address->local, own->domain);
        take(meant, address);
    }
}

static void find_meant(const struct site *site, const struct facts *facts,
                       const struct mail_address *typed, const struct told *told,
                       struct meant_address *meant_r)
{
    struct mail_address address;
    whose_typed(site, typed, meant_r);
    /* What comes without SMTP was resolved before it came. */
    if (!told->addr || facts->without_smtp || typed->null)
        return;
    /* The MTA says the same, as it mostly does. */
    const struct mail_address *own = &meant_r->address;
    if (!own->malformed && !own->routed && strcmp(told->addr, own->text) == 0 &&
        !strpbrk(told->addr, "\\\"()[]<>:,; \t\r\n"))
        return;
    /* What Sendmail says helps only where what was typed says too little. */
    if (facts->mta != MTA_POSTFIX && !own->malformed && !own->routed)
        return;
    mail_address_parse(told->addr, &address);
    if (facts->mta == MTA_POSTFIX) {
        /* Postfix resolves as smtpd's own restrictions do, and gives an address with a domain
         * always. An empty one is the null sender, unless somebody was typed who is none. */
        bool null = !*told->addr && (typed->malformed || !*typed->local);
        bool sound = *told->addr && !address.malformed && *address.domain;
        if (null || sound)
            take(meant_r, &address);
    } else {
        ask_sendmail(site, told, &address, meant_r);
    }
    mail_address_clear(&address);
}

void whose_sender(const struct site *site, struct facts *facts)
{
    struct told told = {facts->macros.mail_mailer, facts->macros.mail_addr};
    find_meant(site, facts, &facts->sender, &told, &facts->sender_meant);
}

void whose_recipient(const struct site *site, struct facts *facts)
{
    struct told told = {facts->macros.rcpt_mailer, facts->macros.rcpt_addr};
    find_meant(site, facts, &facts->recipient, &told, &facts->recipient_meant);
}

/* An address without a domain at the domains it may have. */
struct candidates {
    const struct mail_address *bare;
    bool (*visit)(void *data, const struct mail_address *address);
    void *data;
    bool stopped;
};

static bool visit_at(void *data, const char *domain)
{
    struct candidates *candidates = data;
    struct mail_address address = *candidates->bare;
    address.domain = domain;
    address.text = mail_address_key(&address);
    candidates->stopped = !candidates->visit(candidates->data, &address);
    g_free(address.text);
    return !candidates->stopped;
}

bool whose_each(const struct site *site, const struct meant_address *meant,
                bool (*visit)(void *data, const struct mail_address *address), void *data)
{
    const struct mail_address *address = &meant->address;
    if (!visit(data, address))
        return true;
    if (address->null || *address->domain)
        return !address->malformed;
    struct candidates candidates = {.bare = address, .visit = visit, .data = data};
    bool all = site->login_domains &&
               match_list_each_name(site->login_domains, WHOSE_DOMAINS_MAX, visit_at, &candidates);
    return candidates.stopped || (all && !address->malformed);
}

struct finding {
    const struct site *site;
    const struct table_list *tables;
    enum search_order order;
    GString *value;
    enum lookup_status status;
};

static bool find_one(void *data, const struct mail_address *address)
{
    struct finding *finding = data;
    finding->status =
        search_address(finding->tables, address, finding->order, finding->site->recipient_delimiter,
                       false, finding->value, NULL);
    return finding->status == LOOKUP_MISS;
}

enum lookup_status whose_find(const struct site *site, const struct table_list *tables,
                              const struct meant_address *meant, enum search_order order,
                              GString *value)
{
    struct finding finding = {site, tables, order, value, LOOKUP_MISS};
    if (meant->untold)
        return LOOKUP_ERROR;
    whose_each(site, meant, find_one, &finding);
    return finding.status;
}
