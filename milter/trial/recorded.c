/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the DNS, as they were.
 */
#include "recorded.h"

#include <string.h>

#include "mail/hostname.h"

struct recorded {
    const struct history_row *row;
    GHashTable *lists;   /* the name that was asked -> struct history_list * */
    GHashTable *domains; /* "mail:NAME", "host:NAME" -> enum domaincheck_result + 1 */
};

struct recorded *recorded_new(void)
{
    struct recorded *recorded = g_new0(struct recorded, 1);
    recorded->lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    recorded->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return recorded;
}

void recorded_free(struct recorded *recorded)
{
    if (!recorded)
        return;
    g_hash_table_unref(recorded->lists);
    g_hash_table_unref(recorded->domains);
    g_free(recorded);
}

void recorded_set(struct recorded *recorded, const struct history_row *row)
{
    recorded->row = row;
    g_hash_table_remove_all(recorded->lists);
    g_hash_table_remove_all(recorded->domains);
    for (guint i = 0; row && row->lists && i < row->lists->len; i++) {
        struct history_list *list = &g_array_index(row->lists, struct history_list, i);
        if (list->verdict != DNSBL_PENDING)
            g_hash_table_insert(recorded->lists, g_ascii_strdown(list->query, -1), list);
    }
    for (guint i = 0; row && row->domains && i < row->domains->len; i++) {
        const struct history_domain *domain =
            &g_array_index(row->domains, struct history_domain, i);
        g_autofree char *ascii = hostname_to_ascii(domain->name);
        g_autofree char *lower = ascii ? g_ascii_strdown(ascii, -1) : NULL;
        if (lower && domain->result != DOMAINCHECK_PENDING)
            g_hash_table_insert(
                recorded->domains,
                g_strconcat(domain->kind == DOMAINCHECK_MAIL ? "mail:" : "host:", lower, NULL),
                GINT_TO_POINTER((int)domain->result + 1));
    }
}

static struct dns_answer *nothing(enum dns_type type)
{
    return dns_answer_new(type, DNS_NO_NAME);
}

/* Our own failure, which says nothing of a list: what was not answered then, or not believed. */
static struct dns_answer *failed(enum dns_type type)
{
    return dns_answer_failed(type, DNS_FAIL_STOPPED);
}

static struct dns_answer *codes(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text ? text : "", " ", -1);
    struct dns_answer *answer = dns_answer_new(DNS_A, DNS_ANSWERED);
    answer->addresses = g_new0(struct ipaddr, g_strv_length(words) + 1);
    for (char **word = words; *word; word++)
        if (ipaddr_parse(*word, &answer->addresses[answer->count]))
            answer->count++;
    return answer;
}

static struct dns_answer *of_list(const struct history_list *list)
{
    switch (list->verdict) {
    case DNSBL_LISTED:
        return codes(list->codes);
    case DNSBL_NOT_LISTED:
        return nothing(DNS_A);
    default:
        return failed(DNS_A);
    }
}

static struct dns_answer *exchanger(const char *host)
{
    struct dns_answer *answer = dns_answer_new(DNS_MX, DNS_ANSWERED);
    answer->mx = g_new0(struct dns_mx, 1);
    answer->mx[0].host = g_strdup(host);
    answer->count = 1;
    return answer;
}

/* What was found out of a domain; -1: nothing. */
static int known_of(const struct recorded *recorded, const char *kind, const char *name)
{
    g_autofree char *key = g_strconcat(kind, name, NULL);
    return GPOINTER_TO_INT(g_hash_table_lookup(recorded->domains, key)) - 1;
}

/* Records that lead domaincheck to what was found then. Of MX and addresses only one is known
 * where a domain exists; the other one was never asked. */
static struct dns_answer *of_mx(const struct recorded *recorded, const char *name)
{
    int mail = known_of(recorded, "mail:", name), host = known_of(recorded, "host:", name);
    switch (mail) {
    case DOMAINCHECK_EXISTS:
        return exchanger("mx.example");
    case DOMAINCHECK_NULL_MX:
        return exchanger("");
    case DOMAINCHECK_MALFORMED:
        return exchanger("-");
    case DOMAINCHECK_NOT_FOUND:
        return nothing(DNS_MX);
    case DOMAINCHECK_CANNOT_TELL:
        return failed(DNS_MX);
    default:
        break;
    }
    return host == DOMAINCHECK_NOT_FOUND     ? nothing(DNS_MX)
           : host == DOMAINCHECK_CANNOT_TELL ? failed(DNS_MX)
                                             : NULL;
}

static struct dns_answer *of_address(const struct recorded *recorded, const char *name,
                                     enum dns_type type)
{
    int mail = known_of(recorded, "mail:", name), host = known_of(recorded, "host:", name);
    int known = host >= 0 ? host : mail;
    if (host == DOMAINCHECK_EXISTS) {
        struct dns_answer *answer = dns_answer_new(type, DNS_ANSWERED);
        answer->addresses = g_new0(struct ipaddr, 1);
        ipaddr_parse(type == DNS_A ? "192.0.2.1" : "2001:db8::1", &answer->addresses[0]);
        answer->count = 1;
        return answer;
    }
    return known == DOMAINCHECK_NOT_FOUND     ? nothing(type)
           : known == DOMAINCHECK_CANNOT_TELL ? failed(type)
                                              : NULL;
}

/* A probe of a list is answered as a list that is well answers it (RFC 5782 5): whether it was
 * believed then is in the row. */
static struct dns_answer *of_probe(const char *name)
{
    if (g_str_has_prefix(name, "2.0.0.127.") || g_str_has_prefix(name, "test."))
        return codes("127.0.0.2");
    if (g_str_has_prefix(name, "1.0.0.127.") || g_str_has_prefix(name, "invalid."))
        return nothing(DNS_A);
    return NULL;
}

static struct dns_answer *answer(void *data, const char *name, enum dns_type type, bool fresh)
{
    struct recorded *recorded = data;
    const struct history_list *list = g_hash_table_lookup(recorded->lists, name);
    if (type == DNS_TXT)
        return nothing(type); /* what a list says beside the code is not kept */
    if (type == DNS_A && fresh)
        return list ? of_list(list) : of_probe(name);
    if (type == DNS_A && list)
        return of_list(list);
    if (type == DNS_MX)
        return of_mx(recorded, name);
    return of_address(recorded, name, type);
}

struct resolver *recorded_resolver(struct recorded *recorded)
{
    const struct resolver_record record = {answer, recorded};
    return resolver_new_recorded(&record);
}
