/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lookups in the lists of packaging/rbldnsd, served by the real rbldnsd, and in lists that fail in
 * every way.
 */
#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include "dns/dnsbl.h"
#include "base/waiting.h"
#include "testservers.h"

/* A site: server, resolver, state, and the sets that a test makes. */
struct site {
    struct test_server *server;
    struct resolver *resolver;
    struct dnsbl_state *state;
    struct waiting waiting;
    GString *events;
    pthread_mutex_t lock;
};

static void on_event(void *data, const struct dnsbl_event *event)
{
    struct site *site = data;
    pthread_mutex_lock(&site->lock);
    g_string_append_printf(site->events, "%s|", event->text);
    pthread_mutex_unlock(&site->lock);
}

/* Short time-outs are tried once; long ones often, since on a busy machine packets are lost. */
static bool open_site(struct site *site, struct test_server *server, unsigned timeout_ms)
{
    memset(site, 0, sizeof *site);
    if (!server)
        return false;
    struct problems *problems = problems_new();
    struct resolver_options options = {.timeout_ms = timeout_ms,
                                       .tries = timeout_ms > 1000 ? 5 : 1};
    site->server = server;
    site->resolver = resolver_new(test_server_address(server), &options, problems, "test", 1);
    site->events = g_string_new(NULL);
    pthread_mutex_init(&site->lock, NULL);
    site->state = dnsbl_state_new(on_event, site);
    waiting_init(&site->waiting);
    problems_free(problems);
    return true;
}

static void close_site(struct site *site)
{
    resolver_free(site->resolver);
    dnsbl_state_free(site->state);
    waiting_clear(&site->waiting);
    g_string_free(site->events, TRUE);
    pthread_mutex_destroy(&site->lock);
    test_server_stop(site->server);
}

static struct test_server *start_lists(void)
{
    static const char *const zones[] = {
        "bl.example.com:ip4set:addresses", "bl.example.com:ip6trie:addresses6",
        "wl.example.com:ip4set:friends",   "dbl.example.com:dnset:domains",
        "ebl.example.com:dnset:mailboxes", NULL};
    return test_rbldnsd_start(test_lists_folder(), zones);
}

static struct dnsbl_set *make_set(const char *sites, const char *rhsbl, const char *hashbl)
{
    struct problems *problems = problems_new();
    struct dnsbl_set *set = dnsbl_set_new();
    dnsbl_set_add_sites(set, sites, problems, "test", 1);
    dnsbl_set_add_rhsbl(set, rhsbl, problems, "test", 1);
    dnsbl_set_add_hashbl(set, hashbl, problems, "test", 1);
    problems_print(problems, stderr);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    problems_free(problems);
    return set;
}

static struct dnsbl_lookup *begin(struct site *site, const char *sites, const char *rhsbl,
                                  const char *hashbl)
{
    struct dnsbl_set *set = make_set(sites, rhsbl, hashbl);
    struct dnsbl_lookup *lookup =
        dnsbl_lookup_new(set, site->resolver, site->state, site->waiting.waker);
    dnsbl_set_unref(set);
    return lookup;
}

static void add_address(struct dnsbl_lookup *lookup, const char *text)
{
    struct ipaddr address;
    g_assert_true(ipaddr_parse(text, &address));
    dnsbl_lookup_add_address(lookup, &address);
}

/* Waits for all verdicts, at most MS; how long it took (ms). */
static int64_t await(struct site *site, struct dnsbl_lookup *lookup, int64_t ms)
{
    int64_t start = g_get_monotonic_time(), deadline = start + ms * 1000;
    dnsbl_lookup_set_deadline(lookup, deadline);
    while (dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE),
           dnsbl_lookup_pending(lookup, DNSBL_ANYWHERE))
        waiting_sleep(&site->waiting, deadline);
    return (g_get_monotonic_time() - start) / 1000;
}

static char *get_text(struct site *site, struct dnsbl_lookup *lookup, unsigned index)
{
    char *text;
    dnsbl_lookup_ask_text(lookup, index, DNSBL_ANYWHERE);
    while (dnsbl_lookup_text(lookup, index, DNSBL_ANYWHERE, &text))
        waiting_sleep(&site->waiting, g_get_monotonic_time() + G_USEC_PER_SEC);
    return text;
}

