/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>

#include "mail/address.h"
#include "mail/hostname.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/rows", test_rows);
    g_test_add_func("/address/long", test_long);
    g_test_add_func("/hostname/names", test_hostnames);
    g_test_add_func("/hostname/to_ascii", test_to_ascii);
    g_test_add_func("/hostname/literals", test_literals);
    return g_test_run();
}
