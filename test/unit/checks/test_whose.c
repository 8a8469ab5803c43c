/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose an address of the envelope is: by what the MTA says of it, and by what was typed.
 */
#include <string.h>

#include "base/text.h"
#include "checks/whose.h"

static const struct row {
    const char *version; /* of the MTA */
    const char *typed, *mailer, *addr;
    const char *meant; /* "local@domain"; "?": nobody can tell, "<>": the null sender */
} rows[] = {
    /* Postfix gives a whole address always */
    {"Postfix 3.7.11", "<bob>", "local", "bob@lab.test", "bob@lab.test"},
    {"Postfix 3.7.11", "<Bob@LAB.test>", "local", "Bob@lab.test", "Bob@lab.test"},
    {"Postfix 3.7.11", "<c%far.test@lab.test>", "smtp", "c@far.test", "c@far.test"},
    {"Postfix 3.7.11", "<alias@lab.test>", "local", "bob@lab.test", "bob@lab.test"},
    {"Postfix 3.7.11", "<@lab.test:c@far.test>", "smtp", "c@far.test", "c@far.test"},
    /* what is no address with a domain says nothing: what was typed stays */
    {"Postfix 3.7.11", "<bob@lab.test>", "local", "bob", "bob@lab.test"},
    {"Postfix 3.7.11", "<bob@lab.test>", "local", "", "bob@lab.test"},
    {"Postfix 3.7.11", "<bob@lab.test>", "local", "a b@lab.test", "bob@lab.test"},
    {"Postfix 3.7.11", "<bob@lab.test>", NULL, NULL, "bob@lab.test"},
    {"Postfix 3.7.11", "<>", "local", "bob@lab.test", "<>"},
    /* Sendmail tells of a local address who it is, not where */
    {"8.17.1", "<bob@lab.test>", "local", "bob", "bob@lab.test"},
    {"8.17.1", "<alias@lab.test>", "local", "bob", "alias@lab.test"},
    {"8.17.1", "<c@far.test>", "esmtp", "c@far.test", "c@far.test"},
    {"8.17.1", "<c%far.test@lab.test>", "esmtp", "c@far.test", "c@far.test"},
    {"8.17.1", "<c%lab.test@far.test>", "esmtp", "c%lab.test@far.test", "c%lab.test@far.test"},
    {"8.17.1", "<bob>", NULL, NULL, "bob@lab.test"},
};

static const char *get(void *context, const char *name)
{
    const struct row *row = context;
    return strcmp(name, "v") == 0                                                     ? row->version
           : strcmp(name, "{mail_mailer}") == 0 || strcmp(name, "{rcpt_mailer}") == 0 ? row->mailer
           : strcmp(name, "{mail_addr}") == 0 || strcmp(name, "{rcpt_addr}") == 0     ? row->addr
           : strcmp(name, "{client_port}") == 0                                       ? "40000"
                                                                                      : NULL;
}

static struct site make_site(struct problems *problems, const char *domains, const char *origin)
{
    const struct table_context context = {.problems = problems, .file = "test"};
    return (struct site){
        .login_domains = match_list_open(domains, MATCH_DOMAINS, &context),
        .origin = g_strdup(origin),
        .recipient_delimiter = g_strdup("+"),
    };
}

static void check_meant(const struct meant_address *meant, const char *expected)
{
    g_autofree char *key = mail_address_key(&meant->address);
    const char *said = meant->untold || meant->address.malformed ? "?"
                       : meant->address.null                     ? "<>"
                                                                 : key;
    g_assert_cmpstr(said, ==, expected);
}

/* Sender and recipient are resolved alike. */
static void test_macros(void)
{
    struct problems *problems = problems_new();
    struct site site = make_site(problems, "lab.test", "lab.test");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct row *row = &rows[i];
        const struct macro_source macros = {.get = get, .context = (void *)(uintptr_t)row};
        struct ipaddr address;
        g_assert_true(ipaddr_parse("203.0.113.9", &address));
        const struct connection connection = {.host = "host", .address = &address};
        const char *argv[] = {row->typed, NULL};
        struct facts facts;
        facts_init(&facts);
        facts_connect(&facts, &connection, &macros);
        facts_mail(&facts, argv, &macros);
        whose_sender(&site, &facts);
        g_test_message("%s: %s (%s)", row->version, row->typed, row->addr ? row->addr : "-");
        check_meant(&facts.sender_meant, row->meant);
        if (!facts.sender.null) {
            facts_rcpt(&facts, argv, &macros);
            whose_recipient(&site, &facts);
            check_meant(&facts.recipient_meant, row->meant);
        }
        facts_clear(&facts);
    }
    site_clear(&site);
    problems_free(problems);
}