/* "+": listed, "-": not listed, "?": unknown, ".": not asked; an entry each */
static char *verdicts(struct dnsbl_lookup *lookup, unsigned count)
{
    static const char marks[] = {[DNSBL_NOT_ASKED] = '.',
                                 [DNSBL_PENDING] = 'p',
                                 [DNSBL_LISTED] = '+',
                                 [DNSBL_NOT_LISTED] = '-',
                                 [DNSBL_UNKNOWN] = '?'};
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++) {
        struct dnsbl_result result;
        dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
        dnsbl_lookup_result(lookup, i, DNSBL_ANYWHERE, &result);
        g_string_append_c(text, marks[result.verdict]);
    }
    return g_string_free(text, FALSE);
}

static int health_of(struct site *site, const char *zone, enum dnsbl_kind kind)
{
    struct dnsbl_list_status *status = dnsbl_state_list(site->state, zone, kind);
    int health = status ? (int)status->health : -1;
    dnsbl_list_status_free(status);
    return health;
}

/* The probe for the test entry is nobody's business to wait for, but this test's. */
static void await_test_entry(struct site *site, const char *zone, enum dnsbl_test_entry entry)
{
    bool there = false;
    for (int i = 0; i < 6000 && !there; i++) {
        struct dnsbl_list_status *status = dnsbl_state_list(site->state, zone, DNSBL_ADDRESS);
        there = status->test_entry == entry && !status->probing;
        dnsbl_list_status_free(status);
        g_usleep(10000);
    }
    g_assert_true(there);
}

/* Probes a sound list beforehand: an answer that came late would excuse failures before it. */
static void probe(struct site *site, const char *zone)
{
    dnsbl_state_probe(site->state, site->resolver, zone, DNSBL_ADDRESS);
    await_test_entry(site, zone, DNSBL_TEST_LISTED);
}

static void test_addresses(void)
{
    static const char sites[] =
        "bl.example.com=127.0.0.[2..9]*3 BL.example.com=127.0.0.10*2 bl.example.com*1 "
        "wl.example.com=127.0.[0..255].[1..3]*-4";
    static const struct {
        const char *address, *verdicts;
        int sum, top;
        const char *text;
    } rows[] = {
        {"203.0.113.9", "+-+-", 4, 0,
         "203.0.113.9 sent spam to us; write to postmaster@example.com from another address"},
        {"::ffff:203.0.113.9", "+-+-", 4, 0,
         "203.0.113.9 sent spam to us; write to postmaster@example.com from another address"},
        {"203.0.113.65", "----", 0, -1, NULL},
        {"203.0.113.70", "+-++", 0, 0,
         "203.0.113.70 sent spam to us; write to postmaster@example.com from another address"},
        {"198.51.100.7", "+-+-", 4, 0,
         "Your machine 198.51.100.7 runs a spam program; ask whoever looks after it"},
        {"198.51.100.200", "-++-", 3, 1,
         "198.51.100.200 is a dial-up address; log in and use port 587"},
        {"2001:db8:bad::1", "+-+-", 4, 0,
         "2001:db8:bad::1 sent spam to us; write to postmaster@example.com from another address"},
        {"2001:db8:bad:900d::1", "----", 0, -1, NULL},
        {"2001:db8:0:1::25", "+-+-", 4, 0,
         "Your machine 2001:db8:0:1::25 runs a spam program; ask whoever looks after it"},
        {"192.0.2.1", "----", 0, -1, NULL},
        {"127.0.0.2", "....", 0, -1, NULL},
        {"10.0.0.1", "....", 0, -1, NULL},
    };
    struct site site;
    if (!open_site(&site, start_lists(), 2000))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct dnsbl_lookup *lookup = begin(&site, sites, "", "");
        struct dnsbl_sum sum;
        add_address(lookup, rows[i].address);
        await(&site, lookup, 60000);
        dnsbl_lookup_advance(lookup, DNSBL_ENVELOPE);
        dnsbl_lookup_sum(lookup, DNSBL_ENVELOPE, &sum);
        g_autofree char *got = verdicts(lookup, 4);
        g_test_message("%s: %s", rows[i].address, got);
        g_assert_cmpstr(got, ==, rows[i].verdicts);
        g_assert_cmpint(sum.sum, ==, rows[i].sum);
        g_assert_cmpint(sum.lowest, ==, rows[i].sum);
        g_assert_cmpint(sum.top, ==, rows[i].top);
        if (sum.top >= 0) {
            g_autofree char *text = get_text(&site, lookup, (unsigned)sum.top);
            g_assert_cmpstr(text, ==, rows[i].text);
        }
        dnsbl_lookup_free(lookup);
    }
    g_assert_cmpint(health_of(&site, "bl.example.com", DNSBL_ADDRESS), ==, DNSBL_IN_USE);
    g_assert_cmpstr(site.events->str, ==, "");
    close_site(&site);
}

