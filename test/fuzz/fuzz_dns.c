/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of DNS servers: the first two bytes of the input choose type and name, the rest is the
 * message. What is read must be within its bounds.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "../../milter/dns/cache.h"
#include "../../milter/dns/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum dns_type types[] = {DNS_A,   DNS_AAAA, DNS_TXT, DNS_MX,
                                      DNS_PTR, DNS_NS,   DNS_SRV, DNS_TLSA};
static const char *const names[] = {"name.test", "a", "2.0.0.127.bl.example"};

static void check(bool holds)
{
    if (!holds)
        g_error("a bound does not hold");
}

static void check_records(const struct dns_answer *answer)
{
    size_t text = 0;
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->type == DNS_A || answer->type == DNS_AAAA)
            check(answer->addresses[i].family != IP_NONE);
        else if (answer->type == DNS_TXT)
            text += strlen(answer->texts[i]);
        else if (answer->type == DNS_MX)
            check(strlen(answer->mx[i].host) <= DNS_NAME_MAX);
        else if (answer->type == DNS_SRV)
            check(strlen(answer->srv[i].target) <= DNS_NAME_MAX);
        else if (answer->type == DNS_TLSA)
            check(answer->tlsa[i].length > 0 && answer->tlsa[i].length <= DNS_TLSA_MAX);
        else
            check(strlen(answer->names[i]) <= DNS_NAME_MAX);
    }
    for (size_t i = 0; i < answer->alias_count; i++)
        check(strlen(answer->aliases[i]) <= DNS_NAME_MAX);
    check(text <= DNS_TEXT_MAX);
    dns_answer_is_null_mx(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum dns_type type = types[data[0] % G_N_ELEMENTS(types)];
    const char *name = names[data[1] % G_N_ELEMENTS(names)];
    struct dns_answer *answer = dns_message_read(data + 2, size - 2, name, type);
    check(answer->state != DNS_PENDING && answer->ttl <= DNS_TTL_MAX);
    check(answer->count <= DNS_RECORDS_MAX);
    check((answer->state == DNS_FAILED) == (answer->failure != DNS_FAIL_NONE));
    check(answer->state != DNS_ANSWERED || answer->count > 0);
    check_records(answer);
    struct dns_cache *cache = dns_cache_new(2, 10000);
    dns_cache_put(cache, name, answer, 0);
    check(dns_cache_bytes(cache) <= 10000);
    dns_answer_unref(answer);
    const struct dns_answer *found = dns_cache_find(cache, name, 1);
    if (found)
        check_records(found);
    dns_answer_unref(found);
    dns_cache_free(cache);
    return 0;
}
