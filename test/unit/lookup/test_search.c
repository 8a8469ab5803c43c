/* SPDX-License-Identifier: BSD-2-Clause */
#include "lookup/search.h"
#include "scratch.h"

/* The keys that a search asks fixed tables for, in their order. A row is checked by tables that
 * hold all of them but the first, but the first two, ...: each time the first left must be found.
 */
enum { KEYS_MAX = 12 };

typedef enum lookup_status ask_function(const struct table_list *list, const void *row,
                                        GString *value_r);

static struct table_list *open_list(struct scratch *scratch, const char *value)
{
    struct table_list *list = table_list_open(value, true, &scratch->context);
    g_autofree char *problems = scratch_problems(scratch);
    g_assert_cmpstr(problems, ==, "");
    return list;
}

static void check_key(struct scratch *scratch, const char *const *keys, size_t count,
                      const char *expected, ask_function *ask, const void *row)
{
    g_autoptr(GString) text = g_string_new("decoy 1\n"), value = g_string_new("x");
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(text, "%s [%s]\n", keys[i], keys[i]);
    scratch_write(scratch, "t", text->str, -1);
    /* Keys such as "2001:db8:" are warned of. */
    struct table_list *list = table_list_open("t", true, &scratch->context);
    g_assert_cmpint(ask(list, row, value), ==, expected ? LOOKUP_HIT : LOOKUP_MISS);
    g_autofree char *wanted = expected ? g_strdup_printf("[%s]", expected) : g_strdup("");
    g_assert_cmpstr(value->str, ==, wanted);
    table_list_free(list);
}

/* Pattern tables are asked for WHOLE, and only for that. */
static void check_patterns(struct scratch *scratch, const char *const *whole, ask_function *ask,
                           const void *row)
{
    g_autoptr(GString) value = g_string_new("x"), rules = g_string_new("if /^/\n");
    for (; *whole; whole++) {
        g_autofree char *quoted = g_regex_escape_string(*whole, -1);
        g_string_append_printf(rules, "if !/^%s$/\n", quoted);
    }
    g_string_append(rules, "/^(.*)$/ $1\n");
    scratch_write(scratch, "p", rules->str, -1);
    struct table_list *list = table_list_open("pcre:p", true, &scratch->context);
    g_free(scratch_problems(scratch));
    g_assert_cmpint(ask(list, row, value), ==, LOOKUP_MISS);
    table_list_free(list);
    list = open_list(scratch, "static:all");
    g_assert_cmpint(ask(list, row, value), ==, LOOKUP_HIT);
    table_list_free(list);
    list = open_list(scratch, "inline:{none=none} fail:");
    g_assert_cmpint(ask(list, row, value), ==, LOOKUP_ERROR);
    g_assert_cmpint(ask(list, row, NULL), ==, LOOKUP_ERROR);
    table_list_free(list);
}

static void check_row(const char *const *keys, const char *const *whole, ask_function *ask,
                      const void *row)
{
    struct scratch scratch = scratch_new();
    size_t count = 0;
    while (keys[count])
        count++;
    for (size_t i = 0; i <= count; i++)
        check_key(&scratch, keys + i, count - i, keys[i], ask, row);
    if (whole[0])
        check_patterns(&scratch, whole, ask, row);
    scratch_clear(&scratch);
}

static const struct client_row {
    const char *name, *address;
    const char *keys[KEYS_MAX];
    const char *whole[4];
} client_rows[] = {
    {"a.b.example",
     "192.0.2.1",
     {"a.b.example", "b.example", "example", "192.0.2.1", "192.0.2", "192.0", "192"},
     {"a.b.example", "192.0.2.1"}},
    {"unknown",
     "2001:db8::1",
     {"unknown", "2001:db8::1", "2001:db8:", "2001:db8", "2001"},
     {"unknown", "2001:db8::1"}},
    {NULL, "::1", {"::1", ":"}, {"::1"}},
    {"A.Example", NULL, {"a.example", "example"}, {"A.Example"}},
    {NULL, NULL, {NULL}, {NULL}},
    {"192.0.2.7", NULL, {"192.0.2.7"}, {"192.0.2.7"}},
    {"a.example.", NULL, {"a.example.", "example."}, {"a.example."}},
    {"a..b", NULL, {"a..b", ".b"}, {"a..b"}},
    {".", NULL, {"."}, {"."}},
    {"", NULL, {NULL}, {NULL}},
};

static enum lookup_status ask_client(const struct table_list *list, const void *data,
                                     GString *value_r)
{
    const struct client_row *row = data;
    struct ipaddr address = {0};
    if (row->address)
        g_assert_true(ipaddr_parse(row->address, &address));
    return search_client(list, row->name, row->address ? &address : NULL, value_r, NULL);
}

static void test_client(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(client_rows); i++)
        check_row(client_rows[i].keys, client_rows[i].whole, ask_client, &client_rows[i]);
}

