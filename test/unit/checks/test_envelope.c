/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about the envelope: form of names and addresses, and where a recipient is.
 */
#include "checks.h"

static const struct check_row helo[] = {
    {"reject_invalid_helo_hostname", {0}, "-"},
    {"reject_invalid_helo_hostname", {.helo = "localhost"}, "-"},
    {"reject_invalid_helo_hostname", {.helo = "mx.far.test."}, "-"},
    {"reject_invalid_helo_hostname",
     {.helo = "mx.far.test.."},
     "501 5.5.2 <mx.far.test..>: Helo command rejected: Invalid name"},
    {"reject_invalid_helo_hostname",
     {.helo = "a b"},
     "501 5.5.2 <a b>: Helo command rejected: Invalid name"},
    {"reject_invalid_helo_hostname", {.helo = "[192.0.2.1]"}, "-"},
    {"reject_invalid_helo_hostname",
     {.helo = "[192.0.2]"},
     "501 5.5.2 <[192.0.2]>: Helo command rejected: invalid ip address"},
    {"reject_non_fqdn_helo_hostname",
     {.helo = "localhost"},
     "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"},
    {"reject_non_fqdn_helo_hostname", {.helo = "mx.far.test"}, "-"},
    {"reject_non_fqdn_helo_hostname", {.helo = "[IPv6:2001:db8::1]"}, "-"},
    {"check_helo_access inline:{{far.test = REJECT go away}}",
     {.helo = "mx.far.test"},
     "554 5.7.1 <mx.far.test>: Helo command rejected: go away"},
    {"check_helo_access inline:{far.test=REJECT}", {0}, "-"},
};

static const struct check_row addresses[] = {
    {"reject_non_fqdn_sender", {0}, "-"},
    {"reject_non_fqdn_sender", {.sender = "<>"}, "-"},
    {"reject_non_fqdn_sender", {.sender = "<a@far.test>"}, "-"},
    {"reject_non_fqdn_sender",
     {.sender = "<a>"},
     "504 5.5.2 <a>: Sender address rejected: need fully-qualified address"},
    {"reject_non_fqdn_sender",
     {.sender = "<a@far>"},
     "504 5.5.2 <a@far>: Sender address rejected: need fully-qualified address"},
    {"reject_non_fqdn_recipient",
     {.sender = "<>", .recipient = "<bob>"},
     "504 5.5.2 <bob>: Recipient address rejected: need fully-qualified address"},
    {"reject_non_fqdn_recipient", {.sender = "<>"}, "-"},
};

static const char relaying[] = "550 5.7.1 <x@far.test>: Relaying denied; authenticate first";

static const struct check_row destination[] = {
    {"permit_auth_destination", {.sender = "<>", .recipient = "<bob@lab.test>"}, "permit"},
    {"permit_auth_destination", {.sender = "<>", .recipient = "<bob@a.sub.test>"}, "permit"},
    {"permit_auth_destination", {.sender = "<>", .recipient = "<x@far.test>"}, "-"},
    {"permit_auth_destination", {.sender = "<>"}, "-"},
    {"reject_unauth_destination", {.sender = "<>", .recipient = "<x@far.test>"}, relaying},
    {"reject_unauth_destination", {.sender = "<>", .recipient = "<bob@lab.test>"}, "-"},
    /* Sender-specified routing is never local. */
    {"reject_unauth_destination",
     {.sender = "<>", .recipient = "<x%far.test@lab.test>"},
     "550 5.7.1 <x%far.test@lab.test>: Relaying denied; authenticate first"},
    {"defer_unauth_destination",
     {.sender = "<>", .recipient = "<x@far.test>"},
     "454 4.7.1 <x@far.test>: Relay access denied"},
    {"defer_unauth_destination", {.sender = "<>"}, "-"},
};

#define TEST(rows)                                                                                 \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                      \
    }
TEST(helo)
TEST(addresses)
TEST(destination)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/envelope/helo", test_helo);
    g_test_add_func("/envelope/addresses", test_addresses);
    g_test_add_func("/envelope/destination", test_destination);
    return g_test_run();
}
