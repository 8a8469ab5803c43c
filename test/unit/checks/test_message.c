/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about the message: what its reader is shown, whose From: it has, and its header as
 * header_checks(5) would judge it.
 */
#include "checks.h"

#define STRANGER .sender = "<a@far.test>"
#define BOB      .login = "bob", .tls = "256", .sender = "<bob@lab.test>"

static const struct check_row usable[] = {
    {"reject_unusable_from", {STRANGER, .header = "From: A <a@far.test>"}, "-"},
    {"reject_unusable_from", {STRANGER}, "-"}, /* the message is not there yet */
    {"reject_unusable_from",
     {STRANGER, .header = "To: b@lab.test"},
     "550 5.7.1 Message refused: no From: field"},
    {"reject_unusable_from",
     {STRANGER, .header = "From: a@far.test\nFrom: c@far.test"},
     "550 5.7.1 Message refused: more than one From: field"},
    {"reject_unusable_from",
     {STRANGER, .header = "From: Your Bank"},
     "550 5.7.1 Message refused: no address in the From: field"},
    {"reject_unusable_from",
     {STRANGER, .header = "From: <>"},
     "550 5.7.1 Message refused: no address in the From: field"},
    /* the MTA completes a bare name of whom it sends for */
    {"reject_unusable_from", {BOB, .header = "From: bob"}, "-"},
    {"reject_unusable_from", {.sender = "<>", .header = "To: b@lab.test"}, "-"},
};

static const struct check_row domain[] = {
    {"reject_from_domain_mismatch", {STRANGER, .header = "From: b@far.test"}, "-"},
    {"reject_from_domain_mismatch", {STRANGER, .header = "From: b@FAR.test"}, "-"},
    {"reject_from_domain_mismatch", {STRANGER, .header = "From: b@news.far.test"}, "-"},
    {"reject_from_domain_mismatch",
     {.sender = "<a@b.far.test>", .header = "From: b@far.test"},
     "-"},
    {"reject_from_domain_mismatch",
     {STRANGER, .header = "From: b@bank.test"},
     "550 5.7.1 <b@bank.test>: From address rejected: not of the envelope sender's domain"},
    /* a name that ends alike is another domain, and a lone label is above nobody */
    {"reject_from_domain_mismatch",
     {STRANGER, .header = "From: b@notfar.test"},
     "550 5.7.1 <b@notfar.test>: From address rejected: not of the envelope sender's domain"},
    {"reject_from_domain_mismatch",
     {.sender = "<a@test>", .header = "From: b@far.test"},
     "550 5.7.1 <b@far.test>: From address rejected: not of the envelope sender's domain"},
    /* each address, and each field, that a reader may show */
    {"reject_from_domain_mismatch",
     {STRANGER, .header = "From: a@far.test, b@bank.test"},
     "550 5.7.1 <b@bank.test>: From address rejected: not of the envelope sender's domain"},
    {"reject_from_domain_mismatch",
     {STRANGER, .header = "From: a@far.test\nFrom: b@bank.test"},
     "550 5.7.1 <b@bank.test>: From address rejected: not of the envelope sender's domain"},
    {"reject_from_domain_mismatch", {.sender = "<>", .header = "From: b@bank.test"}, "-"},
};

static const struct check_row login[] = {
    {"reject_from_login_mismatch", {BOB, .header = "From: Bob <bob@lab.test>"}, "-"},
    {"reject_from_login_mismatch", {BOB, .header = "From: sales@lab.test"}, "-"},
    {"reject_from_login_mismatch", {STRANGER, .header = "From: carol@far.test"}, "-"},
    {"reject_from_login_mismatch",
     {STRANGER, .header = "From: carol@lab.test"},
     "553 5.7.1 <carol@lab.test>: From address rejected: not logged in"},
    {"reject_from_login_mismatch",
     {BOB, .header = "From: Bob <carol@lab.test>"},
     "553 5.7.1 <carol@lab.test>: From address rejected: not owned by user bob"},
    {"reject_from_login_mismatch",
     {BOB, .header = "From: bob@lab.test\nFrom: carol@lab.test"},
     "553 5.7.1 <carol@lab.test>: From address rejected: not owned by user bob"},
};

static const struct check_row visible[] = {
    {"reject_visible_recipients", {STRANGER, .header = "To: a@x.test, b@x.test, c@x.test"}, "-"},
    {"reject_visible_recipients",
     {STRANGER, .header = "To: a@x.test, b@x.test\nCc: c@x.test, d@x.test"},
     "550 5.5.3 Too many visible recipients (4, at most 3); use Bcc"},
    {"reject_visible_recipients",
     {STRANGER, .header = "To: all: a@x.test, b@x.test, c@x.test, d@x.test;"},
     "550 5.5.3 Too many visible recipients (4, at most 3); use Bcc"},
    {"reject_visible_recipients",
     {STRANGER, .header = "Bcc: a@x.test, b@x.test, c@x.test, d@x"},
     "-"},
    {"reject_visible_recipients", {STRANGER}, "-"},
};

