/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MTA-STS records and policies; usable TLSA records; onion addresses; time limits of text.
 */
#include "sts.h"

#include <string.h>

#include "mx.h"
#include "onion.h"

static void test_records(void)
{
    static const struct {
        const char *texts[3];
        const char *id;
        bool wrong;
    } rows[] = {
        {{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z", false},
        {{"v=STSv1;id=a", "v=spf1 -all"}, "a", false},
        {{"v=STSv1 ; id = a ; x=y"}, "a", false},
        {{"v=STSv1; id=a", "v=STSv1; id=b"}, NULL, true},
        {{"v=STSv10; id=a"}, NULL, false},
        {{"V=STSv1; id=a"}, NULL, false},
        {{"v=STSv1;"}, NULL, true},
        {{"v=STSv1; id=a b"}, NULL, true},
        {{"v=STSv1; id=123456789012345678901234567890123"}, NULL, true},
        {{"nothing"}, NULL, false},
        {{NULL}, NULL, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *why;
        size_t count = 0;
        while (rows[i].texts[count])
            count++;
        g_autofree char *id = sts_record_id((char *const *)rows[i].texts, count, &why);
        g_test_message("row %zu", i);
        g_assert_cmpstr(id, ==, rows[i].id);
        g_assert_true((why != NULL) == rows[i].wrong);
    }
    char *const report[] = {(char *)"v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d"};
    g_autofree char *places = sts_report_places(report, 1);
    g_assert_cmpstr(places, ==, "mailto:a@b.example https://c.example/d");
}

#define HEAD "version: STSv1\n"

static void test_policies(void)
{
    static const struct {
        const char *text;
        int mode; /* -1: no policy */
        const char *covered, *uncovered;
    } rows[] = {
        {HEAD "mode: enforce\r\nmx: mx.a.example\r\nmax_age: 1\r\n", STS_MODE_ENFORCE,
         "MX.a.example", "x.a.example"},
        {HEAD "mode: testing\nmx: *.a.example\nmax_age: 1", STS_MODE_TESTING, "mx.a.example",
         "a.b.a.example"},
        {HEAD "mode: enforce\nmx: *.a.example\nmax_age: 1", STS_MODE_ENFORCE, "mx.A.example",
         "a.example"},
        {HEAD "mode: none\nmax_age: 0\n", STS_MODE_NONE, NULL, "a.example"},
        /* what is unknown is passed over, of what comes twice the first counts */
        {HEAD "mode: enforce\nmode: none\nnew: x\nmx: a.example\nmax_age: 1\n", STS_MODE_ENFORCE,
         "a.example", "b.example"},
        {"mode: enforce\nmx: a.example\nmax_age: 1\n", -1, NULL, NULL},
        {"version: STSv2\nmode: none\nmax_age: 1\n", -1, NULL, NULL},
        {HEAD "mx: a.example\nmax_age: 1\n", -1, NULL, NULL},
        {HEAD "mode: Enforce\nmx: a.example\nmax_age: 1\n", -1, NULL, NULL},
        {HEAD "mode: enforce\nmx: a.example\n", -1, NULL, NULL},
        {HEAD "mode: enforce\nmx: a.example\nmax_age: -1\n", -1, NULL, NULL},
        {HEAD "mode: enforce\nmax_age: 1\n", -1, NULL, NULL},
        {HEAD "mode: enforce\nmx: a example\nmax_age: 1\n", -1, NULL, NULL},
        {HEAD "mode: enforce\nmx: a.*\nmax_age: 1\n", -1, NULL, NULL},
        {HEAD "gibberish\nmode: none\nmax_age: 1\n", -1, NULL, NULL},
        {"<html>", -1, NULL, NULL},
        {"", -1, NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *why = NULL;
        struct sts_policy *policy = sts_policy_parse(rows[i].text, strlen(rows[i].text), &why);
        g_test_message("row %zu: %s", i, why ? why : "a policy");
        g_assert_cmpint(policy ? (int)policy->mode : -1, ==, rows[i].mode);
        g_assert_true(policy || why);
        g_assert_true(!rows[i].covered || sts_policy_covers(policy, rows[i].covered));
        g_assert_false(rows[i].uncovered && sts_policy_covers(policy, rows[i].uncovered));
        sts_policy_free(policy);
    }
    g_autofree char *large = g_strnfill(STS_POLICY_MAX + 1, '\n');
    const char *why;
    g_assert_null(sts_policy_parse(large, strlen(large), &why));
}

static void test_tlsa(void)
{
    static const struct {
        unsigned usage, selector, matching;
        size_t length;
        bool usable;
    } rows[] = {{3, 1, 1, 32, true},  {2, 0, 2, 64, true},  {3, 0, 0, 500, true},
                {1, 1, 1, 32, false}, {0, 0, 1, 32, false}, {4, 1, 1, 32, false},
                {3, 2, 1, 32, false}, {3, 1, 3, 32, false}, {3, 1, 1, 31, false},
                {3, 1, 2, 32, false}, {3, 1, 0, 0, false},  {255, 0, 1, 32, false}};
    uint8_t data[500] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct dns_tlsa record = {rows[i].usage, rows[i].selector, rows[i].matching, data,
                                  rows[i].length};
        g_assert_cmpint(mx_tlsa_usable(&record), ==, rows[i].usable);
    }
}

static void test_onion(void)
{
    /* an address of the Tor Project's documentation */
    static const char good[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
    const char *why;
    g_autofree char *other = g_strdup(good), *upper = g_ascii_strup(good, -1);
    g_assert_true(onion_address_valid(good, &why));
    g_assert_true(onion_address_valid(upper, &why));
    for (size_t i = 0; i < 56; i++) {
        other[i] = other[i] == 'a' ? 'b' : 'a';
        g_assert_false(onion_address_valid(other, &why));
        other[i] = good[i];
    }
    static const char *const bad[] = {"",
                                      "onion",
                                      ".onion",
                                      "ncikv3i4qfzwy2qy.onion",
                                      "a.pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
                                      ".onion",
                                      "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd",
                                      "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
                                      ".onion.example"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(onion_address_valid(bad[i], &why));
    g_assert_true(onion_service_valid("smtp_tor-2"));
    g_assert_false(onion_service_valid(""));
    g_assert_false(onion_service_valid("a:b"));
    static const char map[] = "# a x\nb.example one\nB.c.example two\nb.c.example.org three";
    g_autofree char *first = onion_old_line(map, "b.example");
    g_autofree char *second = onion_old_line(map, "b.c.example");
    g_autofree char *third = onion_old_line(map, "b.c.example.org");
    g_assert_cmpstr(first, ==, "b.example one\n");
    g_assert_cmpstr(second, ==, "B.c.example two\n");
    g_assert_cmpstr(third, ==, "b.c.example.org three\n");
    g_assert_null(onion_old_line(map, "a"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sts/records", test_records);
    g_test_add_func("/sts/policies", test_policies);
    g_test_add_func("/sts/tlsa", test_tlsa);
    g_test_add_func("/sts/onion", test_onion);
    return g_test_run();
}