static enum lookup_status ask_domain(const struct table_list *list, const void *data,
                                     GString *value_r)
{
    return search_domain(list, data, value_r, NULL);
}

static void test_domain(void)
{
    static const char *const keys[] = {"a.b.example", "b.example", "example", NULL};
    static const char *const whole[] = {"a.b.example", NULL};
    check_row(keys, whole, ask_domain, "a.b.example");
    static const char *const numeric[] = {"192.0.2.1", NULL};
    check_row(numeric, numeric, ask_domain, "192.0.2.1");
}

enum { LOCAL = 1 };

/* Of a name that is too long to be one the parents are still found that may be one. */
static void test_long_domain(void)
{
    struct scratch scratch = scratch_new();
    g_autoptr(GString) name = g_string_new(NULL), key = g_string_new(NULL),
                       value = g_string_new("");
    while (key->len < SEARCH_PARENT_MAX - strlen("example"))
        g_string_append(key, "a.");
    g_string_truncate(key, (SEARCH_PARENT_MAX - strlen("example")) & ~(gsize)1);
    g_string_append(key, "example");
    for (int i = 0; i < 5000; i++)
        g_string_append(name, "b.");
    g_string_append(name, key->str);
    const char *const found[] = {key->str, "a.example", "example"};
    for (size_t i = 0; i < G_N_ELEMENTS(found); i++) {
        g_autofree char *text = g_strdup_printf("inline:{%s=x}", found[i]);
        struct table_list *list = open_list(&scratch, text);
        g_assert_cmpint(search_domain(list, name->str, value, NULL), ==, LOOKUP_HIT);
        table_list_free(list);
    }
    scratch_clear(&scratch);
}

static const struct address_row {
    const char *path;
    enum search_order order;
    const char *delimiter;
    int flags;
    const char *keys[KEYS_MAX];
    const char *whole[4];
} address_rows[] = {
    {"<Bob+Ext@A.Example>",
     SEARCH_ACCESS,
     "+",
     0,
     {"bob+ext@a.example", "bob@a.example", "a.example", "example", "bob+ext@", "bob@"},
     {"Bob+Ext@a.example"}},
    {"<bob+ext@a.example>",
     SEARCH_ACCESS,
     NULL,
     LOCAL,
     {"bob+ext@a.example", "a.example", "example", "bob+ext@"},
     {"bob+ext@a.example"}},
    {"<bob-x+y@a.example>",
     SEARCH_ACCESS,
     "+-",
     0,
     {"bob-x+y@a.example", "bob@a.example", "a.example", "example", "bob-x+y@", "bob@"},
     {NULL}},
    {"<+x@a.example>",
     SEARCH_ACCESS,
     "+",
     0,
     {"+x@a.example", "a.example", "example", "+x@"},
     {NULL}},
    {"<owner-list@a.example>",
     SEARCH_ACCESS,
     "-+",
     0,
     {"owner-list@a.example", "a.example", "example", "owner-list@"},
     {NULL}},
    {"<list-request@a.example>",
     SEARCH_ACCESS,
     "-",
     0,
     {"list-request@a.example", "a.example", "example", "list-request@"},
     {NULL}},
    {"<-request@a.example>",
     SEARCH_ACCESS,
     "-",
     0,
     {"-request@a.example", "a.example", "example", "-request@"},
     {NULL}},
    {"<owner+list@a.example>",
     SEARCH_ACCESS,
     "+",
     0,
     {"owner+list@a.example", "owner@a.example", "a.example", "example", "owner+list@", "owner@"},
     {NULL}},
    {"<Mailer-Daemon@a.example>",
     SEARCH_ACCESS,
     "-",
     0,
     {"mailer-daemon@a.example", "a.example", "example", "mailer-daemon@"},
     {NULL}},
    {"<double-bounce@a.example>",
     SEARCH_ACCESS,
     "-",
     0,
     {"double-bounce@a.example", "a.example", "example", "double-bounce@"},
     {NULL}},
    {"<\"a b\"@c.example>",
     SEARCH_ACCESS,
     "+",
     0,
     {"\"a b\"@c.example", "c.example", "example", "\"a b\"@"},
     {"\"a b\"@c.example", "a b@c.example"}},
    {"<>", SEARCH_ACCESS, "+", 0, {"<>"}, {"<>"}},
    {"<postmaster>", SEARCH_ACCESS, "+", 0, {"postmaster", "postmaster@"}, {"postmaster"}},
    {"<bob+x>", SEARCH_ACCESS, "+", 0, {"bob+x", "bob", "bob+x@", "bob@"}, {"bob+x"}},
    {"<bob@[192.0.2.1]>",
     SEARCH_ACCESS,
     "",
     0,
     {"bob@[192.0.2.1]", "[192.0.2.1]", "0.2.1]", "2.1]", "1]", "bob@"},
     {"bob@[192.0.2.1]"}},
    {"<bob+ext@a.example>",
     SEARCH_LOGIN,
     "+",
     LOCAL,
     {"bob+ext@a.example", "bob@a.example", "bob+ext", "bob", "@a.example"},
     {"bob+ext@a.example"}},
    {"<bob+ext@a.example>",
     SEARCH_LOGIN,
     "+",
     0,
     {"bob+ext@a.example", "bob@a.example", "@a.example"},
     {"bob+ext@a.example"}},
    {"<bob>", SEARCH_LOGIN, "+", LOCAL, {"bob"}, {"bob"}},
    {"<>", SEARCH_LOGIN, "+", LOCAL, {"<>"}, {"<>"}},
    {"<bob+ext@a.b.example>",
     SEARCH_PROFILE,
     "+",
     LOCAL,
     {"bob+ext@a.b.example", "bob@a.b.example", "a.b.example", ".b.example", ".example"},
     {"bob+ext@a.b.example"}},
    {"<bob>", SEARCH_PROFILE, "+", LOCAL, {"bob"}, {"bob"}},
};