/* Names and hashes: which place asks, no address to a list of names, once per entry. */
static void test_names(void)
{
    static const char rhsbl[] = "dbl.example.com=127.0.1.[2..99]*3/sender,helo,ptr,from,reply-to "
                                "dbl.example.com*2/helo dbl.example.com=127.0.1.4*4";
    static const char hashbl[] = "ebl.example.com*5/sender,from,reply-to:sha1 "
                                 "ebl.example.com*1:sha256 ebl.example.com*1:md5";
    static const struct {
        const char *helo, *ptr, *sender, *from, *verdicts;
        int sum;
        enum dnsbl_place place; /* of the first entry */
        const char *what;
    } rows[] = {
        {"spam.example", "unknown", "a@b.example", NULL, "++----", 5, DNSBL_HELO, "spam.example"},
        {"a.example", "mx.Spam.Example", "x@b.example", NULL, "+-----", 3, DNSBL_PTR,
         "mx.Spam.Example"},
        {"a.example", NULL, "x@bank-login.example", NULL, "+-+---", 7, DNSBL_SENDER,
         "x@bank-login.example"},
        {"a.example", NULL, "Offer+x@Spammer.example", NULL, "---+++", 7, DNSBL_HELO, "a.example"},
        {"a.example", NULL, "x@b.example", "Prince.419+i@GoogleMail.com", "---+--", 5, DNSBL_HELO,
         "a.example"},
        {"spam.example", "spam.example", "x@spam.example", "y@shop.example.net", "++----", 5,
         DNSBL_HELO, "spam.example"},
        {"friendly.spam.example", NULL, "x@b.example", NULL, "------", 0, DNSBL_HELO,
         "friendly.spam.example"},
        {"[203.0.113.9]", "203.0.113.9", "x@[203.0.113.9]", "x@host.9", "......", 0, 0, NULL},
        {NULL, NULL, NULL, NULL, "......", 0, 0, NULL},
    };
    struct site site;
    if (!open_site(&site, start_lists(), 2000))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct dnsbl_lookup *lookup = begin(&site, "", rhsbl, hashbl);
        struct dnsbl_sum sum;
        struct dnsbl_result result;
        if (rows[i].helo)
            dnsbl_lookup_add_name(lookup, DNSBL_HELO, rows[i].helo);
        if (rows[i].ptr)
            dnsbl_lookup_add_name(lookup, DNSBL_PTR, rows[i].ptr);
        if (rows[i].sender)
            dnsbl_lookup_add_email(lookup, DNSBL_SENDER, rows[i].sender);
        if (rows[i].from)
            dnsbl_lookup_add_email(lookup, DNSBL_FROM, rows[i].from);
        await(&site, lookup, 60000);
        dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
        dnsbl_lookup_sum(lookup, DNSBL_ANYWHERE, &sum);
        g_autofree char *got = verdicts(lookup, 6);
        g_test_message("%zu: %s", i, got);
        g_assert_cmpstr(got, ==, rows[i].verdicts);
        g_assert_cmpint(sum.sum, ==, rows[i].sum);
        dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
        dnsbl_lookup_result(lookup, 0, DNSBL_ANYWHERE, &result);
        g_assert_cmpint(result.place, ==, rows[i].place);
        g_assert_cmpstr(result.what, ==, rows[i].what);
        dnsbl_lookup_free(lookup);
    }
    g_assert_cmpstr(site.events->str, ==, "");
    close_site(&site);
}