/* One field after the other: name, colon and value are what the table is asked about. */
#define HEADERS(table) "check_header_access header_checks inline:{" table "}"
static const struct check_row header[] = {
    {HEADERS("{X-A:1 = REJECT no}"), {STRANGER, .header = "X-B:1\nX-A:1"}, "550 5.7.1 no"},
    {HEADERS("{X-A:1 = REJECT}"),
     {STRANGER, .header = "X-A:1"},
     "550 5.7.1 message content rejected"},
    {HEADERS("{X-A:1 = REJECT}"), {STRANGER, .header = "X-A:2"}, "-"},
    {HEADERS("{X-A:1 = WARN odd}"), {STRANGER, .header = "X-A:1"}, "- warn: header X-A:1: odd"},
    {HEADERS("{X-A:1 = HOLD}"),
     {STRANGER, .header = "X-A:1"},
     "- hold: header X-A:1: triggers HOLD action"},
    {HEADERS("{X-A:1 = PREPEND X-Seen: yes}"),
     {STRANGER, .header = "X-A:1"},
     "- prepend: X-Seen: yes"},
    /* a field goes, or has another value; another name goes on top, as a milter renames none */
    {HEADERS("{X-A:1 = IGNORE}"),
     {STRANGER, .header = "X-A:2\nX-A:1\nX-A:1"},
     "- drop: X-A 3 drop: X-A 2"},
    {HEADERS("{X-A:1 = STRIP secret}"),
     {STRANGER, .header = "X-A:1"},
     "- drop: X-A 1 info: header X-A:1: secret"},
    {HEADERS("{X-A:1 = REPLACE x-a: new}"), {STRANGER, .header = "X-A:1"}, "- change: X-A 1 new"},
    {HEADERS("{X-A:1 = REPLACE X-C: new}"),
     {STRANGER, .header = "X-A:1"},
     "- prepend: X-C: new drop: X-A 1"},
    /* PASS ends the table's part, whatever stands below */
    {HEADERS("{X-A:1 = PASS}, {X-B:1 = REJECT late}"), {STRANGER, .header = "X-A:1\nX-B:1"}, "-"},
    {HEADERS("{X-A:1 = INFO seen}"), {STRANGER, .header = "X-A:1"}, "- info: header X-A:1: seen"},
    /* what would take mail elsewhere, and what nobody knows, lets nothing through */
    {HEADERS("{X-A:1 = DISCARD}"),
     {STRANGER, .header = "X-A:1"},
     "cannot tell: inline:{{X-A:1 = DISCARD}} says \"DISCARD\" of header \"X-A:1\": DISCARD: "
     "gatepost never throws mail away nor sends it elsewhere; use REJECT or HOLD, or leave this "
     "line to the MTA"},
    {HEADERS("{X-A:1 = PERMIT}"),
     {STRANGER, .header = "X-A:1"},
     "cannot tell: inline:{{X-A:1 = PERMIT}} says \"PERMIT\" of header \"X-A:1\": \"PERMIT\" is "
     "no action of header_checks(5)"},
    {HEADERS("{X-A:1 = DUNNO}, {X-B:1 = REJECT late}"),
     {STRANGER, .header = "X-A:1\nX-B:1"},
     "550 5.7.1 late"},
};

#define TEST(rows)                                                                                 \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                      \
    }
TEST(usable)
TEST(domain)
TEST(login)
TEST(visible)
TEST(header)

/* A name that fills a line by itself leaves no room for its colon: a table may have made it of what
 * a stranger sent ($1), and what is no header must not be taken for one. */
static void test_long_name(void)
{
    enum { LONGEST = 998 };
    static const char *const actions[] = {"REPLACE", "PREPEND"};
    g_autofree char *name = g_strnfill(LONGEST, 'x');
    g_autofree char *field = g_strconcat(name, ": 1", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autofree char *value = g_strdup_printf("%s %sx: 2", actions[i], name);
        g_autofree char *restriction =
            g_strdup_printf("check_header_access header_checks static:{%s}", value);
        g_autofree char *says = g_strdup_printf(
            "cannot tell: static:{%s} says \"%s\" of header \"%.200s\": a header name is shorter "
            "than a line may be",
            value, value, field);
        const struct check_row row = {restriction, {STRANGER, .header = field}, says};
        check_rows(&row, 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/usable", test_usable);
    g_test_add_func("/message/domain", test_domain);
    g_test_add_func("/message/login", test_login);
    g_test_add_func("/message/visible", test_visible);
    g_test_add_func("/message/header", test_header);
    g_test_add_func("/message/long-name", test_long_name);
    return g_test_run();
}
