/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/hostname.h"
#include "mail/resolution.h"

enum { NUL = 1, ROUTED = 2, BAD = 4 };

static const struct {
    const char *path, *key, *local, *domain;
    int flags;
} rows[] = {
    {"<bob@lab.test>", "bob@lab.test", "bob", "lab.test", 0},
    {"bob@lab.test", "bob@lab.test", "bob", "lab.test", 0},
    {"<Bob@LAB.Test.>", "Bob@lab.test", "Bob", "lab.test", 0},
    {"<>", "", "", "", NUL},
    {"", "", "", "", NUL},
    {" <> ", "", "", "", NUL},
    {"<postmaster>", "postmaster", "postmaster", "", 0},
    {"<@a.test,@b.test:bob@c.test>", "bob@c.test", "bob", "c.test", 0},
    {"<@[IPv6:2001:db8::1]:bob@c.test>", "bob@c.test", "bob", "c.test", 0},
    {"<@a:@b:u%x@d.test>", "u%x@d.test", "u%x", "d.test", ROUTED},
    {"<user%far.test@lab.test>", "user%far.test@lab.test", "user%far.test", "lab.test", ROUTED},
    {"<far.test!user@lab.test>", "far.test!user@lab.test", "far.test!user", "lab.test", ROUTED},
    {"<far.test!user>", "far.test!user", "far.test!user", "", ROUTED},
    {"<user%far.test>", "user%far.test", "user%far.test", "", ROUTED},
    {"<\"user@far.test\"@lab.test>", "user@far.test@lab.test", "user@far.test", "lab.test", ROUTED},
    {"<user\\@far.test@lab.test>", "user@far.test@lab.test", "user@far.test", "lab.test", ROUTED},
    {"<user@far.test@lab.test>", "user@far.test@lab.test", "user@far.test", "lab.test", ROUTED},
    {"<\"john smith\"@lab.test>", "john smith@lab.test", "john smith", "lab.test", 0},
    {"<bob@[192.0.2.1]>", "bob@[192.0.2.1]", "bob", "[192.0.2.1]", 0},
    {"<bob@[192.0.2.1>", "bob@[192.0.2.1", "bob", "[192.0.2.1", BAD},
    {"<bob@>", "bob", "bob", "", BAD},
    {"<@lab.test>", "@lab.test", "", "lab.test", BAD},
    {"<bob@a..b>", "bob@a..b", "bob", "a..b", BAD},
    {"<bob@lab.test..>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<bob@.lab.test>", "bob@.lab.test", "bob", ".lab.test", BAD},
    {"<bob@lab.test", "bob@lab.test", "bob", "lab.test", BAD},
    {"<bob(x)@lab.test>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<(a(b\\)c)d)bob @ lab.test(e>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<bob@lab.test(@far.test)>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<Bob <bob@lab.test>>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<bob@lab.test,>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<team:bob@lab.test;>", "bob@lab.test", "bob", "lab.test", BAD},
    {"<b b@lab.test>", "bb@lab.test", "bb", "lab.test", BAD},
    {"<\"b(b):b\"@lab.test>", "b(b):b@lab.test", "b(b):b", "lab.test", 0},
    {"<bob@[IPv6:2001:db8::1]>", "bob@[ipv6:2001:db8::1]", "bob", "[ipv6:2001:db8::1]", 0},
    {"<\"bob@lab.test>", "bob@lab.test", "bob@lab.test", "", BAD | ROUTED},
    {"<bob@far.test>@lab.test>", "bob@far.test", "bob", "far.test", BAD},
    {"<\xd1\x82@\xd0\x9f.test>", "\xd1\x82@\xd0\xbf.test", "\xd1\x82", "\xd0\xbf.test", 0},
};

static void test_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct mail_address address;
        mail_address_parse(rows[i].path, &address);
        g_autofree char *key = mail_address_key(&address);
        g_test_message("%s", rows[i].path);
        g_assert_cmpstr(key, ==, rows[i].key);
        g_assert_cmpstr(address.local, ==, rows[i].local);
        g_assert_cmpstr(address.domain, ==, rows[i].domain);
        g_assert_cmpint(address.null, ==, (rows[i].flags & NUL) != 0);
        g_assert_cmpint(address.routed, ==, (rows[i].flags & ROUTED) != 0);
        g_assert_cmpint(address.malformed, ==, (rows[i].flags & BAD) != 0);
        mail_address_clear(&address);
    }
}

