/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MX records, addresses, TLSA records.
 */
#include "mx.h"

#include <stdlib.h>
#include <string.h>

#include "mail/hostname.h"

static void host_free(void *data)
{
    struct mx_host *host = data;
    g_free(host->name);
    g_free(host->alias);
    g_free(host->addresses);
    g_free(host->dane_base);
    g_free(host->records);
    dns_answer_unref(host->tlsa);
    g_free(host);
}

void mx_domain_free(struct mx_domain *domain)
{
    if (!domain)
        return;
    g_free(domain->name);
    g_ptr_array_unref(domain->hosts);
    g_free(domain);
}

bool mx_tlsa_usable(const struct dns_tlsa *record)
{
    static const size_t digest[] = {0, 32, 64};
    return (record->usage == 2 || record->usage == 3) && record->selector <= 1 &&
           record->matching <= 2 && record->length > 0 &&
           (record->matching == 0 || record->length == digest[record->matching]);
}

char *mx_tlsa_text(const struct dns_tlsa *record)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%u %u %u ", record->usage, record->selector, record->matching);
    for (size_t i = 0; i < MIN(record->length, 64); i++)
        g_string_append_printf(text, "%02x", record->data[i]);
    if (record->length > 64)
        g_string_append(text, "...");
    return g_string_free(text, FALSE);
}

/* ---- TLSA ---- */

/* Looks at _25._tcp.BASE; false if there is nothing, so that another name may be tried. */
static bool look_at_base(struct asker *asker, struct mx_host *host, const char *base)
{
    g_autofree char *name = g_strconcat("_25._tcp.", base, NULL);
    const struct dns_answer *answer = asker_ask(asker, name, DNS_TLSA);
    bool found = true;
    if (answer->state == DNS_FAILED) {
        host->dane =
            asker_why_failed(asker, name, DNS_TLSA) == ASKER_BOGUS ? "bogus" : "lookup-failed";
        host->dane_reason = dns_failure_text(answer->failure);
    } else if (answer->state != DNS_ANSWERED) {
        host->dane = "none";
        found = false;
    } else if (!answer->authenticated) {
        host->dane = "insecure";
        host->dane_reason = "the TLSA records are not covered by DNSSEC";
    } else {
        host->tlsa = dns_answer_ref(answer);
        host->records = g_new(struct dns_tlsa, answer->count);
        for (size_t i = 0; i < answer->count; i++)
            if (mx_tlsa_usable(&answer->tlsa[i]))
                host->records[host->record_count++] = answer->tlsa[i];
        host->dane = host->record_count > 0 ? "usable" : "unusable";
    }
    if (found)
        host->dane_base = g_strdup(base);
    dns_answer_unref(answer);
    return found;
}

/* RFC 7672 2.2.2: records at the name that an alias leads to come first if all on the way there is
 * covered, then those at the name itself. Nothing is asked below names that are not signed: servers
 * that cannot answer for TLSA stand there. */
static void look_up_dane(struct asker *asker, const struct mx_domain *domain, struct mx_host *host,
                         const struct dns_answer *v4, const struct dns_answer *v6)
{
    bool failed = host->address_count == 0 && (v4->state == DNS_FAILED || v6->state == DNS_FAILED);
    bool secure = v4->authenticated || v6->authenticated;
    if (!asker->validates) {
        host->dane_reason = "DNSSEC: not known here";
    } else if (!domain->secure) {
        host->dane = "insecure";
        host->dane_reason = "the MX records are not covered by DNSSEC";
    } else if (failed) {
        host->dane = asker_why_failed(asker, host->name,
                                      v4->state == DNS_FAILED ? DNS_A : DNS_AAAA) == ASKER_BOGUS
                         ? "bogus"
                         : "lookup-failed";
        host->dane_reason = "the addresses of the MX host cannot be looked up";
    } else if (!secure && !host->alias) {
        host->dane = "insecure";
        host->dane_reason = "the addresses of the MX host are not covered by DNSSEC";
    } else if (!(secure && host->alias && look_at_base(asker, host, host->alias))) {
        look_at_base(asker, host, host->name);
        if (!secure && g_strcmp0(host->dane, "none") == 0) {
            host->dane = "insecure";
            host->dane_reason = "the addresses of the MX host are not covered by DNSSEC";
        }
    }
}

/* ---- addresses ---- */

static void add_addresses(struct mx_host *host, const struct dns_answer *answer)
{
    for (size_t i = 0; answer->state == DNS_ANSWERED && i < answer->count; i++) {
        bool known = host->address_count >= MX_ADDRESSES_MAX;
        for (size_t j = 0; j < host->address_count; j++)
            known = known || ipaddr_equal(&host->addresses[j], &answer->addresses[i]);
        if (!known)
            host->addresses[host->address_count++] = answer->addresses[i];
    }
}

