/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/addrlist.h"

#include <string.h>

/* A value; what is found as ADDRESS(NAME)| with "-" for what is missing. */
static const struct {
    const char *value, *want;
} lists[] = {
    {"a@example.com", "a@example.com(-)|"},
    {" a@example.com (Foo Blah)", "a@example.com(Foo Blah)|"},
    {"Foo Blah <a@example.com>", "a@example.com(Foo Blah)|"},
    {"\"Foo, Blah\" <a@example.com>, b@example.com", "a@example.com(Foo, Blah)|b@example.com(-)|"},
    {"\"'Foo Blah'\" <a@example.com>", "a@example.com(Foo Blah)|"},
    {"\"Fo\\\"o\" <a@example.com>", "a@example.com(Fo\"o)|"},
    {"display: a@example.com (Foo Blah), b@example.com ;",
     "a@example.com(Foo Blah)|b@example.com(-)|"},
    {"undisclosed-recipients:;", ""},
    {"", ""},
    {"<>", "-(-)|"},
    {"<a@example.com>", "a@example.com(-)|"},
    {"< a@example.com >", "a@example.com(-)|"},
    {"Foo <a@example.com> <b@example.com>", "a@example.com(Foo)|"},
    {"<a@example.com>,<b@example.com> x", "a@example.com(-)|b@example.com(-)|"},
    {"<a@example.com>,<b@example.com>", "a@example.com(-)|b@example.com(-)|"},
    {"Foo <a@example.com>,<b@example.com>,\"x\"<c@example.com>",
     "a@example.com(Foo)|b@example.com(-)|c@example.com(-)|"},
    {"<foo>bar>", "-(-)|"},
    {"Foo", "-(Foo)|"},
    {"\"a@example.com\"", "a@example.com(-)|"},
    {"\"a@example.com\"<a@example.com>", "a@example.com(-)|"},
    {"\"a@example.com\" <a@example.com>", "a@example.com(a@example.com)|"},
    {"a@b@c.example", "a@b(-)|"},
    {"=?koi8-r?B?8NLJ18XU?= <a@example.com>", "a@example.com(Привет)|"},
    {"=?UTF-8?Q?\"Foobar\"_<noreply@foobar.com>?=", "noreply@foobar.com(-)|"},
    {"\"unclosed <a@example.com>", "a@example.com(-)|"},
    {"a@example.com;b@example.com", "a@example.com(-)|b@example.com(-)|"},
    {"Foo (comment) Blah <a@example.com>", "a@example.com(Foo Blah)|"},
    {"a@[192.0.2.1]", "a@[192.0.2.1](-)|"},
    {"\"quoted local\"@example.com", "\"quoted local\"@example.com(-)|"},
    {"Foo <no address>", "-(Foo)|"},
    {"a@example.com,\n b@example.com", "a@example.com(-)|b@example.com(-)|"},
};

static char *describe(const char *value, size_t length)
{
    g_autoptr(GPtrArray) entries = addrlist_parse(value, length);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++) {
        const struct addrlist_entry *entry = entries->pdata[i];
        g_autofree char *name = addrlist_display_name(entry);
        g_string_append_printf(out, "%s(%s)|", entry->address ? entry->address : "-",
                               entry->name ? name : "-");
    }
    return g_string_free(out, FALSE);
}

static void test_lists(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *got = describe(lists[i].value, strlen(lists[i].value));
        g_assert_cmpstr(got, ==, lists[i].want);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/addrlist/lists", test_lists);
    return g_test_run();
}