static void test_long(void)
{
    g_autofree char *local = g_strnfill(MAIL_ADDRESS_MAX * 4, 'a');
    g_autofree char *path = g_strconcat("<", local, "@lab.test>", NULL);
    struct mail_address address;
    mail_address_parse(path, &address);
    g_assert_true(address.malformed);
    mail_address_clear(&address);
}

static void test_to_ascii(void)
{
    static const struct {
        const char *name, *ascii;
    } names[] = {
        {"Mail.Example", "Mail.Example"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"", ""},
        {"\xff.example", NULL},
        {"r\xfa\xfa\xfa\xfa.123\xfa\xfa", NULL},
        {"cut.\xe2\x82", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *ascii = hostname_to_ascii(names[i].name);
        g_assert_cmpstr(ascii, ==, names[i].ascii);
    }
    g_autofree char *long_name = g_strnfill(100000, '\xc3');
    g_assert_null(hostname_to_ascii(long_name));
}

static void test_hostnames(void)
{
    static const char *const good[] = {"a", "lab.test", "_x.y-z.test", "1.2.3.4.in-addr.arpa"};
    static const char *const bad[] = {"",      "a..b",    "-a.test",   "a-.test", "a b",
                                      "1.2.3", "a.test.", "[1.2.3.4]", "a!b"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(hostname_valid(good[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(hostname_valid(bad[i]));
    g_autofree char *longest = g_strnfill(64, 'a');
    g_assert_false(hostname_valid(longest));
    g_assert_false(hostname_valid("\xd0\xbf.test"));
    g_assert_true(hostname_valid_utf8("\xd0\xbf.test"));
    g_assert_true(hostname_ends_in_number("10.0.0.1"));
    g_assert_true(hostname_ends_in_number("a.5."));
    g_assert_false(hostname_ends_in_number("a5.b"));
}

static void test_literals(void)
{
    struct ipaddr address;
    g_assert_true(hostname_address_literal("[192.0.2.1]", &address));
    g_assert_true(hostname_address_literal("[IPv6:2001:db8::1]", &address));
    g_assert_false(hostname_address_literal("[2001:db8::1]", &address));
    g_assert_false(hostname_address_literal("192.0.2.1", &address));
    g_assert_false(hostname_address_literal("[]", &address));
    g_assert_false(hostname_address_literal("[192.0.2.1", &address));
}

/* What Postfix and Sendmail take for addresses in HELO, and what not. */
static void test_addresses(void)
{
    static const char *const good[] = {"1.2.3.4",
                                       "010.1.2.3",
                                       "1.2.3.04",
                                       "00000001.2.3.4",
                                       "0.0.0.0",
                                       "255.255.255.255",
                                       "a:a:a:a:a:1.2.3.4",
                                       "::",
                                       "::1",
                                       "1::",
                                       "2001:db8::",
                                       "1:2:3",
                                       "1:2:3:4:5:6:7:8",
                                       "::ffff:1.2.3.4",
                                       "1:2:3:4:5:6:1.2.3.4",
                                       "ABCD::1234",
                                       "::0.0.0.0"};
    static const char *const bad[] = {"",
                                      "0.255.255.255",
                                      "0.0.0.1",
                                      "256.1.1.1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.4.",
                                      ".1.2.3",
                                      "1..2.3",
                                      "1.2.3.x",
                                      "1:2",
                                      ":1:2:3",
                                      "1:2:",
                                      "1::2::3",
                                      "12345::",
                                      ":::",
                                      "g::1",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::0.1.2.3",
                                      "::1.2.3",
                                      "1.2.3.4:",
                                      ":"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *literal =
            g_strconcat(strchr(good[i], ':') ? "[IPv6:" : "[", good[i], "]", NULL);
        g_test_message("%s", good[i]);
        g_assert_true(hostname_is_address(good[i]));
        g_assert_true(hostname_is_literal(literal));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *literal =
            g_strconcat(strchr(bad[i], ':') ? "[ipv6:" : "[", bad[i], "]", NULL);
        g_test_message("%s", bad[i]);
        g_assert_false(hostname_is_address(bad[i]));
        g_assert_false(hostname_is_literal(literal));
    }
    static const char *const odd[] = {"[::1]",      "[]",          "[1.2.3.4",       "1.2.3.4]",
                                      "[1.2.3.4]x", "[[1.2.3.4]]", "[IPv6:1.2.3.4]", "1.2.3.4"};
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
        g_assert_false(hostname_is_literal(odd[i]));
}

static enum domain_place at_home(void *data, const char *domain)
{
    (void)data;
    if (g_str_equal(domain, "broken.test"))
        return DOMAIN_CANNOT_TELL;
    return g_str_equal(domain, "lab.test") || g_str_equal(domain, "mail.lab.test") ||
                   g_str_equal(domain, "[192.0.2.1]")
               ? DOMAIN_HERE
               : DOMAIN_ELSEWHERE;
}

/* What Postfix resolves, with lab.test and mail.lab.test in mydestination, myorigin lab.test. */
static void test_resolution(void)
{
    static const char *const bosses[] = {
        "<boss>",
        "<\"boss\">",
        "boss",
        "<boss%lab.test>",
        "<lab.test!boss>",
        "<@lab.test:boss>",
        "<boss@lab.test@lab.test>",
        "<\"boss@lab.test\"@lab.test>",
        "<boss@lab.test.>",
        "<boss@LAB.TEST >",
        "<boss%lab.test%lab.test>",
        "<@lab.test,@mail.lab.test:boss>",
        "<lab.test!boss@lab.test>",
        "<\"boss@lab.test\">",
        "<\"boss%lab.test\">",
        "<\"lab.test!boss\">",
        "<\"lab.test!boss\"@mail.lab.test>",
        "<mail.lab.test!lab.test!boss>",
        "<lab.test!boss%lab.test>",
        "<boss%LAB.Test.@lab.test>",
        "<boss\\@lab.test@lab.test>",
        "<@a.test,@b.test:\"lab.test!boss%lab.test\"@lab.test>",
        "<boss%lab.test@[192.0.2.1]>",
        "<mail.lab.test!boss%lab.test@mail.lab.test>",
        "<@x:lab.test!mail.lab.test!boss@lab.test>",
        "<\"boss\"%lab.test>",
        "<\"\\b\\o\\s\\s\"@lab.test>",
    };
    static const struct {
        const char *typed, *key;
        bool routed, malformed;
    } others[] = {
        {"<far%away.test@lab.test>", "far@away.test", false, false},
        {"<away.test!x>", "x@away.test", false, false},
        {"<\"x@away.test\"@lab.test>", "x@away.test", false, false},
        {"<a!b!c@lab.test>", "b!c@a", true, false},
        {"<\"x y%away.test\"@lab.test>", "x y@away.test", false, false},
        {"<boss%lab.test@relay.test>", "boss%lab.test@relay.test", true, false},
        {"<boss@mail.lab.test>", "boss@mail.lab.test", false, false},
        {"<BOSS>", "BOSS@lab.test", false, false},
        {"<boss+x%lab.test>", "boss+x@lab.test", false, false},
        {"<boss@[192.0.2.1]>", "boss@[192.0.2.1]", false, false},
        {"<boss@[IPv6:::ffff:192.0.2.1]>", "boss@[ipv6:::ffff:192.0.2.1]", false, false},
        {"<\xd1\x82%\xd0\x9f.test@lab.test>", "\xd1\x82@\xd0\xbf.test", false, false},
        {"<\xff%lab.test>", "\xff@lab.test", false, false},
        {"<>", "", false, false},
        {"<boss%@lab.test>", "boss", false, true},
        {"<!boss@lab.test>", "boss", false, true},
        {"<%lab.test@lab.test>", "@lab.test", false, true},
        {"<@lab.test>", "@lab.test", false, true},
        {"<Bob <boss%lab.test>>", "boss@lab.test", false, true},
        {"<boss%a..b@lab.test>", "boss@a..b", false, true},
        {"<boss%lab.test..@lab.test>", "boss@lab.test..", false, true},
        {"<\"\"@lab.test>", "@lab.test", false, true},
        {"<\"\"@far.test>", "@far.test", false, true},
    };
    const struct resolution_site site = {.where = at_home, .origin = "Lab.Test."};
    struct mail_address typed, meant;
    for (size_t i = 0; i < G_N_ELEMENTS(bosses) + G_N_ELEMENTS(others); i++) {
        bool boss = i < G_N_ELEMENTS(bosses);
        size_t row = boss ? 0 : i - G_N_ELEMENTS(bosses);
        const char *path = boss ? bosses[i] : others[row].typed;
        g_test_message("%s", path);
        mail_address_parse(path, &typed);
        g_assert_true(mail_address_resolve(&typed, &site, &meant));
        g_autofree char *key = mail_address_key(&meant);
        if (boss)
            g_assert_true(g_str_equal(key, "boss@lab.test") ||
                          g_str_equal(key, "boss@mail.lab.test"));
        else
            g_assert_cmpstr(key, ==, others[row].key);
        g_assert_cmpint(meant.routed, ==, boss ? false : others[row].routed);
        g_assert_cmpint(meant.malformed, ==, boss ? false : others[row].malformed);
        g_assert_cmpint(meant.null, ==, typed.null);
        mail_address_clear(&typed);
        mail_address_clear(&meant);
    }
}

/* Forms within forms, to any depth: what is put around an address here, resolving takes off. */
static void test_generated_forms(void)
{
    static const struct {
        const char *before, *behind;
    } around[] = {{"", "@lab.test"},
                  {"", "%lab.test@mail.lab.test"},
                  {"lab.test!", "@lab.test"},
                  {"mail.lab.test!lab.test!", "@mail.lab.test"},
                  {"\"", "\"@lab.test"}};
    const struct resolution_site site = {.where = at_home, .origin = "lab.test"};
    GRand *random = g_rand_new_with_seed(20261127);
    for (int i = 0; i < 20000; i++) {
        bool bang = g_rand_boolean(random);
        GString *path = g_string_new(bang ? "away.test!boss" : "boss%away.test");
        for (gint32 depth = g_rand_int_range(random, 1, 6); depth > 0; depth--) {
            gint32 form = g_rand_int_range(random, 0, G_N_ELEMENTS(around));
            /* "%" goes behind "!" outside quotes, before it within. */
            if (bang && strchr(around[form].behind, '%'))
                continue;
            if (!bang && (strchr(around[form].before, '!') || strchr(path->str, '!')))
                continue;
            /* What has a domain goes into the next one in quotes, as one must write it. */
            if (strchr(path->str, '@') && around[form].before[0] != '"') {
                g_autofree char *escaped = g_strescape(path->str, NULL);
                g_string_printf(path, "\"%s\"", escaped);
            } else if (around[form].before[0] == '"') {
                g_autofree char *escaped = g_strescape(path->str, NULL);
                g_string_assign(path, escaped);
            }
            g_string_prepend(path, around[form].before);
            g_string_append(path, around[form].behind);
        }
        g_string_prepend_c(path, '<');
        g_string_append_c(path, '>');
        struct mail_address typed, meant;
        g_test_message("%s", path->str);
        mail_address_parse(path->str, &typed);
        g_assert_true(mail_address_resolve(&typed, &site, &meant));
        bool plain = !strchr(path->str, '"');
        if (plain || !meant.malformed)
            g_assert_cmpstr(meant.domain, ==, "away.test");
        if (plain)
            g_assert_cmpstr(meant.local, ==, "boss");
        mail_address_clear(&typed);
        mail_address_clear(&meant);
        g_string_free(path, TRUE);
    }
    g_rand_free(random);
}

static void test_unknown_sites(void)
{
    const struct resolution_site none = {0}, no_origin = {.where = at_home};
    struct mail_address typed, meant;
    mail_address_parse("<boss%lab.test@lab.test>", &typed);
    g_assert_true(mail_address_resolve(&typed, &none, &meant));
    g_assert_true(meant.malformed);
    g_assert_cmpstr(meant.text, ==, typed.text);
    mail_address_clear(&meant);
    mail_address_clear(&typed);
    mail_address_parse("<boss>", &typed);
    g_assert_true(mail_address_resolve(&typed, &no_origin, &meant));
    g_assert_false(meant.malformed);
    g_assert_cmpstr(meant.domain, ==, "");
    mail_address_clear(&meant);
    mail_address_clear(&typed);
    mail_address_parse("<boss%lab.test@broken.test>", &typed);
    g_assert_false(mail_address_resolve(&typed, &no_origin, &meant));
    g_assert_true(meant.malformed);
    mail_address_clear(&meant);
    mail_address_clear(&typed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/rows", test_rows);
    g_test_add_func("/address/long", test_long);
    g_test_add_func("/hostname/names", test_hostnames);
    g_test_add_func("/hostname/to_ascii", test_to_ascii);
    g_test_add_func("/hostname/literals", test_literals);
    g_test_add_func("/hostname/addresses", test_addresses);
    g_test_add_func("/resolution/forms", test_resolution);
    g_test_add_func("/resolution/generated", test_generated_forms);
    g_test_add_func("/resolution/unknown", test_unknown_sites);
    return g_test_run();
}