/* Places are summed apart, and forgotten for the next message. */
static void test_places(void)
{
    struct site site;
    if (!open_site(&site, start_lists(), 2000))
        return;
    struct dnsbl_lookup *lookup =
        begin(&site, "bl.example.com*3", "dbl.example.com*2/sender,from", "ebl.example.com/from");
    struct dnsbl_sum sum;
    add_address(lookup, "203.0.113.9");
    dnsbl_lookup_add_email(lookup, DNSBL_SENDER, "x@b.example");
    await(&site, lookup, 60000);
    dnsbl_lookup_add_email(lookup, DNSBL_FROM, "offer@spammer.example");
    dnsbl_lookup_add_email(lookup, DNSBL_FROM, "offer@spam.example");
    await(&site, lookup, 60000);
    dnsbl_lookup_advance(lookup, DNSBL_ENVELOPE);
    dnsbl_lookup_sum(lookup, DNSBL_ENVELOPE, &sum);
    g_assert_cmpint(sum.sum, ==, 3);
    dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
    dnsbl_lookup_sum(lookup, DNSBL_ANYWHERE, &sum);
    g_assert_cmpint(sum.sum, ==, 6);
    dnsbl_lookup_forget(lookup, DNSBL_SENDER | DNSBL_FROM | DNSBL_REPLY_TO);
    dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
    dnsbl_lookup_sum(lookup, DNSBL_ANYWHERE, &sum);
    g_assert_cmpint(sum.sum, ==, 3);
    dnsbl_lookup_add_email(lookup, DNSBL_SENDER, "x@shop.example.net");
    await(&site, lookup, 60000);
    dnsbl_lookup_advance(lookup, DNSBL_ENVELOPE);
    dnsbl_lookup_sum(lookup, DNSBL_ENVELOPE, &sum);
    g_assert_cmpint(sum.sum, ==, 5);
    dnsbl_lookup_free(lookup);
    close_site(&site);
}

/* Of any number of keys those beyond the limit are not asked about, and that is told; keys that are
 * there already count for nothing. */
static void test_many_keys(void)
{
    struct site site;
    if (!open_site(&site, start_lists(), 2000))
        return;
    struct dnsbl_lookup *lookup = begin(&site, "", "dbl.example.com/from", "");
    for (unsigned i = 0; i < 10 * DNSBL_KEYS_MAX; i++) {
        g_autofree char *address = g_strdup_printf("a@b%u.example", i);
        dnsbl_lookup_add_email(lookup, DNSBL_FROM, address);
    }
    g_assert_cmpuint(dnsbl_lookup_unasked(lookup), ==, DNSBL_FROM);
    await(&site, lookup, 60000);
    struct dnsbl_list_status *status = dnsbl_state_list(site.state, "dbl.example.com", DNSBL_NAME);
    g_assert_cmpuint(status->asked, ==, DNSBL_KEYS_MAX);
    dnsbl_lookup_forget(lookup, DNSBL_FROM);
    g_assert_cmpuint(dnsbl_lookup_unasked(lookup), ==, 0);
    for (unsigned i = 0; i < 10 * DNSBL_KEYS_MAX; i++) {
        g_autofree char *address = g_strdup_printf("a@b%u.example", i % DNSBL_KEYS_MAX);
        dnsbl_lookup_add_email(lookup, DNSBL_FROM, address);
        dnsbl_lookup_add_email(lookup, DNSBL_SENDER, address); /* of no interest to the list */
    }
    g_assert_cmpuint(dnsbl_lookup_unasked(lookup), ==, 0);
    dnsbl_list_status_free(status);
    dnsbl_lookup_free(lookup);
    close_site(&site);
}

/* Of two entries for a list whose answer was cut off, one has found its code; the other's may have
 * been behind it. */
static void test_cut(void)
{
    struct site site;
    if (!open_site(&site, test_badserver_start(), 15000))
        return;
    struct dnsbl_lookup *lookup = begin(&site,
                                        "list.cut.a-127-0-0-5.bad.test=127.0.0.5 "
                                        "list.cut.a-127-0-0-5.bad.test=127.0.0.6",
                                        "", "");
    add_address(lookup, "203.0.113.9");
    await(&site, lookup, 60000);
    g_autofree char *got = verdicts(lookup, 2);
    g_assert_cmpstr(got, ==, "+?");
    dnsbl_lookup_free(lookup);
    close_site(&site);
}

