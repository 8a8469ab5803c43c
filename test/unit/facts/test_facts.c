/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>
#include <string.h>

#include "facts/facts.h"

static const char *find_pair(void *context, const char *name)
{
    const char *const *pairs = context;
    while (*pairs && strcmp(*pairs, name) != 0)
        pairs += 2;
    return *pairs ? pairs[1] : NULL;
}

static const char *get_macro(void *context, const char *name)
{
    return g_hash_table_lookup(context, name);
}

/* Facts of a connection with macros given as name, value, ..., NULL. */
static void connect_with(struct facts *facts, const char *address, const char *const *pairs)
{
    g_autoptr(GHashTable) macros = g_hash_table_new(g_str_hash, g_str_equal);
    for (; *pairs; pairs += 2)
        g_hash_table_insert(macros, (char *)(uintptr_t)pairs[0], (char *)(uintptr_t)pairs[1]);
    struct macro_source source = {.get = get_macro, .context = macros};
    struct ipaddr parsed;
    struct connection connection = {.host = "host.test"};
    if (address && ipaddr_parse(address, &parsed))
        connection.address = &parsed;
    facts_connect(facts, &connection, &source);
    facts_helo(facts, "x", &source);
    const char *argv[] = {"<a@b.test>", "size=1234", "smtputf8", NULL};
    facts_mail(facts, argv, &source);
}

#define MACROS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PAIRS(...)  ((void *)(const char *[]){__VA_ARGS__, NULL})

static void check_subject(const char *const *pairs, const char *want)
{
    struct facts facts;
    facts_init(&facts);
    connect_with(&facts, "192.0.2.1", pairs);
    g_autofree char *subject = facts_verified_subject(&facts);
    g_assert_cmpstr(subject, ==, want);
    facts_clear(&facts);
}

static void test_certificates(void)
{
    static const char dn[] = "/CN=alice+20x";
    check_subject(MACROS("{cert_subject}", dn, "{tls_version}", "T"), NULL);
    check_subject(MACROS("{cert_subject}", dn, "{tls_version}", "T", "{verify}", "OK"), dn);
    check_subject(MACROS("{cert_subject}", dn, "{tls_version}", "T", "{verify}", "FAIL"), NULL);
    check_subject(MACROS("{cert_subject}", dn, "{tls_version}", "T", "{verify}", "ok"), NULL);
    check_subject(MACROS("{cert_subject}", dn, "{verify}", "OK"), NULL);
    check_subject(MACROS("v", "Postfix 3.7.11", "{cert_subject}", "alice+test (laptop)",
                         "{tls_version}", "T"),
                  "alice+2Btest+20+28laptop+29");
    check_subject(MACROS("v", "Postfix 3.7.11", "{cert_subject}", "", "{tls_version}", "T"), NULL);
    check_subject(MACROS("v", "8.17.1.9", "{cert_subject}", "x", "{tls_version}", "T"), NULL);
}

static void test_client(void)
{
    struct facts facts;
    facts_init(&facts);
    connect_with(&facts, NULL, MACROS("{client_addr}", "0"));
    char text[IPADDR_TEXT_MAX];
    g_assert_cmpstr(ipaddr_format(&facts.address, text), ==, "127.0.0.1");
    g_assert_false(facts.from_nowhere);
    connect_with(&facts, NULL, MACROS("{client_addr}", "fe80::1%eth0", "v", "8.17.1.9"));
    g_assert_true(facts.from_nowhere);
    connect_with(&facts, "203.0.113.9",
                 MACROS("{client_name}", "host.test", "{client_resolve}", "PERHAPS"));
    g_assert_cmpstr(facts.client_name, ==, "unknown");
    g_assert_cmpint(facts.name_status, ==, NAME_CANNOT_TELL);
    connect_with(&facts, "203.0.113.9",
                 MACROS("{client_name}", "Host.Test", "{client_resolve}", "OK"));
    g_assert_cmpstr(facts.client_name, ==, "host.test");
    g_assert_true(facts.smtputf8);
    g_assert_cmpuint(facts.announced_size, ==, 1234);
    connect_with(&facts, "203.0.113.9",
                 MACROS("{client_name}", "evil.test", "{client_ptr}", "evil.test",
                        "{client_resolve}", "FORGED"));
    g_assert_cmpstr(facts.client_name, ==, "unknown");
    g_assert_cmpstr(facts.reverse_name, ==, "evil.test");
    g_assert_false(facts.without_smtp);
    connect_with(&facts, "127.0.0.1", MACROS("{client_port}", "0"));
    g_assert_true(facts.without_smtp);
    connect_with(&facts, "127.0.0.1", MACROS("{client_port}", "0", "{client_resolve}", "OK"));
    g_assert_false(facts.without_smtp);
    connect_with(&facts, NULL, MACROS("{client_port}", "0", "v", "8.17.1.9"));
    g_assert_false(facts.without_smtp);
    facts_clear(&facts);
}

