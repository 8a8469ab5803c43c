/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What people write about DNS lists, and the keys that strangers choose. The first byte of the
 * input chooses what the rest is.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "dns/dns_answer.h"
#include "dns/dnsbl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        g_error("a promise does not hold");
}

/* A filter matches something: each field names at least one number. */
static void check_filter(const struct dnsbl_filter *filter)
{
    for (unsigned i = 0; i < 4; i++) {
        const uint64_t *octet = filter->octets[i];
        check(octet[0] || octet[1] || octet[2] || octet[3]);
    }
}

static void check_set(const struct dnsbl_set *set)
{
    for (unsigned i = 0; i < dnsbl_set_count(set); i++) {
        const struct dnsbl_entry *entry = dnsbl_set_get(set, i);
        check(entry->weight >= -DNSBL_WEIGHT_MAX && entry->weight <= DNSBL_WEIGHT_MAX);
        check(entry->places != 0 && (entry->places & ~(unsigned)DNSBL_ANYWHERE) == 0);
        check(dns_name_valid(entry->zone));
        if (entry->filtered)
            check_filter(&entry->filter);
    }
}

static void sites(const char *text, unsigned kind)
{
    struct problems *problems = problems_new();
    struct dnsbl_set *set = dnsbl_set_new();
    bool right = kind == 0   ? dnsbl_set_add_sites(set, text, problems, "f", 1)
                 : kind == 1 ? dnsbl_set_add_rhsbl(set, text, problems, "f", 1)
                 : kind == 2 ? dnsbl_set_add_hashbl(set, text, problems, "f", 1)
                 : kind == 3
                     ? dnsbl_set_add_rule(set, text, problems, "f", 1)
                     : dnsbl_set_add_zone(set, DNSBL_NAME, DNSBL_HELO, text, problems, "f", 1);
    check(right == (problems_errors(problems) == 0));
    check_set(set);
    dnsbl_set_unref(set);
    problems_free(problems);
}

static void filter(const char *text)
{
    struct dnsbl_filter read;
    char *why = NULL;
    if (dnsbl_filter_parse(text, &read, &why))
        check_filter(&read);
    else
        check(why != NULL);
    g_free(why);
}

static void keys(const char *text)
{
    g_autofree char *domain = dnsbl_key_for_domain(text);
    check(!domain || dns_name_valid(domain));
    g_autofree char *email = dnsbl_canonical_email(text);
    for (int hash = DNSBL_SHA1; hash <= DNSBL_MD5; hash++) {
        g_autofree char *key = dnsbl_key_for_email(text, (enum dnsbl_hash)hash);
        check((key == NULL) == (email == NULL));
        check(!key || dns_name_valid(key));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    unsigned kind = data[0] % 7;
    if (kind < 5)
        sites(text, kind);
    else if (kind == 5)
        filter(text);
    else
        keys(text);
    return 0;
}
