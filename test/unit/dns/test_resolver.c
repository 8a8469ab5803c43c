/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolver against a server that misbehaves in all the ways that a server can.
 */
#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "dns/resolver.h"
#include "testservers.h"

static struct test_server *server;

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    unsigned count;
};

static void ring(void *data)
{
    struct bell *bell = data;
    pthread_mutex_lock(&bell->lock);
    bell->count++;
    pthread_cond_broadcast(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

#define BELL_INIT                                                                                  \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                     \
    }

static void await(struct bell *bell, unsigned count)
{
    pthread_mutex_lock(&bell->lock);
    while (bell->count < count)
        pthread_cond_wait(&bell->rung, &bell->lock);
    pthread_mutex_unlock(&bell->lock);
}

static struct resolver *new_resolver(unsigned timeout_ms, unsigned tries)
{
    struct problems *problems = problems_new();
    struct resolver_options options = {.timeout_ms = timeout_ms, .tries = tries};
    struct resolver *resolver =
        resolver_new(test_server_address(server), &options, problems, "test", 1);
    g_assert_nonnull(resolver);
    problems_free(problems);
    return resolver;
}

/* Asks and waits; the caller drops the question. */
static struct dns_question *look(struct resolver *resolver, const char *name, enum dns_type type)
{
    struct bell bell = BELL_INIT;
    struct dns_question *question = resolver_ask(resolver, name, type, (struct waker){ring, &bell});
    if (!dns_question_immediate(question))
        await(&bell, 1);
    g_assert_cmpint(dns_question_state(question), !=, DNS_PENDING);
    dns_question_cancel(question);
    return question;
}

static unsigned times_asked(struct resolver *resolver, const char *name)
{
    g_autofree char *counted = g_strdup_printf("%s.counted.test", name);
    struct dns_question *question = look(resolver, counted, DNS_TXT);
    unsigned count = (unsigned)g_ascii_strtoull(dns_question_answer(question)->texts[0], NULL, 10);
    dns_question_drop(question);
    return count;
}

static void test_outcomes(void)
{
    enum { GARBAGE_OR_TIMEOUT = -1 };
    static const struct {
        const char *name;
        enum dns_type type;
        enum dns_state state;
        int failure; /* enum dns_failure */
        unsigned count;
    } rows[] = {
        {"a-127-0-0-2.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"A-127-0-0-2.x.", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"a-127-0-0-2.a-127-0-0-3.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 2},
        {"a-127-0-0-2.x", DNS_TXT, DNS_NO_DATA, DNS_FAIL_NONE, 0},
        {"text-hello.x", DNS_TXT, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"mx-20.mx-10.x", DNS_MX, DNS_ANSWERED, DNS_FAIL_NONE, 2},
        {"nullmx.x", DNS_MX, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"nx.x", DNS_A, DNS_NO_NAME, DNS_FAIL_NONE, 0},
        {"nodata.x", DNS_A, DNS_NO_DATA, DNS_FAIL_NONE, 0},
        {"servfail.x", DNS_A, DNS_FAILED, DNS_FAIL_SERVFAIL, 0},
        {"refused.x", DNS_A, DNS_FAILED, DNS_FAIL_REFUSED, 0},
        {"formerr.x", DNS_A, DNS_FAILED, DNS_FAIL_FORMERR, 0},
        {"silent.x", DNS_A, DNS_FAILED, DNS_FAIL_TIMEOUT, 0},
        /* c-ares from 1.28 on gives up at what is no message, older ones wait for a better one */
        {"garbage.x", DNS_A, DNS_FAILED, GARBAGE_OR_TIMEOUT, 0},
        {"badrdata.x", DNS_A, DNS_FAILED, DNS_FAIL_GARBAGE, 0},
        {"drop-1.a-127-0-0-9.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"wrongid.a-127-0-0-2.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"onlywrongid.a-127-0-0-2.x", DNS_A, DNS_FAILED, DNS_FAIL_TIMEOUT, 0},
        {"wrongname.a-127-0-0-2.x", DNS_A, DNS_FAILED, DNS_FAIL_TIMEOUT, 0},
        {"trunc.a-127-0-0-4.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"trunc.many-1000.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, DNS_RECORDS_MAX},
        {"many-1000.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, DNS_RECORDS_MAX},
        {"chain-16.x", DNS_A, DNS_ANSWERED, DNS_FAIL_NONE, 1},
        {"chain-17.x", DNS_A, DNS_FAILED, DNS_FAIL_GARBAGE, 0},
        {"loop.x", DNS_A, DNS_FAILED, DNS_FAIL_GARBAGE, 0},
        {"no..name", DNS_A, DNS_FAILED, DNS_FAIL_NAME, 0},
        {"", DNS_A, DNS_FAILED, DNS_FAIL_NAME, 0},
        {"a b", DNS_A, DNS_FAILED, DNS_FAIL_NAME, 0},
        {"something.onion", DNS_A, DNS_NO_NAME, DNS_FAIL_NONE, 0},
    };
    struct resolver *resolver = new_resolver(300, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct dns_question *question = look(resolver, rows[i].name, rows[i].type);
        const struct dns_answer *answer = dns_question_answer(question);
        g_test_message("%s: state %d, %s", rows[i].name, answer->state,
                       dns_failure_text(answer->failure));
        g_assert_cmpint(answer->state, ==, rows[i].state);
        if (rows[i].failure == GARBAGE_OR_TIMEOUT)
            g_assert_true(answer->failure == DNS_FAIL_GARBAGE ||
                          answer->failure == DNS_FAIL_TIMEOUT);
        else
            g_assert_cmpint(answer->failure, ==, rows[i].failure);
        g_assert_cmpuint(answer->count, ==, rows[i].count);
        dns_question_drop(question);
    }
    resolver_free(resolver);
}

static void test_records(void)
{
    struct resolver *resolver = new_resolver(500, 2);
    struct dns_question *question = look(resolver, "mx-20.mx-10.x", DNS_MX);
    const struct dns_answer *answer = dns_question_answer(question);
    g_assert_cmpuint(answer->mx[0].preference, ==, 10);
    g_assert_cmpstr(answer->mx[1].host, ==, "mx.example");
    g_assert_false(dns_answer_is_null_mx(answer));
    dns_question_drop(question);
    question = look(resolver, "nullmx.x", DNS_MX);
    g_assert_true(dns_answer_is_null_mx(dns_question_answer(question)));
    dns_question_drop(question);
    question = look(resolver, "delay-100.text-hello.x", DNS_TXT);
    g_assert_cmpstr(dns_question_answer(question)->texts[0], ==, "hello");
    g_assert_cmpint(dns_question_answer(question)->latency_us, >=, 100000);
    dns_question_drop(question);
    resolver_free(resolver);
}

/* Answers come in another order than the questions went out. */
static struct dns_question *look_flags(struct resolver *resolver, const char *name,
                                       enum dns_type type, unsigned flags)
{
    struct bell bell = BELL_INIT;
    struct dns_question *question =
        resolver_ask_flags(resolver, name, type, flags, (struct waker){ring, &bell});
    if (!dns_question_immediate(question))
        await(&bell, 1);
    dns_question_cancel(question);
    return question;
}

/* What is asked besides is part of the question, and of what is remembered. */
static void test_flags(void)
{
    static const struct {
        const char *name;
        enum dns_type type;
        unsigned flags;
        enum dns_state state;
        bool authenticated;
        unsigned asked; /* how often the server saw the name so far */
    } rows[] = {
        {"signed.a-192-0-2-1", DNS_A, 0, DNS_ANSWERED, false, 1},
        {"signed.a-192-0-2-1", DNS_A, DNS_ASK_AD, DNS_ANSWERED, true, 2},
        {"signed.a-192-0-2-1", DNS_A, 0, DNS_ANSWERED, false, 2},
        {"Signed.a-192-0-2-1.", DNS_A, DNS_ASK_AD, DNS_ANSWERED, true, 2},
        {"signed.a-192-0-2-1", DNS_A, DNS_ASK_AD | DNS_ASK_CD, DNS_ANSWERED, true, 3},
        {"a-192-0-2-1.plain", DNS_A, DNS_ASK_AD, DNS_ANSWERED, false, 1},
        {"signed.nx", DNS_TLSA, DNS_ASK_AD, DNS_NO_NAME, true, 1},
        {"signed.nodata", DNS_TLSA, DNS_ASK_AD, DNS_NO_DATA, true, 1},
        {"bogus.mx-5", DNS_MX, DNS_ASK_AD, DNS_FAILED, false, 1},
        {"bogus.mx-5", DNS_MX, DNS_ASK_AD | DNS_ASK_CD, DNS_ANSWERED, false, 2},
        {"servfail.signed", DNS_MX, DNS_ASK_AD | DNS_ASK_CD, DNS_FAILED, false, 1},
        {"srv-7.srv-3", DNS_SRV, DNS_ASK_AD, DNS_ANSWERED, false, 1},
        {".", DNS_NS, DNS_ASK_AD, DNS_ANSWERED, true, 1},
        {".", DNS_NS, 0, DNS_ANSWERED, false, 2},
        {"ns-x.test", DNS_NS, 0, DNS_ANSWERED, false, 1},
        {"a-192-0-2-1.onion", DNS_A, DNS_ASK_AD, DNS_NO_NAME, false, 0},
        {"a-192-0-2-1.onion", DNS_A, 0, DNS_NO_NAME, false, 0},
    };
    struct resolver *resolver = new_resolver(2000, 1);
    g_assert_true(resolver_is_local(resolver));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct dns_question *question =
            look_flags(resolver, rows[i].name, rows[i].type, rows[i].flags);
        const struct dns_answer *answer = dns_question_answer(question);
        g_test_message("row %zu: %s", i, rows[i].name);
        g_assert_cmpint(answer->state, ==, rows[i].state);
        g_assert_cmpint(answer->authenticated, ==, rows[i].authenticated);
        g_autofree char *lower = g_ascii_strdown(rows[i].name, -1);
        if (strlen(lower) > 1 && g_str_has_suffix(lower, "."))
            lower[strlen(lower) - 1] = '\0';
        if (strcmp(lower, ".") != 0) /* the root is no label of a question for its count */
            g_assert_cmpuint(times_asked(resolver, lower), ==, rows[i].asked);
        if (rows[i].type == DNS_SRV)
            g_assert_cmpuint(answer->srv[0].priority, ==, 3);
        dns_question_drop(question);
    }
    resolver_free(resolver);
}

static void test_order(void)
{
    struct resolver *resolver = new_resolver(2000, 2);
    struct bell slow = BELL_INIT, fast = BELL_INIT;
    struct dns_question *first =
        resolver_ask(resolver, "delay-1500.a-127-0-0-2.x", DNS_A, (struct waker){ring, &slow});
    struct dns_question *second =
        resolver_ask(resolver, "a-127-0-0-3.y", DNS_A, (struct waker){ring, &fast});
    await(&fast, 1);
    g_assert_cmpint(dns_question_state(first), ==, DNS_PENDING);
    g_assert_null(dns_question_answer(first));
    g_assert_cmpint(dns_question_answer(second)->addresses[0].bytes[3], ==, 3);
    await(&slow, 1);
    g_assert_cmpint(dns_question_answer(first)->addresses[0].bytes[3], ==, 2);
    dns_question_drop(first);
    dns_question_drop(second);
    resolver_free(resolver);
}

static void test_shared(void)
{
    struct resolver *resolver = new_resolver(2000, 2);
    struct bell bell = BELL_INIT;
    struct dns_question *questions[100];
    for (unsigned i = 0; i < 100; i++)
        questions[i] = resolver_ask(
            resolver, i % 2 ? "DELAY-200.a-127-0-0-2.shared" : "delay-200.a-127-0-0-2.shared",
            DNS_A, (struct waker){ring, &bell});
    for (unsigned i = 0; i < 100; i += 4)
        dns_question_cancel(questions[i]);
    await(&bell, 75);
    uint64_t serial = dns_question_serial(questions[0]);
    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpuint(dns_question_serial(questions[i]), ==, serial);
        dns_question_drop(questions[i]);
    }
    g_assert_cmpuint(bell.count, ==, 75);
    g_assert_cmpuint(times_asked(resolver, "delay-200.a-127-0-0-2.shared"), ==, 1);
    struct resolver_counts counts;
    resolver_counts(resolver, &counts);
    g_assert_cmpuint(counts.shared, ==, 99);
    g_assert_cmpuint(counts.under_way, ==, 0);
    resolver_free(resolver);
}