/* One question each to a list of one entry that misbehaves: those of which nothing is heard, or not
 * what was asked for, with a short time-out. */
static void test_faults(void)
{
    static const struct {
        const char *site;
        const char *verdict;
        enum dnsbl_reason reason;
        enum dnsbl_health health;
    } rows[] = {
        {"list.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.a-127-0-0-1.bad.test", "-", DNSBL_FINE, DNSBL_IN_USE},
        {"list.a-127-0-0-1.bad.test=127.0.0.1", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.nx.bad.test", "-", DNSBL_FINE, DNSBL_IN_USE},
        {"list.nodata.bad.test", "-", DNSBL_FINE, DNSBL_IN_USE},
        {"list.a-127-0-0-5.bad.test=127.0.0.[2..4]", "-", DNSBL_FINE, DNSBL_IN_USE},
        {"list.a-127-255-255-254.bad.test", "?", DNSBL_REFUSES, DNSBL_ASIDE},
        {"list.a-127-255-255-254.a-127-0-0-2.bad.test", "?", DNSBL_REFUSES, DNSBL_ASIDE},
        {"list.a-127-255-255-252.bad.test=127.0.0.[2..4]", "?", DNSBL_REFUSES, DNSBL_ASIDE},
        {"list.a-127-255-255-251.bad.test=127.255.255.[0..255]", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.a-192-0-2-1.bad.test", "?", DNSBL_REWRITTEN, DNSBL_ASIDE},
        {"list.a-192-0-2-1.x.bad.test=192.0.2.1", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"a-127-0-0-2.world.test", "?", DNSBL_LISTS_PROBE, DNSBL_ASIDE},
        {"a-127-0-0-2.world2.test=127.0.0.2", "?", DNSBL_LISTS_PROBE, DNSBL_ASIDE},
        {"list.pdelay-150.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.psilent.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.pservfail.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.servfail.bad.test", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.refused.bad.test", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.silent.bad.test", "?", DNSBL_TIMED_OUT, DNSBL_IN_USE},
        {"list.garbage.bad.test", "?", DNSBL_TIMED_OUT, DNSBL_IN_USE},
        {"list.onlywrongid.a-127-0-0-2.bad.test", "?", DNSBL_TIMED_OUT, DNSBL_IN_USE},
        {"list.loop.bad.test", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.chain-3.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.trunc.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.many-1000.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.many-1000.bad.test=127.0.2.2", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.cut.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
        {"list.cut.a-127-0-0-5.bad.test=127.0.0.[2..4]", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.nx.a-127-0-0-2.bad.test", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.nx.a-127-255-255-254.bad.test", "?", DNSBL_ERROR, DNSBL_IN_USE},
        {"list.wrongid.a-127-0-0-2.bad.test", "+", DNSBL_FINE, DNSBL_IN_USE},
    };
    struct site hasty, patient;
    if (!open_site(&hasty, test_badserver_start(), 1000))
        return;
    g_assert_true(open_site(&patient, test_badserver_start(), 15000));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool unheard = rows[i].reason == DNSBL_TIMED_OUT || strstr(rows[i].site, ".psilent.");
        struct site *site = unheard ? &hasty : &patient;
        struct dnsbl_lookup *lookup = begin(site, rows[i].site, "", "");
        struct dnsbl_result result;
        struct dnsbl_asked asked;
        struct dnsbl_sum sum;
        add_address(lookup, "203.0.113.9");
        await(site, lookup, 60000);
        g_autofree char *got = verdicts(lookup, 1);
        dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
        dnsbl_lookup_result(lookup, 0, DNSBL_ANYWHERE, &result);
        dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
        dnsbl_lookup_sum(lookup, DNSBL_ANYWHERE, &sum);
        g_test_message("%s: %s, %s", rows[i].site, got,
                       dnsbl_reason_text(result.reason, DNSBL_ADDRESS));
        g_assert_cmpstr(got, ==, rows[i].verdict);
        /* c-ares from 1.28 on gives up at what is no message, older ones wait for a better one */
        if (!strstr(rows[i].site, ".garbage.") || result.reason != DNSBL_ERROR)
            g_assert_cmpint(result.reason, ==, rows[i].reason);
        /* and so the history has it, without the filter */
        g_assert_true(dnsbl_lookup_asked(lookup, 0, &asked));
        g_assert_cmpint(asked.verdict == DNSBL_UNKNOWN, ==, result.verdict == DNSBL_UNKNOWN);
        g_assert_cmpint(asked.reason, ==, result.reason);
        g_assert_cmpint(sum.sum, ==, strcmp(got, "+") == 0 ? 1 : 0);
        g_assert_cmpint(health_of(site, result.entry->zone, DNSBL_ADDRESS), ==, rows[i].health);
        dnsbl_lookup_free(lookup);
    }
    close_site(&hasty);
    close_site(&patient);
}

/* The same zone answers addresses well and has INVALID: it is set aside for names alone. */
static void test_kinds(void)
{
    struct site site;
    if (!open_site(&site, test_badserver_start(), 2000))
        return;
    struct dnsbl_lookup *lookup = begin(&site, "", "a-127-0-0-2.world.test/helo", "");
    dnsbl_lookup_add_name(lookup, DNSBL_HELO, "some.example");
    await(&site, lookup, 60000);
    g_assert_cmpint(health_of(&site, "a-127-0-0-2.world.test", DNSBL_NAME), ==, DNSBL_ASIDE);
    g_assert_cmpint(health_of(&site, "a-127-0-0-2.world.test", DNSBL_ADDRESS), ==, -1);
    g_assert_nonnull(strstr(site.events->str, "it lists INVALID"));
    dnsbl_lookup_free(lookup);
    close_site(&site);
}

/* A list that is set aside is not asked; one line tells of it. */
static void test_set_aside(void)
{
    static const char zone[] = "list.a-127-255-255-254.bad.test";
    struct site site;
    if (!open_site(&site, test_badserver_start(), 2000))
        return;
    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *address = g_strdup_printf("203.0.113.%u", i + 1);
        struct dnsbl_lookup *lookup = begin(&site, zone, "", "");
        add_address(lookup, address);
        g_assert_cmpint(await(&site, lookup, 60000), <, 60000);
        dnsbl_lookup_free(lookup);
    }
    struct dnsbl_list_status *status = dnsbl_state_list(site.state, zone, DNSBL_ADDRESS);
    g_assert_cmpuint(status->asked, ==, 1);
    g_assert_cmpuint(status->skipped, ==, 4);
    g_assert_cmpint(status->reason, ==, DNSBL_REFUSES);
    g_assert_cmpint(status->retry_in, >, DNSBL_PAUSE_FIRST / 2);
    dnsbl_list_status_free(status);
    g_assert_cmpstr(site.events->str, ==,
                    "DNS list list.a-127-255-255-254.bad.test is set aside for 30s: it refuses to "
                    "serve us (127.255.255.0/24)|");
    close_site(&site);
}

/* One time-out does nothing; a run of them sets the list aside, and nobody waits any longer. */
static void test_silent(void)
{
    static const char zone[] = "list.silent.bad.test";
    struct site site;
    if (!open_site(&site, test_badserver_start(), 5000))
        return;
    probe(&site, zone);
    for (unsigned i = 0; i < DNSBL_FAILURES_MAX; i++) {
        g_assert_cmpint(health_of(&site, zone, DNSBL_ADDRESS), !=, DNSBL_ASIDE);
        g_autofree char *address = g_strdup_printf("203.0.113.%u", i + 1);
        struct dnsbl_lookup *lookup = begin(&site, zone, "", "");
        add_address(lookup, address);
        int64_t ms = await(&site, lookup, 200);
        g_assert_cmpint(ms, >=, 199);
        g_assert_cmpint(ms, <, 20000); /* the resolver's own time is 25 s */
        g_autofree char *got = verdicts(lookup, 1);
        g_assert_cmpstr(got, ==, "?");
        dnsbl_lookup_free(lookup);
    }
    g_assert_cmpint(health_of(&site, zone, DNSBL_ADDRESS), ==, DNSBL_ASIDE);
    struct dnsbl_lookup *lookup = begin(&site, zone, "", "");
    add_address(lookup, "203.0.113.200");
    g_assert_cmpint(await(&site, lookup, 20000), <, 20000);
    dnsbl_lookup_free(lookup);
    struct dnsbl_list_status *status = dnsbl_state_list(site.state, zone, DNSBL_ADDRESS);
    g_assert_cmpuint(status->timeouts, ==, DNSBL_FAILURES_MAX);
    dnsbl_list_status_free(status);
    close_site(&site);
}

/* Several sessions that wait for the same answer are one failure. */
static void test_shared_failure(void)
{
    static const char zone[] = "list.silent.bad.test";
    struct site site;
    if (!open_site(&site, test_badserver_start(), 5000))
        return;
    probe(&site, zone);
    struct dnsbl_lookup *lookups[20];
    for (unsigned i = 0; i < 20; i++) {
        lookups[i] = begin(&site, zone, "", "");
        add_address(lookups[i], "203.0.113.9");
    }
    for (unsigned i = 0; i < 20; i++) {
        await(&site, lookups[i], 20);
        dnsbl_lookup_free(lookups[i]);
    }
    g_assert_cmpint(health_of(&site, zone, DNSBL_ADDRESS), ==, DNSBL_IN_USE);
    close_site(&site);
}

/* No listing counts before the probe has answered, not even at the deadline; "not listed" does. */
static void test_probe_first(void)
{
    struct site site;
    if (!open_site(&site, test_badserver_start(), 20000))
        return;
    struct dnsbl_lookup *lookup = begin(&site,
                                        "list.pdelay-5000.a-127-0-0-2.one.test*5 "
                                        "list.pdelay-5000.nx.two.test*3",
                                        "", "");
    struct dnsbl_sum sum;
    add_address(lookup, "203.0.113.9");
    g_autofree char *early = verdicts(lookup, 2);
    for (int i = 0; i < 400 && strcmp(early, "pp") == 0; i++) {
        g_usleep(10000);
        g_free(early);
        early = verdicts(lookup, 2);
    }
    g_assert_cmpstr(early, ==, "p-");
    dnsbl_lookup_advance(lookup, DNSBL_ENVELOPE);
    dnsbl_lookup_sum(lookup, DNSBL_ENVELOPE, &sum);
    g_assert_true(sum.pending);
    g_assert_cmpint(sum.sum, ==, 0);
    g_assert_cmpint(sum.highest, ==, 5);
    dnsbl_lookup_set_deadline(lookup, g_get_monotonic_time());
    g_autofree char *late = verdicts(lookup, 2);
    g_assert_cmpstr(late, ==, "?-");
    await(&site, lookup, 60000);
    g_autofree char *last = verdicts(lookup, 2);
    g_assert_cmpstr(last, ==, "+-");
    dnsbl_lookup_free(lookup);
    struct dnsbl_list_status *status =
        dnsbl_state_list(site.state, "list.pdelay-5000.nx.two.test", DNSBL_ADDRESS);
    g_assert_cmpuint(status->timeouts, ==, 0);
    dnsbl_list_status_free(status);
    close_site(&site);
}

/* A thousand sessions at once whose lists take 200 ms: one round trip, not the sum. What a busy
 * machine makes of the server, which is no fast one, must not count as silence. */
static void test_parallel(void)
{
    enum { SESSIONS = 1000 };
    struct site site;
    if (!open_site(&site, test_badserver_start(), 15000))
        return;
    static struct dnsbl_lookup *lookups[SESSIONS];
    int64_t start = g_get_monotonic_time();
    for (unsigned i = 0; i < SESSIONS; i++) {
        g_autofree char *address = g_strdup_printf("198.51.%u.%u", i / 250, i % 250 + 1);
        lookups[i] = begin(&site,
                           "list.delay-200.a-127-0-0-2.one.test list.delay-200.nx.two.test "
                           "list.delay-200.nx.three.test",
                           "", "");
        add_address(lookups[i], address);
    }
    for (unsigned i = 0; i < SESSIONS; i++) {
        await(&site, lookups[i], 60000);
        g_autofree char *got = verdicts(lookups[i], 3);
        g_assert_cmpstr(got, ==, "+--");
        dnsbl_lookup_free(lookups[i]);
    }
    struct dnsbl_list_status *status =
        dnsbl_state_list(site.state, "list.delay-200.nx.two.test", DNSBL_ADDRESS);
    g_test_message("%d sessions in %d ms; latency of a list p50 %d p99 %d ms", SESSIONS,
                   (int)((g_get_monotonic_time() - start) / 1000),
                   (int)(status->latency_p50 / 1000), (int)(status->latency_p99 / 1000));
    g_assert_cmpuint(status->asked, ==, SESSIONS);
    g_assert_cmpint(status->latency_p50, >=, 200000);
    dnsbl_list_status_free(status);
    close_site(&site);
}

static void test_status(void)
{
    struct site site;
    if (!open_site(&site, start_lists(), 2000))
        return;
    dnsbl_state_probe(site.state, site.resolver, "wl.example.com", DNSBL_ADDRESS);
    for (unsigned i = 0; i < 2; i++) {
        struct dnsbl_lookup *lookup = begin(&site, "bl.example.com", "", "");
        add_address(lookup, "203.0.113.9");
        await(&site, lookup, 60000);
        dnsbl_lookup_free(lookup);
    }
    await_test_entry(&site, "bl.example.com", DNSBL_TEST_LISTED);
    await_test_entry(&site, "wl.example.com", DNSBL_TEST_LISTED);
    GPtrArray *all = dnsbl_state_status(site.state);
    g_assert_cmpuint(all->len, ==, 2);
    const struct dnsbl_list_status *status = all->pdata[0];
    g_assert_cmpstr(status->zone, ==, "bl.example.com");
    g_assert_cmpuint(status->asked, ==, 2);
    g_assert_cmpuint(status->cached, ==, 1);
    g_assert_cmpuint(status->listed, ==, 2);
    g_assert_cmpint(status->test_entry, ==, DNSBL_TEST_LISTED);
    g_assert_cmpint(status->latency_p50, >, 0);
    g_assert_false(status->probing);
    status = all->pdata[1];
    g_assert_cmpstr(status->zone, ==, "wl.example.com");
    g_assert_cmpint(status->health, ==, DNSBL_IN_USE);
    g_assert_cmpuint(status->asked, ==, 0);
    g_ptr_array_unref(all);
    close_site(&site);
}

/* A sound list without its test entry is used, with a warning. */
static void test_no_test_entry(void)
{
    struct site site;
    if (!open_site(&site, test_badserver_start(), 2000))
        return;
    struct dnsbl_lookup *lookup = begin(&site, "nx.empty.test", "", "");
    add_address(lookup, "203.0.113.9");
    await(&site, lookup, 60000);
    await_test_entry(&site, "nx.empty.test", DNSBL_TEST_MISSING);
    dnsbl_lookup_free(lookup);
    struct dnsbl_list_status *status = dnsbl_state_list(site.state, "nx.empty.test", DNSBL_ADDRESS);
    g_assert_cmpint(status->health, ==, DNSBL_IN_USE);
    g_assert_cmpint(status->test_entry, ==, DNSBL_TEST_MISSING);
    dnsbl_list_status_free(status);
    g_assert_cmpstr(site.events->str, ==,
                    "DNS list nx.empty.test: it does not list its test entry 127.0.0.2|");
    close_site(&site);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dnsbl/lookup/addresses", test_addresses);
    g_test_add_func("/dnsbl/lookup/names", test_names);
    g_test_add_func("/dnsbl/lookup/places", test_places);
    g_test_add_func("/dnsbl/lookup/many-keys", test_many_keys);
    g_test_add_func("/dnsbl/lookup/faults", test_faults);
    g_test_add_func("/dnsbl/lookup/cut", test_cut);
    g_test_add_func("/dnsbl/lookup/kinds", test_kinds);
    g_test_add_func("/dnsbl/lookup/set-aside", test_set_aside);
    g_test_add_func("/dnsbl/lookup/silent", test_silent);
    g_test_add_func("/dnsbl/lookup/shared-failure", test_shared_failure);
    g_test_add_func("/dnsbl/lookup/probe-first", test_probe_first);
    g_test_add_func("/dnsbl/lookup/parallel", test_parallel);
    g_test_add_func("/dnsbl/lookup/status", test_status);
    g_test_add_func("/dnsbl/lookup/no-test-entry", test_no_test_entry);
    return g_test_run();
}
