/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the DNS as values.
 */
#include "dns/dns_answer.h"

#include <glib.h>
#include <string.h>

const struct dns_answer *dns_answer_ref(const struct dns_answer *answer)
{
    struct dns_answer *own = (struct dns_answer *)answer;
    g_atomic_int_inc(&own->references);
    return answer;
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; strings && i < count; i++)
        g_free(strings[i]);
    g_free(strings);
}

void dns_answer_unref(const struct dns_answer *answer)
{
    struct dns_answer *own = (struct dns_answer *)answer;
    if (!own || !g_atomic_int_dec_and_test(&own->references))
        return;
    g_free(own->addresses);
    for (size_t i = 0; own->mx && i < own->count; i++)
        g_free(own->mx[i].host);
    g_free(own->mx);
    for (size_t i = 0; own->srv && i < own->count; i++)
        g_free(own->srv[i].target);
    g_free(own->srv);
    for (size_t i = 0; own->tlsa && i < own->count; i++)
        g_free(own->tlsa[i].data);
    g_free(own->tlsa);
    free_strings(own->texts, own->count);
    free_strings(own->names, own->count);
    free_strings(own->aliases, own->alias_count);
    g_free(own);
}

struct dns_answer *dns_answer_new(enum dns_type type, enum dns_state state)
{
    struct dns_answer *answer = g_new0(struct dns_answer, 1);
    *answer = (struct dns_answer){.type = type, .state = state, .references = 1};
    return answer;
}

struct dns_answer *dns_answer_failed(enum dns_type type, enum dns_failure failure)
{
    struct dns_answer *answer = dns_answer_new(type, DNS_FAILED);
    answer->failure = failure;
    return answer;
}

const char *dns_failure_text(enum dns_failure failure)
{
    static const char *const texts[] = {
        [DNS_FAIL_NONE] = "no failure",
        [DNS_FAIL_TIMEOUT] = "time-out",
        [DNS_FAIL_SERVFAIL] = "server failure",
        [DNS_FAIL_REFUSED] = "query refused",
        [DNS_FAIL_FORMERR] = "format error",
        [DNS_FAIL_NOTIMP] = "not implemented",
        [DNS_FAIL_RCODE] = "unexpected response code",
        [DNS_FAIL_NETWORK] = "no DNS server can be reached or helps",
        [DNS_FAIL_GARBAGE] = "malformed answer",
        [DNS_FAIL_NAME] = "not a name that can be asked",
        [DNS_FAIL_BUSY] = "too many DNS questions under way",
        [DNS_FAIL_STOPPED] = "the resolver is stopped",
    };
    return texts[failure];
}

bool dns_answer_is_null_mx(const struct dns_answer *answer)
{
    return answer->type == DNS_MX && answer->state == DNS_ANSWERED && answer->count == 1 &&
           answer->mx[0].host[0] == '\0';
}

static bool label_valid(const char *label, size_t length)
{
    if (length == 0 || length > DNS_LABEL_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

bool dns_name_valid(const char *name)
{
    size_t length = strnlen(name, DNS_NAME_MAX + 2);
    if (length > 0 && name[length - 1] == '.')
        length--;
    if (length > DNS_NAME_MAX)
        return false;
    const char *end = name + length;
    for (const char *p = name;; p++) {
        const char *dot = memchr(p, '.', (size_t)(end - p));
        const char *stop = dot ? dot : end;
        if (!label_valid(p, (size_t)(stop - p)))
            return false;
        if (!dot)
            return true;
        p = dot;
    }
}