/* TTLs are honoured for answers and for "there is none"; failures are asked again. */
static void test_cache(void)
{
    static const struct {
        const char *name;
        unsigned at_once, later;
    } rows[] = {
        {"ttl-4.a-127-0-0-2.cache", 1, 2}, {"ttl-4.nx.cache", 1, 2},
        {"ttl-60.nodata.cache", 1, 1},     {"ttl-60.nx.nosoa.cache", 2, 3},
        {"ttl-0.a-127-0-0-2.cache", 2, 3}, {"a-127-0-0-2.cache", 1, 1},
        {"formerr.cache", 2, 3},
    };
    struct resolver *resolver = new_resolver(10000, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        dns_question_drop(look(resolver, rows[i].name, DNS_A));
        dns_question_drop(look(resolver, rows[i].name, DNS_A));
        g_assert_cmpuint(times_asked(resolver, rows[i].name), ==, rows[i].at_once);
    }
    g_usleep(4100000);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        dns_question_drop(look(resolver, rows[i].name, DNS_A));
        g_assert_cmpuint(times_asked(resolver, rows[i].name), ==, rows[i].later);
    }
    struct bell bell = BELL_INIT;
    struct dns_question *fresh =
        resolver_ask_fresh(resolver, "a-127-0-0-2.cache", DNS_A, (struct waker){ring, &bell});
    await(&bell, 1);
    g_assert_false(dns_question_immediate(fresh));
    dns_question_drop(fresh);
    g_assert_cmpuint(times_asked(resolver, "a-127-0-0-2.cache"), ==, 2);
    resolver_free(resolver);
}

