/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Domains and hosts that exist, do not exist, or cannot be told of.
 */
#include <glib.h>

#include "dns/domaincheck.h"
#include "base/waiting.h"
#include "testservers.h"

static const struct {
    const char *name;
    enum domaincheck_kind kind;
    enum domaincheck_result result;
} rows[] = {
    {"mx-10.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_EXISTS},
    {"a-192-0-2-1.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_EXISTS},
    {"nullmx.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_NULL_MX},
    {"nullmx.a-192-0-2-1.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_NULL_MX},
    {"nullmx.mx-10.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_EXISTS},
    {"badmx.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_MALFORMED},
    {"nx.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_NOT_FOUND},
    {"nodata.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_NOT_FOUND},
    {"servfail.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_CANNOT_TELL},
    {"silent.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_CANNOT_TELL},
    {"mxfail.a-192-0-2-1.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_EXISTS},
    {"mxfail.nodata.x.test", DOMAINCHECK_MAIL, DOMAINCHECK_CANNOT_TELL},
    {"a b.test", DOMAINCHECK_MAIL, DOMAINCHECK_NOT_FOUND},
    {"nx.b\xc3\xbc"
     "cher.test",
     DOMAINCHECK_MAIL, DOMAINCHECK_NOT_FOUND},
    {"a-192-0-2-1.x.test", DOMAINCHECK_HOST, DOMAINCHECK_EXISTS},
    {"mx-10.x.test", DOMAINCHECK_HOST, DOMAINCHECK_EXISTS},
    {"nullmx.x.test", DOMAINCHECK_HOST, DOMAINCHECK_EXISTS},
    {"nx.x.test", DOMAINCHECK_HOST, DOMAINCHECK_NOT_FOUND},
    {"servfail.x.test", DOMAINCHECK_HOST, DOMAINCHECK_CANNOT_TELL},
    {"chain-2.x.test", DOMAINCHECK_HOST, DOMAINCHECK_EXISTS},
};

static void test_all(void)
{
    struct test_server *server = test_badserver_start();
    if (!server)
        return;
    struct problems *problems = problems_new();
    struct resolver_options options = {.timeout_ms = 2000, .tries = 1};
    struct resolver *resolver =
        resolver_new(test_server_address(server), &options, problems, "test", 1);
    struct waiting waiting;
    waiting_init(&waiting);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct domaincheck *check =
            domaincheck_new(resolver, rows[i].name, rows[i].kind, waiting.waker);
        int64_t deadline = g_get_monotonic_time() + G_TIME_SPAN_MINUTE;
        while (domaincheck_advance(check), domaincheck_result(check) == DOMAINCHECK_PENDING)
            if (!waiting_sleep(&waiting, deadline))
                break;
        g_test_message("%s: %d", rows[i].name, domaincheck_result(check));
        g_assert_cmpint(domaincheck_result(check), ==, rows[i].result);
        domaincheck_free(check);
    }
    domaincheck_free(NULL);
    struct domaincheck *check =
        domaincheck_new(resolver, "silent.y.test", DOMAINCHECK_MAIL, waiting.waker);
    g_assert_cmpint(domaincheck_result(check), ==, DOMAINCHECK_PENDING);
    domaincheck_free(check);
    resolver_free(resolver);
    waiting_clear(&waiting);
    problems_free(problems);
    test_server_stop(server);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domaincheck/all", test_all);
    return g_test_run();
}
