/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about who the client is: address, name, certificate, and those that look at nothing.
 */
#include "checks.h"

#define ONION .listener = "onion"

static const struct check_row plain[] = {
    {"permit", {0}, "permit"},
    {"reject", {0}, "554 5.7.1 <SUBJECT>: CLASS rejected: Access denied"},
    {"defer", {0}, "450 4.3.2 <SUBJECT>: CLASS rejected: Try again later"},
    {"defer_if_permit",
     {0},
     "- defer_if_permit: 450 4.7.0 <SUBJECT>: CLASS rejected: defer_if_permit requested"},
    {"defer_if_reject",
     {0},
     "- defer_if_reject: 450 4.7.0 <SUBJECT>: CLASS rejected: defer_if_reject requested"},
    {"reject_plaintext_session", {0}, "450 4.7.1 Session encryption is required"},
    {"reject_plaintext_session", {.tls = "128"}, "-"},
};

static const struct check_row address[] = {
    {"permit_mynetworks", {.client = "192.0.2.7"}, "permit"},
    {"permit_mynetworks", {.client = "192.0.3.7"}, "-"},
    {"permit_mynetworks", {.client = "::ffff:192.0.2.7"}, "permit"},
    {"permit_mynetworks", {.client = "192.0.2.7", ONION}, "-"},
    {"permit_inet_interfaces", {.client = "203.0.113.9"}, "-"},
    {"check_client_access inline:{203.0.113=REJECT}",
     {.client = "203.0.113.9"},
     "554 5.7.1 <unknown[203.0.113.9]>: Client host rejected: Access denied"},
    {"check_client_access inline:{203.0.113=REJECT}", {.client = "203.0.113.9", ONION}, "-"},
    {"check_client_access inline:{203.0.113=REJECT}", {.client = "203.0.114.9"}, "-"},
};

static const struct check_row name[] = {
    {"check_client_access inline:{far.test=OK}", {.name = "mx.far.test"}, "permit"},
    /* Not verified: it is nobody's name. */
    {"check_client_access inline:{far.test=OK}", {.name = "mx.far.test", .resolve = "FORGED"}, "-"},
    {"check_reverse_client_hostname_access inline:{far.test=OK}",
     {.name = "mx.far.test", .resolve = "FORGED"},
     "451 4.3.5 Server configuration error"},
    {"check_reverse_client_hostname_access inline:{far.test=REJECT}",
     {.name = "mx.far.test", .resolve = "FORGED"},
     "554 5.7.1 <mx.far.test>: Unverified Client host rejected: Access denied"},
    {"reject_unknown_client_hostname", {.name = "mx.far.test"}, "-"},
    {"reject_unknown_client_hostname",
     {.name = "mx.far.test", .resolve = "FORGED"},
     "450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.9]"},
    {"reject_unknown_client_hostname", {.name = "mx.far.test", .resolve = "FORGED", ONION}, "-"},
    {"reject_unknown_reverse_client_hostname", {.name = "mx.far.test", .resolve = "FORGED"}, "-"},
    {"reject_unknown_reverse_client_hostname",
     {0},
     "450 4.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.9]"},
};

static const struct check_row certificate[] = {
    {"permit_tls_clientcerts", {.subject = "relay"}, "permit"},
    {"permit_tls_clientcerts", {.subject = "other"}, "-"},
    {"permit_tls_clientcerts", {.tls = "256"}, "-"},
    {"permit_tls_all_clientcerts", {.subject = "other"}, "permit"},
    {"permit_tls_all_clientcerts", {.tls = "256"}, "-"},
    {"check_ccert_access inline:{other=HOLD}",
     {.subject = "other"},
     "- hold: <other>: Client certificate triggers HOLD action"},
    {"check_ccert_access inline:{other=HOLD}", {.tls = "256"}, "-"},
};

/* Without a resolver, which a policy that asks the DNS has. */
static const struct check_row no_resolver[] = {
    {"reject_dnsbl", {0}, "-"},
    {"reject_unknown_helo_hostname", {0}, "-"},
    {"reject_unknown_helo_hostname",
     {.helo = "mx.far.test"},
     "cannot tell: the resolver could not be started"},
    {"reject_unknown_sender_domain",
     {.sender = "<a@far.test>"},
     "cannot tell: the resolver could not be started"},
    {"reject_unknown_sender_domain", {.sender = "<>"}, "-"},
    {"reject_unknown_recipient_domain", {.sender = "<>", .recipient = "<postmaster>"}, "-"},
};

#define TEST(rows)                                                                                 \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                      \
    }
TEST(plain)
TEST(address)
TEST(name)
TEST(certificate)
TEST(no_resolver)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/client/plain", test_plain);
    g_test_add_func("/client/address", test_address);
    g_test_add_func("/client/name", test_name);
    g_test_add_func("/client/certificate", test_certificate);
    g_test_add_func("/client/no-resolver", test_no_resolver);
    return g_test_run();
}