static void test_stop(void)
{
    struct resolver *resolver = new_resolver(5000, 2);
    struct bell bell = BELL_INIT;
    struct dns_question *question =
        resolver_ask(resolver, "silent.x", DNS_A, (struct waker){ring, &bell});
    struct dns_question *other = dns_question_share(question, (struct waker){ring, &bell});
    struct dns_question *cancelled =
        resolver_ask(resolver, "silent.y", DNS_A, (struct waker){ring, &bell});
    dns_question_drop(cancelled);
    resolver_free(resolver);
    g_assert_cmpuint(bell.count, ==, 2);
    g_assert_cmpint(dns_question_answer(question)->failure, ==, DNS_FAIL_STOPPED);
    dns_question_drop(question);
    dns_question_drop(other);
}

static void test_nobody_there(void)
{
    struct problems *problems = problems_new();
    struct resolver *resolver = resolver_new("127.0.0.1:9", NULL, problems, "test", 1);
    struct dns_question *question = look(resolver, "a.example", DNS_A);
    g_assert_cmpint(dns_question_answer(question)->failure, ==, DNS_FAIL_NETWORK);
    dns_question_drop(question);
    resolver_free(resolver);
    problems_free(problems);
}

static void test_servers(void)
{
    static const struct {
        const char *text;
        unsigned errors;
    } rows[] = {
        {"", 0},
        {"127.0.0.1", 0},
        {"127.0.0.1:5353 [::1]:53", 0},
        {"::1,[::1]", 0},
        {"127.0.0.1:", 1},
        {"127.0.0.1:0", 1},
        {"127.0.0.1:65536", 1},
        {"localhost", 1},
        {"[::1", 1},
        {"[::1]53", 1},
        {"a b", 2},
        {"{", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct problems *problems = problems_new();
        g_assert_cmpint(resolver_servers_valid(rows[i].text, problems, "f", 3), ==,
                        rows[i].errors == 0);
        g_assert_cmpuint(problems_errors(problems), ==, rows[i].errors);
        problems_free(problems);
    }
}

static const struct {
    const char *path;
    void (*run)(void);
} tests[] = {
    {"/resolver/outcomes", test_outcomes}, {"/resolver/records", test_records},
    {"/resolver/flags", test_flags},       {"/resolver/order", test_order},
    {"/resolver/shared", test_shared},     {"/resolver/cache", test_cache},
    {"/resolver/stop", test_stop},
};

static void with_server(const void *data)
{
    void (*run)(void) = *(void (*const *)(void))data;
    server = test_badserver_start();
    if (server)
        run();
    test_server_stop(server);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_data_func(tests[i].path, &tests[i].run, with_server);
    g_test_add_func("/resolver/nobody-there", test_nobody_there);
    g_test_add_func("/resolver/servers", test_servers);
    return g_test_run();
}
