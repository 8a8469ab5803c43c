/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions that ask the DNS, of a server that answers as the names say: whether a name exists,
 * and what lists say.
 */
#include "checks.h"

#include "dns/dnsbl.h"
#include "testservers.h"

static const struct check_row names[] = {
    {"reject_unknown_helo_hostname", {0}, "-"},
    {"reject_unknown_helo_hostname", {.helo = "a-192-0-2-1.x.test"}, "-"},
    {"reject_unknown_helo_hostname", {.helo = "mx-10.x.test"}, "-"},
    {"reject_unknown_helo_hostname",
     {.helo = "nx.x.test"},
     "450 4.7.1 <nx.x.test>: Helo command rejected: Host not found"},
    {"reject_unknown_helo_hostname",
     {.helo = "a-192-0-2-1.x.test."},
     "450 4.7.1 <a-192-0-2-1.x.test.>: Helo command rejected: Host not found"},
    /* Cannot tell: neither in nor out for that alone. */
    {"reject_unknown_helo_hostname",
     {.helo = "servfail.x.test"},
     "- defer_if_permit: 450 4.7.1 <servfail.x.test>: Helo command rejected: Host not found"},
    {"reject_unknown_helo_hostname", {.helo = "[203.0.113.9]"}, "-"},
    {"reject_unknown_helo_hostname",
     {.helo = "[203.0.113.999]"},
     "501 5.5.2 <[203.0.113.999]>: Helo command rejected: invalid ip address"},
    {"reject_unknown_sender_domain", {.sender = "<a@mx-10.x.test>"}, "-"},
    {"reject_unknown_sender_domain", {.sender = "<a@a-192-0-2-1.x.test>"}, "-"},
    {"reject_unknown_sender_domain", {.sender = "<>"}, "-"},
    {"reject_unknown_sender_domain", {.sender = "<a@[192.0.2.1]>"}, "-"},
    /* Of this site: not asked, there or not. */
    {"reject_unknown_sender_domain", {.sender = "<a@nx.sub.test>"}, "-"},
    {"reject_unknown_sender_domain",
     {.sender = "<a@nx.x.test>"},
     "450 4.1.8 <a@nx.x.test>: Sender address rejected: Domain not found"},
    {"reject_unknown_sender_domain",
     {.sender = "<a@nullmx.x.test>"},
     "550 5.7.27 <a@nullmx.x.test>: Sender address rejected: Domain nullmx.x.test does not accept "
     "mail (nullMX)"},
    {"reject_unknown_sender_domain",
     {.sender = "<a@badmx.x.test>"},
     "450 4.1.8 <a@badmx.x.test>: Sender address rejected: Malformed DNS server reply"},
    {"reject_unknown_sender_domain",
     {.sender = "<a@servfail.x.test>"},
     "- defer_if_permit: 450 4.1.8 <a@servfail.x.test>: Sender address rejected: Domain not found"},
    {"reject_unknown_recipient_domain",
     {.sender = "<>", .recipient = "<b@nx.x.test>"},
     "450 4.1.2 <b@nx.x.test>: Recipient address rejected: Domain not found"},
    {"reject_unknown_recipient_domain",
     {.sender = "<>", .recipient = "<b@nullmx.x.test>"},
     "556 5.1.10 <b@nullmx.x.test>: Recipient address rejected: Domain nullmx.x.test does not "
     "accept mail (nullMX)"},
    {"reject_unknown_recipient_domain", {.sender = "<>", .recipient = "<b@lab.test>"}, "-"},
    {"reject_unknown_recipient_domain", {.sender = "<>", .recipient = "<b@mx-10.x.test>"}, "-"},
};

#define LISTED  "list.a-127-0-0-2.bad.test"
#define CLEAN   "list.nx.bad.test"
#define FAILING "list.servfail.bad.test"
#define OF_US                                                                                      \
    {                                                                                              \
        .sender = "<a@far.test>", .recipient = "<b@lab.test>"                                      \
    }
#define OF_MANY                                                                                    \
    {                                                                                              \
        .name = "host.far.test", .helo = "host.far.test", .sender = "<a@far.test>",                \
        .recipient = "<b@lab.test>"                                                                \
    }
#define BLOCKED "554 5.7.1 Service unavailable; "