static void test_tls_and_login(void)
{
    struct facts facts;
    facts_init(&facts);
    connect_with(&facts, "192.0.2.1", MACROS("{cipher_bits}", "256"));
    g_assert_cmpuint(facts_tls_bits(&facts), ==, 0);
    connect_with(&facts, "192.0.2.1", MACROS("{cipher_bits}", "256", "{tls_version}", "T"));
    g_assert_cmpuint(facts_tls_bits(&facts), ==, 256);
    connect_with(&facts, "192.0.2.1", MACROS("{cipher_bits}", "-1", "{tls_version}", "T"));
    g_assert_cmpuint(facts_tls_bits(&facts), ==, 0);
    connect_with(&facts, "192.0.2.1", MACROS("{auth_author}", "bob@lab.test"));
    g_assert_false(facts_has_login(&facts));
    connect_with(&facts, "192.0.2.1", MACROS("{auth_authen}", ""));
    g_assert_false(facts_has_login(&facts));
    connect_with(&facts, "192.0.2.1", MACROS("{auth_type}", "PLAIN"));
    g_assert_true(facts_has_login(&facts));
    facts_clear(&facts);
}

/* The bits of a login after steps of one session: h and H are HELO in clear and under TLS, m and M
 * MAIL; a plus sign: there is a login. */
static unsigned login_bits(const char *version, const char *steps)
{
    static const char *const path[] = {"<a@example.com>", NULL};
    struct facts facts;
    facts_init(&facts);
    const struct macro_source first = {.get = find_pair, .context = PAIRS("v", version)};
    facts_connect(&facts, &(struct connection){.host = "host.test"}, &first);
    for (const char *step = steps; *step; step++) {
        if (*step == '+')
            continue;
        bool tls = g_ascii_isupper(*step);
        const struct macro_source macros = {
            .get = find_pair,
            .context = PAIRS("{tls_version}", tls ? "TLSv1.3" : "", "{cipher_bits}",
                             tls ? "256" : "", "{auth_type}", step[1] == '+' ? "PLAIN" : "")};
        if (g_ascii_tolower(*step) == 'h')
            facts_helo(&facts, "x", &macros);
        else
            facts_mail(&facts, path, &macros);
    }
    unsigned bits = facts_login_bits(&facts);
    facts_clear(&facts);
    return bits;
}

static void test_login_before_tls(void)
{
    static const struct {
        const char *version, *steps;
        unsigned bits;
    } rows[] = {
        {"8.17.1.9", "hm+", 0},       {"8.17.1.9", "hHM+", 256},
        {"8.17.1.9", "HM+M+", 256},   {"8.17.1.9", "HM+H+M+", 256},
        {"8.17.1.9", "M+", 256},      {"8.17.1.9", "hH+M+", 0},
        {"8.17.1.9", "hh+H+M+", 0},   {"8.17.1.9", "hm+M+", 0},
        {"8.17.1.9", "hH+M+H+M+", 0}, {"Postfix 3.7.11", "hm+HM+", 256},
        {"", "hm+HM+", 256},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned bits = login_bits(rows[i].version, rows[i].steps);
        if (bits != rows[i].bits)
            g_error("%s %s: %u", rows[i].version, rows[i].steps, bits);
    }
}

/* Sendmail takes 50 macros a stage, and libmilter one list for each. */
static void test_macro_lists(void)
{
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        g_autofree char *list = facts_macro_list((enum stage)stage);
        g_assert_nonnull(list);
        g_auto(GStrv) names = g_strsplit(list, " ", -1);
        g_assert_cmpuint(g_strv_length(names), <=, 50);
        g_assert_null(strstr(list, "{auth_author}"));
    }
    g_autofree char *mail = facts_macro_list(STAGE_MAIL);
    g_assert_nonnull(strstr(mail, "{verify}"));
    g_assert_nonnull(strstr(mail, "{tls_version}"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/facts/certificates", test_certificates);
    g_test_add_func("/facts/client", test_client);
    g_test_add_func("/facts/tls-and-login", test_tls_and_login);
    g_test_add_func("/facts/login-before-tls", test_login_before_tls);
    g_test_add_func("/facts/macro-lists", test_macro_lists);
    return g_test_run();
}
