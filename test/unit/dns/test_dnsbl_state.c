/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists that fall ill and recover, with rbldnsd and a clock that can be put forward.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <string.h>

#include "../../../milter/dns/latency.h"
#include "../../../milter/dns/dnsbl_state_private.h"
#include "dns/dnsbl.h"
#include "base/waiting.h"
#include "testservers.h"

static const char sound[] = "$SOA 1h ns.test root.test 0 1h 1h 1h 1h\n$TTL 1h\n"
                            "127.0.0.2\n203.0.113.9\n";
static const char lists_the_world[] =
    "$SOA 1h ns.test root.test 0 1h 1h 1h 1h\n$TTL 1h\n127/8\n203.0.113/24\n";

static _Atomic int64_t ahead;

static int64_t clock_ahead(void)
{
    return g_get_monotonic_time() + atomic_load(&ahead);
}

struct site {
    char *folder, *file;
    struct test_server *server;
    struct resolver *resolver;
    struct dnsbl_state *state;
    struct dnsbl_set *set;
    struct waiting waiting;
    atomic_uint asides, recoveries;
};

static void on_event(void *data, const struct dnsbl_event *event)
{
    struct site *site = data;
    g_test_message("%s", event->text);
    if (event->health == DNSBL_ASIDE)
        atomic_fetch_add(&site->asides, 1);
    else if (event->reason == DNSBL_FINE)
        atomic_fetch_add(&site->recoveries, 1);
}

/* rbldnsd notices a change by time stamp and size; the stamp has whole seconds. */
static void write_list(struct site *site, const char *text)
{
    g_assert_true(g_file_set_contents(site->file, text, -1, NULL));
    g_assert_cmpint(g_chmod(site->file, 0644), ==, 0);
}

static bool open_site(struct site *site, const char *text)
{
    static const char *const zones[] = {"bl.test:ip4set:list", NULL};
    memset(site, 0, sizeof *site);
    atomic_store(&ahead, 0);
    site->folder = g_dir_make_tmp("gatepost-XXXXXX", NULL);
    g_assert_cmpint(g_chmod(site->folder, 0755), ==, 0);
    site->file = g_build_filename(site->folder, "list", NULL);
    write_list(site, text);
    site->server = test_rbldnsd_start(site->folder, zones);
    if (!site->server)
        return false;
    struct problems *problems = problems_new();
    site->resolver = resolver_new(test_server_address(site->server), NULL, problems, "test", 1);
    site->state = dnsbl_state_new(on_event, site);
    state_set_clock(site->state, clock_ahead);
    site->set = dnsbl_set_new();
    g_assert_true(dnsbl_set_add_sites(site->set, "BL.test*3", problems, "test", 1));
    waiting_init(&site->waiting);
    problems_free(problems);
    return true;
}

static void close_site(struct site *site)
{
    if (site->server) {
        resolver_free(site->resolver);
        dnsbl_state_free(site->state);
        dnsbl_set_unref(site->set);
        waiting_clear(&site->waiting);
        test_server_stop(site->server);
    }
    g_remove(site->file);
    g_rmdir(site->folder);
    g_free(site->file);
    g_free(site->folder);
}

static enum dnsbl_verdict look_up(struct site *site, const char *address)
{
    struct ipaddr client;
    struct dnsbl_result result;
    int64_t deadline = g_get_monotonic_time() + G_TIME_SPAN_MINUTE;
    g_assert_true(ipaddr_parse(address, &client));
    struct dnsbl_lookup *lookup =
        dnsbl_lookup_new(site->set, site->resolver, site->state, site->waiting.waker);
    dnsbl_lookup_add_address(lookup, &client);
    dnsbl_lookup_set_deadline(lookup, deadline);
    while (dnsbl_lookup_advance(lookup, DNSBL_CLIENT), dnsbl_lookup_pending(lookup, DNSBL_CLIENT))
        waiting_sleep(&site->waiting, deadline);
    dnsbl_lookup_advance(lookup, DNSBL_CLIENT);
    dnsbl_lookup_result(lookup, 0, DNSBL_CLIENT, &result);
    dnsbl_lookup_free(lookup);
    return result.verdict;
}

static void await_probe(struct site *site)
{
    bool probing = true;
    for (unsigned i = 0; i < 6000 && probing; i++) {
        struct dnsbl_list_status *status = dnsbl_state_list(site->state, "bl.test", DNSBL_ADDRESS);
        probing = status->probing;
        dnsbl_list_status_free(status);
        g_usleep(10000);
    }
    g_assert_false(probing);
}

