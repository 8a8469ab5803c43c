/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MTA-STS of a domain: record, then policy.
 */
#include "sts_fetch.h"

#include <string.h>

void sts_result_clear(struct sts_result *result)
{
    g_free(result->id);
    g_free(result->reason);
    g_free(result->report_places);
    sts_policy_free(result->policy);
    *result = (struct sts_result){0};
}

static void append_addresses(GString *list, const struct dns_answer *answer, bool local)
{
    char text[IPADDR_TEXT_MAX];
    for (size_t i = 0; answer->state == DNS_ANSWERED && i < MIN(answer->count, 8); i++)
        if (local || !ipaddr_is_private(&answer->addresses[i]))
            g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "",
                                   ipaddr_format(&answer->addresses[i], text));
}

/* The policy host's addresses come from our resolver, not from libcurl's. */
static GString *download(struct asker *asker, const char *domain, const char *ca_file, bool local,
                         char **why_r)
{
    g_autofree char *host = g_strconcat("mta-sts.", domain, NULL);
    const struct dns_answer *v4, *v6;
    asker_ask_addresses(asker, host, &v4, &v6);
    g_autoptr(GString) addresses = g_string_new(NULL);
    append_addresses(addresses, v4, local);
    append_addresses(addresses, v6, local);
    dns_answer_unref(v4);
    dns_answer_unref(v6);
    if (addresses->len > 0)
        return sts_download(domain, addresses->str, ca_file, why_r);
    *why_r = g_strdup_printf("%s has no address that may be asked", host);
    return NULL;
}

static void fetch_policy(struct asker *asker, const char *domain, const char *ca_file, bool local,
                         struct sts_result *result)
{
    if (!sts_can_download()) {
        result->state = "unknown";
        result->reason = g_strdup("this gatepost-survey is built without libcurl");
        return;
    }
    const char *why = NULL;
    g_autoptr(GString) body = download(asker, domain, ca_file, local, &result->reason);
    result->state = "fetch-failed";
    if (!body)
        return;
    result->policy = sts_policy_parse(body->str, body->len, &why);
    result->state = result->policy ? "ok" : "bad-policy";
    result->reason = g_strdup(why);
}

void sts_fetch(struct asker *asker, const char *domain, const char *ca_file, bool local,
               struct sts_result *result_r)
{
    const char *why = NULL;
    *result_r = (struct sts_result){.state = "none"};
    g_autofree char *name = g_strconcat("_mta-sts.", domain, NULL);
    const struct dns_answer *answer = asker_ask(asker, name, DNS_TXT);
    if (answer->state == DNS_FAILED) {
        result_r->state = "lookup-failed";
        result_r->reason = g_strdup(dns_failure_text(answer->failure));
    } else if (answer->state == DNS_ANSWERED) {
        result_r->id = sts_record_id(answer->texts, answer->count, &why);
        if (why)
            result_r->state = "bad-record";
        result_r->reason = g_strdup(why);
    }
    dns_answer_unref(answer);
    if (result_r->id)
        fetch_policy(asker, domain, ca_file, local, result_r);
    g_autofree char *report = g_strconcat("_smtp._tls.", domain, NULL);
    answer = asker_ask(asker, report, DNS_TXT);
    if (answer->state == DNS_ANSWERED)
        result_r->report_places = sts_report_places(answer->texts, answer->count);
    dns_answer_unref(answer);
}