static const struct check_row zones[] = {
    {"reject_rbl_client " LISTED, {0}, BLOCKED "Client host [203.0.113.9] blocked using " LISTED},
    {"reject_rbl_client " CLEAN, {0}, "-"},
    /* A list that fails refuses nobody. */
    {"reject_rbl_client " FAILING, {0}, "-"},
    {"reject_rbl_client " LISTED "=127.0.0.3", {0}, "-"},
    {"reject_rbl_client " LISTED "=127.0.0.[2..4]",
     {0},
     BLOCKED "Client host [203.0.113.9] blocked using " LISTED},
    /* Whose address it is, nobody knows there. */
    {"reject_rbl_client " LISTED, {.listener = "onion"}, "-"},
    {"reject_rbl_client " LISTED, {.local = true}, "-"},
    {"reject_rhsbl_client " LISTED,
     {.name = "host.far.test"},
     BLOCKED "Client host [host.far.test] blocked using " LISTED},
    {"reject_rhsbl_client " LISTED, {.name = "host.far.test", .resolve = "FORGED"}, "-"},
    {"reject_rhsbl_reverse_client " LISTED,
     {.name = "host.far.test", .resolve = "FORGED"},
     BLOCKED "Unverified Client host [host.far.test] blocked using " LISTED},
    {"reject_rhsbl_helo " LISTED,
     {.helo = "host.far.test"},
     BLOCKED "Helo command [host.far.test] blocked using " LISTED},
    {"reject_rhsbl_helo " LISTED, {.helo = "[203.0.113.9]"}, "-"},
    {"reject_rhsbl_sender " LISTED,
     {.sender = "<a@far.test>"},
     BLOCKED "Sender address [a@far.test] blocked using " LISTED},
    {"reject_rhsbl_sender " LISTED, {.sender = "<>"}, "-"},
    {"reject_rhsbl_recipient " LISTED,
     {.sender = "<>", .recipient = "<b@far.test>"},
     BLOCKED "Recipient address [b@far.test] blocked using " LISTED},
    {"permit_dnswl_client " LISTED, OF_US, "permit"},
    {"permit_dnswl_client " CLEAN, OF_US, "-"},
    /* It opens no relay. */
    {"permit_dnswl_client " LISTED, {.sender = "<a@far.test>", .recipient = "<b@far.test>"}, "-"},
    {"permit_dnswl_client " FAILING, OF_US,
     "- defer_if_reject: 450 4.7.1 <SUBJECT>: CLASS rejected: Service unavailable"},
    {"permit_rhswl_client " LISTED, OF_MANY, "permit"},
    {"permit_rhswl_client " LISTED, OF_US, "-"},
};

static const struct check_row weighted[] = {
    {"reject_dnsbl", {0}, BLOCKED "Client host [203.0.113.9] blocked using " LISTED},
    {"reject_dnsbl", {.listener = "onion"}, "-"},
};

static const struct check_row too_light[] = {
    {"reject_dnsbl", {0}, "-"},
    {"reject_dnsbl",
     {.helo = "host.far.test"},
     BLOCKED "Helo command [host.far.test] blocked using list.a-127-0-0-2.of-names.test"},
};

static void add_sites(struct site *site)
{
    dnsbl_set_add_sites(site->dnsbl_weighted, LISTED "*2 " CLEAN "*9 " FAILING "*9", NULL, NULL, 0);
    site->dnsbl_threshold = 2;
}

static void add_light(struct site *site)
{
    add_sites(site);
    dnsbl_set_add_rhsbl(site->dnsbl_weighted, "list.a-127-0-0-2.of-names.test*8/helo", NULL, NULL,
                        0);
    site->dnsbl_threshold = 10;
}

/* Asks the rows with a server of their own; skipped where there is none. */
static void ask(void (*furnish)(struct site *site), const struct check_row *rows, size_t count)
{
    struct test_server *server = test_badserver_start();
    if (!server)
        return;
    struct problems *problems = problems_new();
    const struct resolver_options options = {.timeout_ms = 20000, .tries = 1};
    const struct surroundings in = {
        .furnish = furnish,
        .resolver = resolver_new(test_server_address(server), &options, problems, "test", 1),
        .lists = dnsbl_state_new(NULL, NULL),
    };
    check_rows_in(&in, rows, count);
    resolver_free(in.resolver);
    dnsbl_state_free(in.lists);
    test_server_stop(server);
    problems_free(problems);
}

#define TEST(rows, furnish)                                                                        \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        ask(furnish, rows, G_N_ELEMENTS(rows));                                                    \
    }
TEST(names, NULL)
TEST(zones, NULL)
TEST(weighted, add_sites)
TEST(too_light, add_light)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns/names", test_names);
    g_test_add_func("/dns/zones", test_zones);
    g_test_add_func("/dns/weighted", test_weighted);
    g_test_add_func("/dns/too-light", test_too_light);
    return g_test_run();
}