static int by_family_and_bytes(const void *a, const void *b)
{
    const struct ipaddr *left = a, *right = b;
    if (left->family != right->family)
        return left->family < right->family ? -1 : 1;
    return memcmp(left->bytes, right->bytes, sizeof left->bytes);
}

static void look_up_host(struct asker *asker, const struct mx_domain *domain, struct mx_host *host)
{
    const struct dns_answer *v4, *v6;
    asker_ask_addresses(asker, host->name, &v4, &v6);
    host->addresses = g_new(struct ipaddr, MX_ADDRESSES_MAX);
    add_addresses(host, v4);
    add_addresses(host, v6);
    qsort(host->addresses, host->address_count, sizeof host->addresses[0], by_family_and_bytes);
    const struct dns_answer *aliased = v4->alias_count > 0 ? v4 : v6;
    if (aliased->alias_count > 0) {
        host->alias = g_strdup(aliased->aliases[aliased->alias_count - 1]);
        if (strcmp(host->state, "ok") == 0)
            host->state = "mx-is-alias";
    }
    if (host->address_count == 0) {
        bool failed = v4->state == DNS_FAILED || v6->state == DNS_FAILED;
        host->state = failed ? "servfail" : "no-address";
        if (failed)
            host->reason = dns_failure_text(v4->state == DNS_FAILED ? v4->failure : v6->failure);
        else if (v4->state == DNS_NO_NAME)
            host->reason = "the name does not exist";
    }
    look_up_dane(asker, domain, host, v4, v6);
    dns_answer_unref(v4);
    dns_answer_unref(v6);
}

static void add_host(struct asker *asker, struct mx_domain *domain, unsigned preference,
                     const char *name, const char *state)
{
    struct ipaddr literal;
    struct mx_host *host = g_new0(struct mx_host, 1);
    host->preference = preference;
    host->name = g_strdup(name);
    host->state = state;
    g_ptr_array_add(domain->hosts, host);
    if (ipaddr_parse(name, &literal) || hostname_ends_in_number(name)) {
        host->state = "mx-is-address";
        host->reason = "an MX names a host, never an address (RFC 5321 5.1)";
    } else if (!dns_name_valid(name)) {
        host->state = "no-address";
        host->reason = "not a name that a host can have";
    } else {
        look_up_host(asker, domain, host);
    }
}

/* ---- the domain ---- */

static void take_implicit(struct asker *asker, struct mx_domain *domain)
{
    domain->state = "implicit-mx";
    add_host(asker, domain, 0, domain->name, "implicit-mx");
    struct mx_host *host = domain->hosts->pdata[0];
    if (host->address_count > 0)
        return;
    domain->state = host->state; /* no MX, no address: no-address or servfail */
    domain->reason = host->reason;
    g_ptr_array_set_size(domain->hosts, 0);
}

/* Equal ones by name: servers send them in any order, and two runs shall read alike. */
static int by_preference(const void *a, const void *b)
{
    const struct mx_host *left = *(struct mx_host *const *)a;
    const struct mx_host *right = *(struct mx_host *const *)b;
    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    return strcmp(left->name, right->name);
}

struct mx_domain *mx_look_up(struct asker *asker, const char *name)
{
    struct mx_domain *domain = g_new0(struct mx_domain, 1);
    domain->name = g_strdup(name);
    domain->hosts = g_ptr_array_new_with_free_func(host_free);
    const struct dns_answer *answer = asker_ask(asker, name, DNS_MX);
    domain->secure = asker_secure(asker, answer);
    domain->state = "ok";
    if (answer->state == DNS_FAILED) {
        domain->state = "servfail";
        domain->secure = -1;
        domain->reason = asker_why_failed(asker, name, DNS_MX) == ASKER_BOGUS
                             ? "bogus: the answer is not as DNSSEC has it signed"
                             : dns_failure_text(answer->failure);
    } else if (answer->state == DNS_NO_NAME) {
        domain->state = "nxdomain";
    } else if (answer->state == DNS_NO_DATA) {
        take_implicit(asker, domain);
    } else if (dns_answer_is_null_mx(answer)) {
        domain->state = "null-mx";
    } else {
        for (size_t i = 0; i < MIN(answer->count, MX_HOSTS_MAX); i++)
            add_host(asker, domain, answer->mx[i].preference, answer->mx[i].host, "ok");
        if (answer->count > MX_HOSTS_MAX)
            domain->reason = "more MX hosts than are looked at";
        g_ptr_array_sort(domain->hosts, by_preference);
    }
    dns_answer_unref(answer);
    return domain;
}
