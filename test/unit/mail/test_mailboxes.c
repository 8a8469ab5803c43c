/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mailboxes.h"

#include <string.h>

/* A value; what is found, one behind the other: addresses, (bare words), "group", "malformed". */
struct row {
    const char *value, *want;
};

/* Forms of RFC 5322, its obsolete ones among them, and RFC 6854: exactly what stands there. */
static const struct row valid[] = {
    {"a@x.test", "a@x.test"},
    {" <a@x.test>", "a@x.test"},
    {"< a@x.test >", "a@x.test"},
    {"A B <a@x.test>", "a@x.test"},
    {"\"A, B\" <a@x.test>", "a@x.test"},
    {"\"c@y.test\" <a@x.test>", "a@x.test"},
    {"\"<c@y.test>,\"<a@x.test>", "a@x.test"},
    {"A \"B\" C. D. <a@x.test>", "a@x.test"},
    {"a@x.test (A B)", "a@x.test"},
    {"(c@y.test) a@x.test (<d@y.test>,)", "a@x.test"},
    {"(a (nested \\) ) c@y.test) a@x.test", "a@x.test"},
    {"a(1)@(2)x(3).(4)test(5)", "a@x.test"},
    {"a . b\n @ x\n .\n test", "a.b@x.test"},
    {"\"a b\"@x.test", "\"a b\"@x.test"},
    {"\"a\n b\"@x.test", "\"a b\"@x.test"},
    {"\"a@y.test\"@x.test", "\"a@y.test\"@x.test"},
    {"a.\"b\"@x.test", "a.\"b\"@x.test"},
    {"a@[192.0.2.1]", "a@[192.0.2.1]"},
    {"a@[IPv6:2001:db8::1], b@ [IPv6:::1]", "a@[IPv6:2001:db8::1] b@[IPv6:::1]"},
    {"<@y.test:a@x.test>", "a@x.test"},
    {"<@y.test , ,@[IPv6:::1] : a@x.test>", "a@x.test"},
    {"a@x.test, b@x.test", "a@x.test b@x.test"},
    {",a@x.test,, b@x.test ,", "a@x.test b@x.test"},
    {"a@x.test, a@x.test", "a@x.test"},
    {"g:;", "group"},
    {"g: ,, ;", "group"},
    {"\"c@y.test\":;", "group"},
    {"g: a@x.test;", "a@x.test group"},
    {"a@x.test, g: b@x.test, B <c@x.test>;, d@x.test", "a@x.test b@x.test c@x.test d@x.test group"},
    {"g:;, a@x.test", "a@x.test group"},
    {"g: a@x.test; (c), h: b@x.test;", "a@x.test b@x.test group"},
    {"J\xc3\xb6rg <j\xc3\xb6rg@b\xc3\xbc"
     "cher.test>",
     "j\xc3\xb6rg@b\xc3\xbc"
     "cher.test"},
    {"J\xf6rg <a@x.test>", "a@x.test"},
    {"=?utf-8?q?c=40y.test?= <a@x.test>", "a@x.test"},
    {"=?utf-8?b?PGNAeS50ZXN0Pg==?= <a@x.test>", "a@x.test"},
    {"", ""},
    {" \n (nobody)", ""},
    {" , ", ""},
};

/* What honest programs write, and everybody can read. */
static const struct row mended[] = {
    {"Doe, John <a@x.test>", "a@x.test (Doe)"},
    {"a@x.test <a@x.test>", "a@x.test"},
    {"'a@x.test' <a@x.test>", "a@x.test"},
    {"[List] Joe <a@x.test>", "a@x.test"},
    {"A: B <a@x.test>", "a@x.test group"},
    {"A <a@x.test>;", "a@x.test"},
    {"a@x.test; b@x.test", "a@x.test b@x.test"},
    {"<a@x.test> A B", "a@x.test"},
    {"A <a@x.test", "a@x.test"},
    {"A <a@x.test>>", "a@x.test"},
    {"A ) <a@x.test>", "a@x.test"},
    {"a.@x.test", "a.@x.test"},
    {".a..b@x.test", ".a..b@x.test"},
    {"a@x.test.", "a@x.test a@x.test."},
    {"=?utf-8?Q?Doe,_John?= <a@x.test>", "a@x.test (=?utf-8?Q?Doe)"},
    {"=?utf-8?Q?a@x.test?= <a@x.test>", "a@x.test"},
    {"<@y.test:@z.test:a@x.test>", "a@x.test"},
    {"boss", "(boss)"},
    {"<boss>", "(boss)"},
    {"\"boss\"", "(boss)"},
    {"root (Cron Daemon)", "(root)"},
    {"John Q. Doe", "(John.Q.Doe)"},
    {"<>", ""},
};