static int64_t retry_in(struct site *site)
{
    struct dnsbl_list_status *status = dnsbl_state_list(site->state, "bl.test", DNSBL_ADDRESS);
    int64_t left = status->retry_in;
    dnsbl_list_status_free(status);
    return (left + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;
}

static void put_forward(int64_t us)
{
    atomic_fetch_add(&ahead, us);
}

static void test_recovery(void)
{
    struct site site;
    if (open_site(&site, lists_the_world)) {
        g_assert_cmpint(look_up(&site, "203.0.113.50"), ==, DNSBL_UNKNOWN);
        g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_UNKNOWN);
        g_assert_cmpint(retry_in(&site), ==, 30);
        /* probed again after each pause, and each pause is longer */
        for (int64_t pause = 60; pause <= 240; pause *= 2) {
            put_forward(pause / 2 * G_USEC_PER_SEC + G_USEC_PER_SEC);
            g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_UNKNOWN);
            await_probe(&site);
            g_assert_cmpint(retry_in(&site), ==, pause);
        }
        g_assert_cmpuint(atomic_load(&site.asides), ==, 1);
        g_usleep(1100000);
        write_list(&site, sound);
        test_rbldnsd_reload(site.server);
        put_forward(241 * G_USEC_PER_SEC);
        g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_UNKNOWN);
        await_probe(&site);
        g_assert_cmpuint(atomic_load(&site.recoveries), ==, 1);
        g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_LISTED);
        /* what the sick list said of this one is in the cache for an hour, but not believed */
        g_assert_cmpint(look_up(&site, "203.0.113.50"), ==, DNSBL_NOT_LISTED);
    }
    close_site(&site);
}

/* A list that goes wild later is found out when its last probe has grown old; before it falls ill
 * again within the hour, it goes on with the pause that it had. */
static void test_later(void)
{
    struct site site;
    if (open_site(&site, sound)) {
        g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_LISTED);
        g_assert_cmpint(look_up(&site, "203.0.113.50"), ==, DNSBL_NOT_LISTED);
        g_usleep(1100000);
        write_list(&site, lists_the_world);
        test_rbldnsd_reload(site.server);
        put_forward(DNSBL_PROBE_AGE + 1);
        g_assert_cmpint(look_up(&site, "203.0.113.51"), ==, DNSBL_UNKNOWN);
        g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_UNKNOWN);
        g_assert_cmpint(retry_in(&site), ==, 30);
        g_usleep(1100000);
        write_list(&site, sound);
        test_rbldnsd_reload(site.server);
        /* somebody says that it may be well: no need to wait for the end of the pause */
        dnsbl_state_retry(site.state);
        look_up(&site, "203.0.113.9");
        await_probe(&site);
        g_assert_cmpint(look_up(&site, "203.0.113.9"), ==, DNSBL_LISTED);
        g_usleep(1100000);
        write_list(&site, lists_the_world);
        test_rbldnsd_reload(site.server);
        put_forward(DNSBL_PROBE_AGE + 1);
        g_assert_cmpint(look_up(&site, "203.0.113.52"), ==, DNSBL_UNKNOWN);
        g_assert_cmpint(retry_in(&site), ==, 60);
        g_assert_cmpuint(atomic_load(&site.asides), ==, 2);
        g_assert_cmpuint(atomic_load(&site.recoveries), ==, 1);
    }
    close_site(&site);
}

static void test_latency(void)
{
    struct latency latency = {0};
    g_assert_cmpint(latency_percentile(&latency, 50), ==, -1);
    for (int64_t us = 1; us <= 100000; us++)
        latency_add(&latency, us);
    for (unsigned percent = 1; percent <= 100; percent++) {
        int64_t exact = percent * 1000, got = latency_percentile(&latency, percent);
        g_assert_cmpint(got, >=, exact);
        g_assert_cmpint(got, <=, exact + exact / 8 + 1);
    }
    latency_add(&latency, INT64_MAX);
    latency_add(&latency, -5);
    g_assert_cmpint(latency_percentile(&latency, 100), >, 60 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dnsbl/state/recovery", test_recovery);
    g_test_add_func("/dnsbl/state/later", test_later);
    g_test_add_func("/dnsbl/state/latency", test_latency);
    return g_test_run();
}
