/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a person writes about DNS lists, and what the lists are asked.
 */
#include <glib.h>
#include <string.h>

#include "dns/dnsbl.h"

static const char *const good_filters[] = {
    "127.0.0.2",           "127.0.0.[2..11]",      "127.0.0.[2..11;14]",      "[127].[0].[0].[2]",
    "[127.0.0.[4..6]]",    "127.0.[0..255].[1;3]", "[0..255].[0..255].0.[9]", "0127.0.0.002",
    "127.255.255.[0..255]"};

/* What a filter means, worked out from its text for one octet. */
static bool octet_matches(const char *field, unsigned value)
{
    g_autofree char *bare = g_strdup(field);
    g_strdelimit(bare, "[]", ' ');
    g_auto(GStrv) members = g_strsplit(g_strstrip(bare), ";", -1);
    for (unsigned i = 0; members[i]; i++) {
        char *dots = strstr(members[i], "..");
        unsigned first = (unsigned)g_ascii_strtoull(members[i], NULL, 10);
        unsigned last = dots ? (unsigned)g_ascii_strtoull(dots + 2, NULL, 10) : first;
        if (value >= first && value <= last)
            return true;
    }
    return false;
}

/* The four fields of a filter: at dots outside brackets that are no part of "..". */
static char **split_fields(const char *text)
{
    size_t length = strlen(text);
    bool wrapped = strcmp(text, "[127.0.0.[4..6]]") == 0;
    g_autofree char *copy = wrapped ? g_strndup(text + 1, length - 2) : g_strdup(text);
    int depth = 0;
    for (char *p = copy; *p; p++) {
        depth += (*p == '[') - (*p == ']');
        if (*p == '.' && depth == 0)
            *p = '|';
    }
    return g_strsplit(copy, "|", -1);
}

/* Bit sets against a reading of the text, over all values of each octet. */
static void test_filter_brute_force(void)
{
    for (size_t f = 0; f < G_N_ELEMENTS(good_filters); f++) {
        struct dnsbl_filter filter;
        g_assert_true(dnsbl_filter_parse(good_filters[f], &filter, NULL));
        g_auto(GStrv) fields = split_fields(good_filters[f]);
        g_assert_cmpuint(g_strv_length(fields), ==, 4);
        for (unsigned n = 0; n < 200000; n++) {
            guint32 random =
                g_test_rand_bit() ? (guint32)g_test_rand_int() & 0xff : (guint32)g_test_rand_int();
            struct ipaddr code = {.family = IP_V4};
            bool want = true;
            for (unsigned i = 0; i < 4; i++) {
                code.bytes[i] = (uint8_t)(random >> (8 * (3 - i)));
                if (n % 4 != 0 && i < 3)
                    code.bytes[i] = (uint8_t[]){127, 0, 0}[i];
                want &= octet_matches(fields[i], code.bytes[i]);
            }
            g_assert_cmpint(dnsbl_filter_match(&filter, &code), ==, want);
        }
    }
}

static void test_bad_filters(void)
{
    static const char *const bad[] = {
        "",
        "127.0.0",
        "127.0.0.2.",
        "127.0.0.2.3",
        "127.0.0.256",
        "127.0.0.[2,3]",
        "127.0.0.[2..1]",
        "127.0.0.[2.3]",
        "127.0.0.[2...3]",
        "127.0.0.[]",
        "127.0.0.[2;]",
        "127.0.0.[2",
        "127.0.[0.2]",
        "127.0.0.2[3..4]",
        "127.0.0.x",
        "127.0.0. 2",
        "[127.0.0.2",
        "[]",
        "99999999999999999999.0.0.1",
        "::1",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct dnsbl_filter filter;
        char *why = NULL;
        g_assert_false(dnsbl_filter_parse(bad[i], &filter, &why));
        g_assert_nonnull(why);
        g_free(why);
    }
}