/* What readers take for addresses where the standard sees none, or another. */
static const struct row forged[] = {
    {", c@y.test", "c@y.test"},
    {"a@x.test,, c@y.test", "a@x.test c@y.test"},
    {"C <c@y.test", "c@y.test"},
    {"c@y.test>", "c@y.test"},
    {"c@y.test <>", "c@y.test"},
    {"<a@x.test> <c@y.test>", "a@x.test c@y.test"},
    {"c@y.test <a@x.test>", "c@y.test a@x.test"},
    {"\"c@y.test\"", "c@y.test (c.y.test)"},
    {"\"<c@y.test>\", A <a@x.test>", "a@x.test c@y.test (c.y.test)"},
    {"a@x.test(c@y.test", "a@x.test c@y.test malformed"},
    {"a@x.test)c@y.test", "a@x.test c@y.test"},
    {"x y@z.test", "y@z.test xy@z.test x.y@z.test"},
    {"x(c)y@z.test", "y@z.test xy@z.test x.y@z.test"},
    {"x@y z", "x@y x@yz x@y.z"},
    {"=?utf-8?q?c=40y.test?=", "c@y.test (=?utf-8?q?c=40y.test?=)"},
    {"=?utf-8?q?c?=@y.test", "=?utf-8?q?c?=@y.test c@y.test"},
    {"=?us-ascii?q?x,<c@y.test>,?= <a@x.test>", "c@y.test a@x.test (=?us-ascii?q?x)"},
    {"a@x.test:c@y.test", "a@x.test c@y.test"},
    {"\"a\" . b@x.test", "\"a\".b@x.test \"a\"b@x.test"},
    {"\"C <c\"@y.test", "\"C <c\"@y.test c@y.test"},
    {"boss <>", "(boss)"},
    {"boss)", "(boss)"},
    {"x:<> boss;", "(boss) group"},
    {"=?us-ascii?q?c=40y.test?= =?us-ascii?q?x?=",
     "c@y.testx c@y.test (=?us-ascii?q?c=40y.test?=.=?us-ascii?q?x?=)"},
};

/* Nobody can say what is meant: what can be found, and the mark. */
static const char *const malformed[] = {
    "A <<a@x.test>",
    "a@x.test, c@y.test \"",
    "\"A <a@x.test>",
    "A (B <a@x.test>",
    "a@",
    "@x.test",
    "<a@x.test@y.test>",
    "a@b@c",
    "a\\b@x.test",
    "a\x01@x.test",
    "a@[192.0.2.1",
    "<a b@x.test>",
    "<@y:@:a@x>",
    "A <a@x.test b>",
    ":",
    ">",
    "\\\"A\\\" <a@x.test>",
    "<",
    "\"",
    "<a@>",
    "=?boss@x.test=",
    "=?a?b?boss@x.test= <>",
    "=?a?q?b?boss@x.test=",
    "x:>>=?boss@x.test= <>\"boss\"",
};

static char *describe(const char *value, size_t length)
{
    struct mailboxes mailboxes;
    GString *out = g_string_new(NULL);
    mailboxes_read(value, length, &mailboxes);
    for (guint i = 0; i < mailboxes.addresses->len; i++)
        g_string_append_printf(out, " %s", (char *)mailboxes.addresses->pdata[i]);
    for (guint i = 0; i < mailboxes.bare->len; i++)
        g_string_append_printf(out, " (%s)", (char *)mailboxes.bare->pdata[i]);
    g_string_append(out, mailboxes.group ? " group" : "");
    g_string_append(out, mailboxes.truncated ? " truncated" : "");
    g_string_append(out, mailboxes.malformed ? " malformed" : "");
    if (out->len > 0)
        g_string_erase(out, 0, 1);
    mailboxes_clear(&mailboxes);
    return g_string_free(out, FALSE);
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *got = describe(rows[i].value, strlen(rows[i].value));
        if (strcmp(got, rows[i].want) != 0)
            g_test_message("%s", rows[i].value);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

static void test_valid(void)
{
    check_rows(valid, G_N_ELEMENTS(valid));
}

static void test_mended(void)
{
    check_rows(mended, G_N_ELEMENTS(mended));
}

static void test_forged(void)
{
    check_rows(forged, G_N_ELEMENTS(forged));
}

static void test_malformed(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(malformed); i++) {
        g_autofree char *got = describe(malformed[i], strlen(malformed[i]));
        if (!g_str_has_suffix(got, "malformed"))
            g_test_message("%s", malformed[i]);
        g_assert_true(g_str_has_suffix(got, "malformed"));
    }
}

/* Sendmail drops a NUL, Postfix what is behind it. */
static void test_nul(void)
{
    static const char value[] = "bo\0ss@y.test, a@x.test\0, c@y.test";
    g_autofree char *got = describe(value, sizeof value - 1);
    g_assert_true(g_str_has_suffix(got, " malformed"));
    g_assert_nonnull(strstr(got, "boss@y.test"));
    g_assert_nonnull(strstr(got, "a@x.test"));
    g_assert_nonnull(strstr(got, "c@y.test"));
}

static void test_limit(void)
{
    for (unsigned more = 0; more < 2; more++) {
        g_autoptr(GString) value = g_string_new(NULL);
        for (unsigned i = 0; i < MAILBOXES_MAX + more; i++)
            g_string_append_printf(value, "a%u@x.test,", i);
        struct mailboxes mailboxes;
        mailboxes_read(value->str, value->len, &mailboxes);
        g_assert_cmpuint(mailboxes.addresses->len, ==, MAILBOXES_MAX);
        g_assert_cmpint(mailboxes.truncated, ==, more);
        mailboxes_clear(&mailboxes);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailboxes/valid", test_valid);
    g_test_add_func("/mailboxes/mended", test_mended);
    g_test_add_func("/mailboxes/forged", test_forged);
    g_test_add_func("/mailboxes/malformed", test_malformed);
    g_test_add_func("/mailboxes/nul", test_nul);
    g_test_add_func("/mailboxes/limit", test_limit);
    return g_test_run();
}