struct seen {
    GString *addresses;
    unsigned most;
};

static bool see(void *data, const struct mail_address *address)
{
    struct seen *seen = data;
    g_string_append_printf(seen->addresses, "%s ", address->text);
    return --seen->most > 0;
}

/* A bare name may be anybody's of that name at this site's domains. */
static void test_each(void)
{
    static const struct {
        const char *domains, *typed;
        unsigned most;
        const char *addresses;
        bool whole; /* it can be no other */
    } each[] = {
        {"lab.test, sub.test", "<bob@far.test>", 9, "bob@far.test ", true},
        {"lab.test, sub.test", "<bob>", 9, "bob bob@lab.test bob@sub.test ", true},
        {"lab.test, sub.test", "<bob>", 2, "bob bob@lab.test ", true},
        {"lab.test, .sub.test", "<bob>", 9, "bob bob@lab.test ", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(each); i++) {
        struct problems *problems = problems_new();
        struct site site = make_site(problems, each[i].domains, "");
        struct mail_address typed;
        struct meant_address meant = {0};
        struct seen seen = {g_string_new(NULL), each[i].most};
        mail_address_parse(each[i].typed, &typed);
        whose_typed(&site, &typed, &meant);
        bool whole = whose_each(&site, &meant, see, &seen);
        g_test_message("%s: %s", each[i].domains, each[i].typed);
        g_assert_cmpstr(seen.addresses->str, ==, each[i].addresses);
        g_assert_cmpint(whole, ==, each[i].whole);
        g_string_free(seen.addresses, TRUE);
        mail_address_clear(&meant.address);
        mail_address_clear(&typed);
        site_clear(&site);
        problems_free(problems);
    }
}

/* A table is asked about each of them, until one is known or nobody can tell. */
static void test_find(void)
{
    static const struct {
        const char *domains, *tables, *typed;
        enum lookup_status status;
        const char *value;
    } find[] = {
        {"lab.test", "inline:{bob@lab.test=b}", "<bob@lab.test>", LOOKUP_HIT, "b"},
        {"lab.test, sub.test", "inline:{bob@sub.test=b}", "<bob>", LOOKUP_HIT, "b"},
        {"lab.test, sub.test", "inline:{bob@sub.test=b}", "<carol>", LOOKUP_MISS, ""},
        {"lab.test", "fail:x", "<bob@lab.test>", LOOKUP_ERROR, ""},
        {"lab.test", "inline:{lab.test=d}", "<bob@lab.test>", LOOKUP_HIT, "d"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(find); i++) {
        struct problems *problems = problems_new();
        const struct table_context context = {.problems = problems, .file = "test"};
        struct site site = make_site(problems, find[i].domains, "");
        struct table_list *tables = table_list_open(find[i].tables, true, &context);
        struct mail_address typed;
        struct meant_address meant = {0};
        g_autoptr(GString) value = g_string_new(NULL);
        mail_address_parse(find[i].typed, &typed);
        whose_typed(&site, &typed, &meant);
        g_test_message("%s: %s", find[i].tables, find[i].typed);
        g_assert_cmpint(whose_find(&site, tables, &meant, SEARCH_ACCESS, value), ==,
                        find[i].status);
        g_assert_cmpstr(value->str, ==, find[i].value);
        meant.untold = true;
        g_assert_cmpint(whose_find(&site, tables, &meant, SEARCH_ACCESS, value), ==, LOOKUP_ERROR);
        mail_address_clear(&meant.address);
        mail_address_clear(&typed);
        table_list_free(tables);
        site_clear(&site);
        problems_free(problems);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/whose/macros", test_macros);
    g_test_add_func("/whose/each", test_each);
    g_test_add_func("/whose/find", test_find);
    return g_test_run();
}
