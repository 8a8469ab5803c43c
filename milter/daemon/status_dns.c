/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS lists and resolver, for people and programs.
 */
#include "status_dns.h"

#include <string.h>

#include "report/json.h"

static const char *const kind_words[] = {
    [DNSBL_ADDRESS] = "addresses", [DNSBL_NAME] = "names", [DNSBL_HASH] = "hashes"};

static char *milliseconds(int64_t us)
{
    return us < 0 ? g_strdup("-") : g_strdup_printf("%.1f", (double)us / 1000.0);
}

/* "in use", "set aside: it lists 127.0.0.1 ...; next probe in 25s" */
static char *state_text(const struct dnsbl_list_status *list)
{
    if (list->health == DNSBL_ASIDE)
        return g_strdup_printf("%s: %s; next probe in %ds", dnsbl_health_text(list->health),
                               dnsbl_reason_text(list->reason, list->kind),
                               (int)(list->retry_in / G_TIME_SPAN_SECOND));
    const char *doubt = list->test_entry == DNSBL_TEST_MISSING
                            ? dnsbl_reason_text(DNSBL_NO_TEST_ENTRY, list->kind)
                            : NULL;
    return g_strconcat(dnsbl_health_text(list->health), doubt ? "; " : NULL, doubt, NULL);
}

static void write_list(const struct dnsbl_list_status *list, int wide, GString *out)
{
    g_autofree char *p50 = milliseconds(list->latency_p50);
    g_autofree char *p90 = milliseconds(list->latency_p90);
    g_autofree char *p99 = milliseconds(list->latency_p99);
    g_autofree char *state = state_text(list);
    g_string_append_printf(out,
                           "%-*s  %-9s %8" G_GUINT64_FORMAT " %8" G_GUINT64_FORMAT
                           " %7" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT " %7s %7s %7s  %s\n",
                           wide, list->zone, kind_words[list->kind], list->asked, list->listed,
                           list->errors, list->timeouts, p50, p90, p99, state);
}

void status_dns_write_text(const struct engine_dns_status *dns, GString *out)
{
    if (dns->counts.silent > 0)
        g_string_append_printf(out, "\nno DNS server has answered for %" G_GINT64_FORMAT " s\n",
                               dns->counts.silent / G_TIME_SPAN_SECOND);
    if (dns->lists->len == 0)
        return;
    size_t width = strlen("DNS list");
    for (guint i = 0; i < dns->lists->len; i++)
        width = MAX(width, strlen(((const struct dnsbl_list_status *)dns->lists->pdata[i])->zone));
    int wide = (int)MIN(width, 50);
    g_string_append_printf(out, "\n%-*s  %-9s %8s %8s %7s %9s %7s %7s %7s  %s\n", wide, "DNS list",
                           "of", "asked", "listed", "errors", "time-outs", "p50 ms", "p90 ms",
                           "p99 ms", "state");
    for (guint i = 0; i < dns->lists->len; i++)
        write_list(dns->lists->pdata[i], wide, out);
}

static void put_latency(GString *out, const char *key, int64_t us)
{
    if (us < 0)
        json_string(out, key, NULL);
    else
        json_number(out, key, (double)us / 1000.0, 1);
}

static void put_list(const struct dnsbl_list_status *list, GString *out)
{
    static const char *const test_words[] = {"unknown", "listed", "missing"};
    json_open(out, NULL, '{');
    json_string(out, "zone", list->zone);
    json_string(out, "kind", kind_words[list->kind]);
    json_string(out, "state", dnsbl_health_text(list->health));
    json_string(out, "reason",
                list->reason == DNSBL_FINE ? NULL : dnsbl_reason_text(list->reason, list->kind));
    json_string(out, "test_entry", test_words[list->test_entry]);
    json_integer(out, "asked", (gint64)list->asked);
    json_integer(out, "cached", (gint64)list->cached);
    json_integer(out, "listed", (gint64)list->listed);
    json_integer(out, "errors", (gint64)list->errors);
    json_integer(out, "timeouts", (gint64)list->timeouts);
    json_integer(out, "skipped", (gint64)list->skipped);
    put_latency(out, "p50_ms", list->latency_p50);
    put_latency(out, "p90_ms", list->latency_p90);
    put_latency(out, "p99_ms", list->latency_p99);
    json_integer(out, "retry_in", list->retry_in / G_TIME_SPAN_SECOND);
    json_close(out, '}');
}

void status_dns_write_json(const struct engine_dns_status *dns, GString *out)
{
    const struct resolver_counts *counts = &dns->counts;
    json_open(out, "dns", '{');
    json_integer(out, "asked", (gint64)counts->asked);
    json_integer(out, "sent", (gint64)counts->sent);
    json_integer(out, "cached", (gint64)counts->cached);
    json_integer(out, "shared", (gint64)counts->shared);
    json_integer(out, "repeated", (gint64)counts->repeated);
    json_integer(out, "failed", (gint64)counts->failed);
    json_integer(out, "under_way", (gint64)counts->under_way);
    json_integer(out, "no_answer", counts->silent / G_TIME_SPAN_SECOND);
    json_integer(out, "cache_entries", (gint64)counts->cache_entries);
    json_integer(out, "cache_bytes", (gint64)counts->cache_bytes);
    json_close(out, '}');
    json_open(out, "dns_lists", '[');
    for (guint i = 0; i < dns->lists->len; i++)
        put_list(dns->lists->pdata[i], out);
    json_close(out, ']');
}
