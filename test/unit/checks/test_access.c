/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Results of access tables, and what tables are asked about addresses and headers.
 */
#include "checks.h"

#define SENDER        .sender = "<a@far.test>"
#define TABLE(result) "check_sender_access inline:{{a@far.test = " result "}}"

static const struct check_row results[] = {
    {TABLE("OK"), {SENDER}, "permit"},
    {TABLE("RELAY"), {SENDER}, "permit"},
    {TABLE("200"), {SENDER}, "permit"},
    {TABLE("dunno"), {SENDER}, "-"},
    {TABLE("REJECT"), {SENDER}, "554 5.7.1 <a@far.test>: Sender address rejected: Access denied"},
    {TABLE("REJECT 5.1.1 gone"), {SENDER}, "554 5.1.7 <a@far.test>: Sender address rejected: gone"},
    {TABLE("DEFER later"), {SENDER}, "450 4.7.1 <a@far.test>: Sender address rejected: later"},
    {TABLE("521 5.7.1 no"), {SENDER}, "521 5.7.1 <a@far.test>: Sender address rejected: no"},
    {TABLE("DEFER_IF_PERMIT soon"),
     {SENDER},
     "- defer_if_permit: 450 4.7.1 <a@far.test>: Sender address rejected: soon"},
    {TABLE("DEFER_IF_REJECT soon"),
     {SENDER},
     "- defer_if_reject: 450 4.7.1 <a@far.test>: Sender address rejected: soon"},
    {TABLE("HOLD look at it"), {SENDER}, "- hold: <a@far.test>: Sender address look at it"},
    {TABLE("WARN odd"), {SENDER}, "- warn: <a@far.test>: Sender address odd"},
    {TABLE("INFO seen"), {SENDER}, "- info: <a@far.test>: Sender address seen"},
    {TABLE("PREPEND X-Seen: yes"), {SENDER}, "- prepend: X-Seen: yes"},
    {TABLE("PREPEND nonsense"),
     {SENDER},
     "cannot tell: inline:{{a@far.test = PREPEND nonsense}} says \"PREPEND nonsense\" of "
     "\"a@far.test\": what stands behind the word must be \"Header: value\""},
    {TABLE("DISCARD"),
     {SENDER},
     "cannot tell: inline:{{a@far.test = DISCARD}} says \"DISCARD\" of \"a@far.test\": which "
     "gatepost does not do"},
    {TABLE("permit_mynetworks reject"), {SENDER}, "more: permit_mynetworks reject of a@far.test"},
    {TABLE("no_such_word"), {SENDER}, "more: no_such_word of a@far.test"},
    {"check_sender_access fail:x",
     {SENDER},
     "cannot tell: fail:x, asked about \"a@far.test\", cannot be asked"},
};

static const struct check_row keys[] = {
    {"check_sender_access inline:{far.test=REJECT}",
     {.sender = "<A+tag@Far.Test>"},
     "554 5.7.1 <A+tag@Far.Test>: Sender address rejected: Access denied"},
    {"check_sender_access inline:{a@=REJECT}",
     {.sender = "<a+tag@elsewhere.test>"},
     "554 5.7.1 <a+tag@elsewhere.test>: Sender address rejected: Access denied"},
    {"check_sender_access inline:{<>=REJECT}",
     {.sender = "<>"},
     "554 5.7.1 <>: Sender address rejected: Access denied"},
    {"check_sender_access inline:{far.test=REJECT}", {0}, "-"},
    {"check_recipient_access inline:{lab.test=OK}",
     {SENDER, .recipient = "<bob@lab.test>"},
     "permit"},
    /* It may be delivered to another. */
    {"check_recipient_access inline:{lab.test=OK}",
     {SENDER, .recipient = "<x%far.test@lab.test>"},
     "-"},
    {"check_recipient_access inline:{lab.test=OK}", {SENDER}, "-"},
};