static void test_address_keys(void)
{
    static const struct {
        const char *address, *key;
    } rows[] = {
        {"203.0.113.9", "9.113.0.203"},
        {"::ffff:203.0.113.9", "9.113.0.203"},
        {"2001:db8::2:1", "1.0.0.0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"},
        {"127.0.0.1", NULL},
        {"10.1.2.3", NULL},
        {"172.16.0.1", NULL},
        {"192.168.1.1", NULL},
        {"169.254.1.1", NULL},
        {"100.64.0.1", NULL},
        {"::1", NULL},
        {"fe80::1", NULL},
        {"fd00::1", NULL},
        {"::ffff:10.0.0.1", NULL},
        {"0.0.0.0", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct ipaddr address;
        g_assert_true(ipaddr_parse(rows[i].address, &address));
        g_autofree char *key = dnsbl_key_for_address(&address);
        g_assert_cmpstr(key, ==, rows[i].key);
    }
    struct ipaddr none = {.family = IP_NONE};
    g_assert_null(dnsbl_key_for_address(&none));
}

static void test_domain_keys(void)
{
    char label[70], longest[300] = "";
    memset(label, 'a', 63);
    label[63] = '\0';
    for (unsigned i = 0; i < 4; i++)
        strcat(strcat(longest, label), ".");
    static const struct {
        const char *domain, *key;
    } rows[] = {
        {"Spam.Example", "spam.example"},
        {"spam.example.", "spam.example"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"a_b.example", "a_b.example"},
        {"[203.0.113.9]", NULL},
        {"203.0.113.9", NULL},
        {"host.123", NULL},
        {"host.123.", NULL},
        {"123", NULL},
        {"2001:db8::1", NULL},
        {"", NULL},
        {".", NULL},
        {"a..b", NULL},
        {"-a.example", NULL},
        {"a b.example", NULL},
        {"\xff.example", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *key = dnsbl_key_for_domain(rows[i].domain);
        g_assert_cmpstr(key, ==, rows[i].key);
    }
    g_assert_null(dnsbl_key_for_domain(longest));
}

static void test_emails(void)
{
    static const struct {
        const char *address, *canonical;
    } rows[] = {
        {"User@Example.COM", "user@example.com"},
        {"user+tag@example.com", "user@example.com"},
        {"user+a+b@example.com.", "user@example.com"},
        {"+tag@example.com", "+tag@example.com"},
        {"first.last@example.com", "first.last@example.com"},
        {"First.Last+x@gmail.com", "firstlast@gmail.com"},
        {"f.l@googlemail.com", "fl@gmail.com"},
        {"f.l@googlemail.example.com", "fl@gmail.example.com"},
        {"me-list@yahoo.co.uk", "me@yahoo.co.uk"},
        {"me-list@ymail.com", "me@ymail.com"},
        {"me-list@example.com", "me-list@example.com"},
        {"a@b@example.com", "a@b@example.com"},
        {"\xc3\x9c@example.com", "\xc3\xbc@example.com"},
        {"@example.com", NULL},
        {"user", NULL},
        {"user@", NULL},
        {"user@[192.0.2.1]", NULL},
        {"user@host.9", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *canonical = dnsbl_canonical_email(rows[i].address);
        g_assert_cmpstr(canonical, ==, rows[i].canonical);
        g_autofree char *key = dnsbl_key_for_email(rows[i].address, DNSBL_SHA1);
        g_assert_cmpint(key != NULL, ==, rows[i].canonical != NULL);
    }
}

/* The values come from sha1sum, md5sum, and sha256sum with base32. */
static void test_hashes(void)
{
    static const char *const keys[] = {
        [DNSBL_SHA1] = "7d72ff85c3eccb372ef648d0cd76079f731e3f8f",
        [DNSBL_SHA256] = "6fikayypf7gveda6rc6pfhi6iwew4xlywtjjq6iv7apb3f7xjihq",
        [DNSBL_MD5] = "7cf9deb8fb2b1b154f048b9463f1e6b5",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *key = dnsbl_key_for_email("Offer+now@Spammer.example", (enum dnsbl_hash)i);
        if (keys[i])
            g_assert_cmpstr(key, ==, keys[i]);
    }
}

enum adder { SITES, RHSBL, HASHBL, ZONE, RULE };

static bool add(enum adder adder, struct dnsbl_set *set, const char *text,
                struct problems *problems)
{
    switch (adder) {
    case SITES:
        return dnsbl_set_add_sites(set, text, problems, "conf", 7);
    case RHSBL:
        return dnsbl_set_add_rhsbl(set, text, problems, "conf", 7);
    case HASHBL:
        return dnsbl_set_add_hashbl(set, text, problems, "conf", 7);
    case ZONE:
        return dnsbl_set_add_zone(set, DNSBL_NAME, DNSBL_HELO, text, problems, "conf", 7);
    case RULE:
        return dnsbl_set_add_rule(set, text, problems, "conf", 7);
    }
    return false;
}

static void test_sites(void)
{
    static const struct {
        enum adder adder;
        const char *text; /* the last entry is looked at */
        unsigned count;
        const char *zone;
        enum dnsbl_kind kind;
        int weight;
        bool filtered;
        unsigned places;
        enum dnsbl_hash hash;
    } rows[] = {
        {SITES, "a.example", 1, "a.example", DNSBL_ADDRESS, 1, false, DNSBL_CLIENT, 0},
        {SITES, "a.example*2, B.example*-3", 2, "B.example", DNSBL_ADDRESS, -3, false, DNSBL_CLIENT,
         0},
        {SITES, "x.example,\n  zen.spamhaus.org=127.0.0.[2..11;14]*3", 2, "zen.spamhaus.org",
         DNSBL_ADDRESS, 3, true, DNSBL_CLIENT, 0},
        {SITES, "list.dnswl.org=127.0.[0..255].[1..3]*-2", 1, "list.dnswl.org", DNSBL_ADDRESS, -2,
         true, DNSBL_CLIENT, 0},
        {SITES, "a.example*+5 b.example*0", 2, "b.example", DNSBL_ADDRESS, 0, false, DNSBL_CLIENT,
         0},
        {SITES, "", 0, NULL, 0, 0, false, 0, 0},
        {RHSBL, "dbl.example", 1, "dbl.example", DNSBL_NAME, 1, false, DNSBL_SENDER, 0},
        {RHSBL, "a.example*2/helo dbl.example=127.0.1.[2..99]*3/sender,helo,ptr,from,reply-to", 2,
         "dbl.example", DNSBL_NAME, 3, true,
         DNSBL_SENDER | DNSBL_HELO | DNSBL_PTR | DNSBL_FROM | DNSBL_REPLY_TO, 0},
        {HASHBL, "ebl.example", 1, "ebl.example", DNSBL_HASH, 1, false, DNSBL_SENDER, DNSBL_SHA1},
        {HASHBL, "ebl.example*5/sender,from,reply-to:sha256", 1, "ebl.example", DNSBL_HASH, 5,
         false, DNSBL_SENDER | DNSBL_FROM | DNSBL_REPLY_TO, DNSBL_SHA256},
        {HASHBL, "ebl.example:MD5", 1, "ebl.example", DNSBL_HASH, 1, false, DNSBL_SENDER,
         DNSBL_MD5},
        {ZONE, "dbl.example=127.0.1.2", 1, "dbl.example", DNSBL_NAME, 1, true, DNSBL_HELO, 0},
        {RULE, "zen.example=127.0.0.[2..3]", 1, "zen.example", DNSBL_ADDRESS, 1, true, DNSBL_CLIENT,
         0},
        {RULE, "dbl.example/from,sender", 1, "dbl.example", DNSBL_NAME, 1, false,
         DNSBL_FROM | DNSBL_SENDER, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct problems *problems = problems_new();
        struct dnsbl_set *set = dnsbl_set_new();
        g_assert_true(add(rows[i].adder, set, rows[i].text, problems));
        g_assert_cmpuint(problems_errors(problems), ==, 0);
        g_assert_cmpuint(dnsbl_set_count(set), ==, rows[i].count);
        if (rows[i].count > 0) {
            const struct dnsbl_entry *entry = dnsbl_set_get(set, rows[i].count - 1);
            g_assert_cmpstr(entry->zone, ==, rows[i].zone);
            g_assert_cmpint(entry->kind, ==, rows[i].kind);
            g_assert_cmpint(entry->weight, ==, rows[i].weight);
            g_assert_cmpint(entry->filtered, ==, rows[i].filtered);
            g_assert_cmpuint(entry->places, ==, rows[i].places);
            g_assert_cmpint(entry->hash, ==, rows[i].hash);
        }
        dnsbl_set_unref(set);
        problems_free(problems);
    }
}

static void test_bad_sites(void)
{
    static const struct {
        enum adder adder;
        const char *text;
        unsigned errors, kept;
    } rows[] = {
        {SITES, "a.example*", 1, 0},
        {SITES, "a.example*x b.example", 1, 1},
        {SITES, "a.example*3x", 1, 0},
        {SITES, "a.example*99999999999999", 1, 0},
        {SITES, "=127.0.0.2", 1, 0},
        {SITES, "a.example=", 1, 0},
        {SITES, "a.example=127.0.0.[2,3]", 2, 0}, /* the comma separates, as in Postfix */
        {SITES, "a_-.example a..b 192.0.2.1", 3, 0},
        {SITES, "a.example/sender", 1, 0},
        {SITES, "a{b", 1, 0},
        {RHSBL, "a.example/", 1, 0},
        {RHSBL, "a.example/sendr", 1, 0},
        {RHSBL, "a.example/sender,,helo", 1, 0},
        {RHSBL, "a.example/client", 1, 0},
        {RHSBL, "a.example*2,b.example*2", 1, 0},
        {RHSBL, "a.example:sha1", 1, 0},
        {HASHBL, "a.example:sha512", 1, 0},
        {HASHBL, "a.example/helo", 1, 0},
        {HASHBL, "a.example:", 1, 0},
        {ZONE, "a.example*2", 1, 0},
        {ZONE, "a.example/helo", 1, 0},
        {ZONE, "", 1, 0},
        {RULE, "a.example*2", 1, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct problems *problems = problems_new();
        struct dnsbl_set *set = dnsbl_set_new();
        g_assert_false(add(rows[i].adder, set, rows[i].text, problems));
        if (problems_errors(problems) != rows[i].errors)
            problems_print(problems, stderr);
        g_assert_cmpuint(problems_errors(problems), ==, rows[i].errors);
        g_assert_cmpuint(dnsbl_set_count(set), ==, rows[i].kept);
        g_assert_cmpstr(problems_get(problems, 0)->file, ==, "conf");
        g_assert_cmpuint(problems_get(problems, 0)->line, ==, 7);
        dnsbl_set_unref(set);
        problems_free(problems);
    }
}

static void test_warnings(void)
{
    struct problems *problems = problems_new();
    struct dnsbl_set *set = dnsbl_set_new();
    g_assert_true(dnsbl_set_add_sites(set, "w.example*-2", problems, "conf", 7));
    g_assert_cmpuint(problems_warnings(problems), ==, 1);
    g_assert_true(dnsbl_set_add_sites(set, "w.example=127.0.0.2*-2", problems, "conf", 7));
    g_assert_cmpuint(problems_warnings(problems), ==, 1);
    g_assert_cmpuint(dnsbl_set_places(set), ==, DNSBL_CLIENT);
    dnsbl_set_unref(set);
    problems_free(problems);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dnsbl/filter/brute-force", test_filter_brute_force);
    g_test_add_func("/dnsbl/filter/bad", test_bad_filters);
    g_test_add_func("/dnsbl/key/address", test_address_keys);
    g_test_add_func("/dnsbl/key/domain", test_domain_keys);
    g_test_add_func("/dnsbl/key/email", test_emails);
    g_test_add_func("/dnsbl/key/hashes", test_hashes);
    g_test_add_func("/dnsbl/set/sites", test_sites);
    g_test_add_func("/dnsbl/set/bad", test_bad_sites);
    g_test_add_func("/dnsbl/set/warnings", test_warnings);
    return g_test_run();
}
