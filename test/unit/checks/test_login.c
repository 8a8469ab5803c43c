/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about logins: how they came, and whose a sender is.
 */
#include "checks.h"

#define BOB         .login = "bob", .tls = "256"
#define OWNED(user) "553 5.7.1 <carol@lab.test>: Sender address rejected: not owned by user " user

static const struct check_row ways[] = {
    {"permit_sasl_authenticated", {BOB}, "permit"},
    {"permit_sasl_authenticated", {0}, "-"},
    {"permit_sasl_authenticated", {.login = "bob"}, "-"},
    {"permit_sasl_authenticated", {.login = "bob", .tls = "40"}, "-"},
    {"permit_sasl_authenticated", {BOB, .mechanism = "LOGIN"}, "-"},
    {"reject_cleartext_auth", {BOB}, "-"},
    {"reject_cleartext_auth", {0}, "-"},
    {"reject_cleartext_auth",
     {.login = "bob"},
     "538 5.7.11 Encryption required for authentication; use STARTTLS"},
    {"reject_cleartext_auth",
     {BOB, .mechanism = "LOGIN"},
     "534 5.7.9 Authentication mechanism not allowed here; use another one"},
    {"check_sasl_access inline:{bob=OK}", {BOB}, "permit"},
    {"check_sasl_access inline:{bob=OK}", {.login = "bob@lab.test", .tls = "256"}, "permit"},
    /* A login that does not count permits nothing, and may be refused. */
    {"check_sasl_access inline:{bob=OK}", {.login = "bob"}, "-"},
    {"check_sasl_access inline:{bob=REJECT}",
     {.login = "bob"},
     "554 5.7.1 <bob>: SASL login name rejected: Access denied"},
};

static const struct check_row owners[] = {
    {"reject_sender_login_mismatch", {BOB, .sender = "<bob@lab.test>"}, "-"},
    {"reject_sender_login_mismatch", {BOB, .sender = "<sales@lab.test>"}, "-"},
    {"reject_sender_login_mismatch", {BOB, .sender = "<carol@lab.test>"}, OWNED("bob")},
    {"reject_sender_login_mismatch", {BOB, .sender = "<>"}, "-"},
    {"reject_sender_login_mismatch", {BOB}, "-"},
    {"reject_sender_login_mismatch",
     {.sender = "<carol@lab.test>"},
     "553 5.7.1 <carol@lab.test>: Sender address rejected: not logged in"},
    {"reject_sender_login_mismatch", {.sender = "<a@far.test>"}, "-"},
    {"reject_authenticated_sender_login_mismatch", {.sender = "<carol@lab.test>"}, "-"},
    {"reject_authenticated_sender_login_mismatch",
     {BOB, .sender = "<carol@lab.test>"},
     OWNED("bob")},
    {"reject_authenticated_sender_login_mismatch",
     {BOB, .sender = "<a@far.test>"},
     "553 5.7.1 <a@far.test>: Sender address rejected: not owned by user bob"},
    {"reject_unauthenticated_sender_login_mismatch", {BOB, .sender = "<carol@lab.test>"}, "-"},
    {"reject_unauthenticated_sender_login_mismatch",
     {.login = "bob", .sender = "<bob@lab.test>"},
     "553 5.7.1 <bob@lab.test>: Sender address rejected: not logged in"},
    /* whose that is nobody can tell */
    {"reject_unauthenticated_sender_login_mismatch",
     {.sender = "<\"\"@lab.test>"},
     "553 5.7.1 <\"\"@lab.test>: Sender address rejected: not logged in"},
    {"reject_known_sender_login_mismatch", {BOB, .sender = "<a@far.test>"}, "-"},
    {"reject_known_sender_login_mismatch", {BOB, .sender = "<carol@lab.test>"}, OWNED("bob")},
};

#define TEST(rows)                                                                                 \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                      \
    }
TEST(ways)
TEST(owners)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/login/ways", test_ways);
    g_test_add_func("/login/owners", test_owners);
    return g_test_run();
}