static const struct check_row headers[] = {
    {"check_header_access Subject inline:{hello=REJECT}", {SENDER}, "-"},
    {"check_header_access Subject inline:{hello=REJECT}",
     {SENDER, .header = "Subject: hello"},
     "554 5.7.1 <Subject>: Header field rejected: Access denied"},
    {"check_header_access Subject inline:{hello=REJECT}",
     {SENDER, .header = "Subject: =?utf-8?q?h=65llo?="},
     "554 5.7.1 <Subject>: Header field rejected: Access denied"},
    {"check_header_access Subject inline:{hello=REJECT}",
     {SENDER, .header = "subject: other\nSubject: hello"},
     "554 5.7.1 <Subject>: Header field rejected: Access denied"},
    {"check_header_access Subject inline:{hello=REJECT}",
     {SENDER, .header = "Subject: hello!"},
     "-"},
    {"check_from_access inline:{far.test=REJECT}",
     {SENDER, .header = "From: \"x@lab.test\" <boss@far.test>"},
     "554 5.7.1 <boss@far.test>: From address rejected: Access denied"},
    {"check_from_access inline:{far.test=REJECT}", {SENDER, .header = "From: bob@lab.test"}, "-"},
    {"check_from_access inline:{far.test=REJECT}", {SENDER}, "-"},
    /* Of several, one that is refused is, whatever the table says of another. */
    {"check_from_access inline:{far.test=reject_unauth_destination, evil.test=REJECT}",
     {SENDER, .header = "From: a@far.test, b@evil.test"},
     "554 5.7.1 <b@evil.test>: From address rejected: Access denied"},
    {"check_from_access inline:{far.test=OK, evil.test=strict}",
     {SENDER, .header = "From: b@evil.test, a@far.test"},
     "more: strict of b@evil.test"},
    {"check_from_access inline:{far.test=strict, {evil.test=stricter strictest}}",
     {SENDER, .header = "From: b@evil.test, a@far.test"},
     "more: stricter strictest of b@evil.test, strict of a@far.test"},
    {"check_from_access inline:{far.test=strict, evil.test=strict, b@far.test=trusted}",
     {SENDER, .header = "From: a@far.test, b@evil.test, b@far.test, c@far.test, d@evil.test"},
     "more: strict of a@far.test, trusted of b@far.test"},
    {"check_from_access inline:{a@x.test=la, b@x.test=lb, c@x.test=lc, d@x.test=ld, e@x.test=le, "
     "f@x.test=lf, g@x.test=lg, h@x.test=lh, i@x.test=li}",
     {SENDER, .header = "From: a@x.test, b@x.test, c@x.test, d@x.test, e@x.test, f@x.test, "
                        "g@x.test, h@x.test, i@x.test"},
     "cannot tell: inline:{a@x.test=la, b@x.test=lb, c@x.test=lc, d@x.test=ld, e@x.test=le, "
     "f@x.test=lf, g@x.test=lg, h... says \"li\" of \"i@x.test\": it names too many lists of "
     "restrictions"},
    {"check_from_access inline:{far.test=strict}",
     {SENDER, .header = "From: a@far.test, b@evil.test, \"c"},
     "553 5.7.1 <a@far.test>: From address rejected: cannot be read"},
    {"guard_autoreply", {SENDER}, "-"},
    {"reject_spam", {SENDER}, "-"},
};

#define TEST(rows)                                                                                 \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                      \
    }
TEST(results)
TEST(keys)
TEST(headers)

/* What a row says of itself must not contradict itself. */
static void test_rows(void)
{
    static const char *const names[] = {"permit_mynetworks",
                                        "reject_dnsbl",
                                        "reject_rbl_client",
                                        "guard_autoreply",
                                        "reject_spam",
                                        "check_header_access",
                                        "check_from_access",
                                        "reject_from_login_mismatch",
                                        "permit"};
    static const unsigned asks[] = {0, ASKS_LISTS, ASKS_ZONE, ASKS_GUARD, ASKS_RULES, 0, 0, 0, 0};
    static const unsigned reads[] = {0,
                                     READS_HEADER,
                                     0,
                                     READS_HEADER | READS_BODY,
                                     READS_HEADER | READS_BODY,
                                     READS_HEADER,
                                     READS_HEADER,
                                     READS_HEADER,
                                     0};
    unsigned all_asks, all_reads;
    restriction_of_results(&all_asks, &all_reads);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const struct restriction *row = restriction_find(names[i]);
        g_assert_nonnull(row);
        g_assert_cmpuint(row->asks, ==, asks[i]);
        g_assert_cmpuint(restriction_reads(row), ==, reads[i]);
        if (row->argument == ARGUMENT_NONE) {
            g_assert_cmpuint(row->asks & ~all_asks, ==, 0);
            g_assert_cmpuint(restriction_reads(row) & ~all_reads, ==, 0);
        }
    }
    g_assert_cmpuint(all_asks & ASKS_ZONE, ==, 0);
}

/* Names: of Postfix's old words, of what a milter cannot serve, of what was meant. */
static void test_names(void)
{
    static const struct {
        const char *word, *found;
    } rows[] = {
        {"REJECT_UNAUTH_DESTINATION", "reject_unauth_destination"},
        {"reject_unknown_client", "reject_unknown_client_hostname"},
        {"reject_unknown_hostname", "reject_unknown_helo_hostname"},
        {"reject_unknown_address", "reject_unknown_sender_domain"},
        {"reject_invalid_hostname", "reject_invalid_helo_hostname"},
        {"reject_non_fqdn_hostname", "reject_non_fqdn_helo_hostname"},
        {"reject_rbl", "reject_rbl_client"},
        {"reject_unverified_sender", NULL},
        {"reject_unauth_destinations", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct restriction *row = restriction_find(rows[i].word);
        g_test_message("%s", rows[i].word);
        g_assert_cmpstr(row ? row->name : NULL, ==, rows[i].found);
    }
    g_assert_nonnull(restriction_not_served("Reject_Unverified_Sender"));
    g_assert_null(restriction_not_served("reject"));
    g_assert_cmpstr(restriction_nearest("reject_unath_destination"), ==,
                    "reject_unauth_destination");
    g_assert_null(restriction_nearest("something_else_altogether"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/access/results", test_results);
    g_test_add_func("/access/keys", test_keys);
    g_test_add_func("/access/headers", test_headers);
    g_test_add_func("/access/rows", test_rows);
    g_test_add_func("/access/names", test_names);
    return g_test_run();
}
