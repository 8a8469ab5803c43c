/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>

#include "base/ipaddr.h"

static void check_parse(const char *text, const char *want)
{
    struct ipaddr address;
    char buffer[IPADDR_TEXT_MAX];
    bool ok = ipaddr_parse(text, &address);
    if (!want) {
        g_assert_false(ok);
        return;
    }
    g_assert_true(ok);
    g_assert_cmpstr(ipaddr_format(&address, buffer), ==, want);
}

static void test_parse(void)
{
    check_parse("192.0.2.1", "192.0.2.1");
    check_parse("::ffff:192.0.2.1", "192.0.2.1");
    check_parse("IPv6:::ffff:192.0.2.1", "192.0.2.1");
    check_parse("ipv6:2001:DB8:0:0:0:0:0:10", "2001:db8::10");
    check_parse("IPv6:192.0.2.1", NULL);
    check_parse("192.0.2", NULL);
    check_parse("0300.0.2.1", NULL);
    check_parse("192.0.2.1 ", NULL);
    check_parse("[::1]", NULL);
    check_parse("fe80::1%lo", NULL);
    check_parse("", NULL);
}

static bool within(const char *net, const char *address)
{
    struct ipnet n;
    struct ipaddr a;
    g_assert_true(ipnet_parse(net, &n, NULL));
    g_assert_true(ipaddr_parse(address, &a));
    return ipnet_contains(&n, &a);
}

static void test_nets(void)
{
    g_assert_true(within("192.0.2.0/24", "192.0.2.255"));
    g_assert_false(within("192.0.2.0/24", "192.0.3.0"));
    g_assert_true(within("192.0.2.0/25", "192.0.2.127"));
    g_assert_false(within("192.0.2.0/25", "192.0.2.128"));
    g_assert_true(within("0.0.0.0/0", "203.0.113.9"));
    g_assert_false(within("0.0.0.0/0", "2001:db8::1"));
    g_assert_false(within("::/0", "203.0.113.9"));
    g_assert_true(within("[::1]/128", "::1"));
    g_assert_true(within("[2001:db8::]/33", "2001:db8:7fff::1"));
    g_assert_false(within("[2001:db8::]/33", "2001:db8:8000::1"));
    g_assert_true(within("[2001:db8::/33]", "2001:db8:7fff::1"));
    g_assert_false(within("[2001:db8::/33]", "2001:db8:8000::1"));
    /* As in Postfix, no pattern in IPv6's form speaks of an IPv4 address. */
    static const char *const mapped[] = {
        "::ffff:192.0.2.0/120", "::ffff:192.0.2.9", "[::ffff:0:0]/96",
        "::ffff:c000:0209/128", "[::]/0",           "IPv6:::ffff:192.0.2.9"};
    for (size_t i = 0; i < G_N_ELEMENTS(mapped); i++) {
        g_assert_false(within(mapped[i], "192.0.2.9"));
        g_assert_false(within(mapped[i], "::ffff:192.0.2.9"));
    }
    g_assert_true(within("127.0.0.0/8", "::ffff:127.0.0.1"));
}

static void test_bad_nets(void)
{
    static const char *const bad[] = {
        "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "x",           "",
        "::1/129",      "1.2.3.4/-1",   "[]/8",       "1.2.3.4/0x8", "[::/32]/32",
        "[::]/32]",     "[::/32",       "[[::]/32]",  "[::]x/32",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct ipnet net;
        const char *why = NULL;
        g_assert_false(ipnet_parse(bad[i], &net, &why));
        g_assert_nonnull(why);
    }
}

static void test_private(void)
{
    static const char *const inside[] = {"10.1.2.3",    "127.0.0.1", "::1", "fe80::1",
                                         "169.254.1.1", "fd00::1",   "::"};
    static const char *const outside[] = {"203.0.113.9", "2001:db8::1", "172.32.0.1"};
    struct ipaddr address;
    for (size_t i = 0; i < G_N_ELEMENTS(inside); i++) {
        g_assert_true(ipaddr_parse(inside[i], &address));
        g_assert_true(ipaddr_is_private(&address));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        g_assert_true(ipaddr_parse(outside[i], &address));
        g_assert_false(ipaddr_is_private(&address));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ipaddr/parse", test_parse);
    g_test_add_func("/ipaddr/nets", test_nets);
    g_test_add_func("/ipaddr/bad-nets", test_bad_nets);
    g_test_add_func("/ipaddr/private", test_private);
    return g_test_run();
}