static enum lookup_status ask_address(const struct table_list *list, const void *data,
                                      GString *value_r)
{
    const struct address_row *row = data;
    struct mail_address address;
    mail_address_parse(row->path, &address);
    enum lookup_status status = search_address(list, &address, row->order, row->delimiter,
                                               row->flags & LOCAL, value_r, NULL);
    mail_address_clear(&address);
    return status;
}

static void test_address(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(address_rows); i++) {
        g_test_message("%s", address_rows[i].path);
        check_row(address_rows[i].keys, address_rows[i].whole, ask_address, &address_rows[i]);
    }
}

static void test_malformed(void)
{
    struct scratch scratch = scratch_new();
    struct mail_address address;
    mail_address_parse("<bob@a..b>", &address);
    g_assert_true(address.malformed);
    static const struct {
        const char *tables;
        enum lookup_status status;
    } rows[] = {
        {"inline:{bob@a..b=x}", LOOKUP_HIT},
        {"inline:{a..b=x}", LOOKUP_HIT},
        {"inline:{bob=x, a.b=x}", LOOKUP_MISS},
        {"pcre:p", LOOKUP_HIT},
        {"fail:", LOOKUP_ERROR},
    };
    scratch_write(&scratch, "p", "/^bob@a\\.\\.b$/ x\n", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct table_list *list = open_list(&scratch, rows[i].tables);
        g_assert_cmpint(search_address(list, &address, SEARCH_ACCESS, "+", false, NULL, NULL), ==,
                        rows[i].status);
        table_list_free(list);
    }
    mail_address_clear(&address);
    scratch_clear(&scratch);
}

static void test_list(void)
{
    static const struct {
        const char *tables, *key;
        enum lookup_status status;
        const char *value;
    } rows[] = {
        {"", "a", LOOKUP_MISS, ""},
        {"inline:{a=1}, inline:{a=2 b=3}", "a", LOOKUP_HIT, "1"},
        {"inline:{a=1}, inline:{a=2 b=3}", "b", LOOKUP_HIT, "3"},
        {"inline:{a=1}, inline:{a=2 b=3}", "c", LOOKUP_MISS, ""},
        {"inline:{a=1}, fail:, inline:{b=3}", "a", LOOKUP_HIT, "1"},
        {"inline:{a=1}, fail:, inline:{b=3}", "b", LOOKUP_ERROR, ""},
        {"inline:{a=} static:x", "a", LOOKUP_ERROR, ""},
        {"static:x", "", LOOKUP_MISS, ""},
    };
    struct scratch scratch = scratch_new();
    g_autoptr(GString) value = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct table_list *list = open_list(&scratch, rows[i].tables);
        g_assert_cmpint(table_list_find(list, rows[i].key, value, NULL), ==, rows[i].status);
        g_assert_cmpstr(value->str, ==, rows[i].value);
        table_list_free(list);
    }
    struct table_list *list = open_list(&scratch, "static:x inline:{a=b}");
    g_assert_cmpuint(table_list_count(list), ==, 2);
    g_assert_cmpstr(table_name(table_list_get(list, 1)), ==, "inline:{a=b}");
    g_assert_null(table_list_get(list, 2));
    table_list_free(list);
    g_assert_null(table_list_open("static:x nix:y inline:{", false, &scratch.context));
    g_assert_null(table_list_open("static:x nix:y inline:z", false, &scratch.context));
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_cmpstr(problems, ==,
                    "main:7: error: static:x nix:y inline:{: a brace has no partner\n"
                    "main:7: error: unknown table type \"nix\"\n"
                    "main:7: error: table inline:z: expected {key=value, ...}");
    scratch_clear(&scratch);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/search/list", test_list);
    g_test_add_func("/search/client", test_client);
    g_test_add_func("/search/domain", test_domain);
    g_test_add_func("/search/long-domain", test_long_domain);
    g_test_add_func("/search/address", test_address);
    g_test_add_func("/search/malformed", test_malformed);
    return g_test_run();
}
