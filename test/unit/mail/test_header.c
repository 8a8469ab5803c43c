/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/header.h"
#include "mail/message.h"

#include <glib.h>
#include <string.h>

static void test_lookup(void)
{
    struct header_list *list = header_list_new();
    g_assert_true(header_list_add(list, "Received", 8, " a", 2));
    g_assert_true(header_list_add(list, "Subject", 7, " x\n y", 5));
    g_assert_true(header_list_add(list, "RECEIVED", 8, " b", 2));
    const struct header *h = header_list_first(list, "received");
    g_assert_cmpstr(h->value, ==, " a");
    g_assert_cmpstr(h->next_same->name, ==, "RECEIVED");
    g_assert_null(h->next_same->next_same);
    g_assert_null(header_list_first(list, "To"));
    g_assert_cmpuint(header_list_count(list), ==, 3);
    g_assert_cmpuint(header_list_bytes(list), ==, 12 + 14 + 12);
    g_assert_cmpstr(header_list_get(list, 1)->value, ==, " x\n y");
    g_assert_null(header_list_get(list, 3));
    header_list_clear(list);
    g_assert_null(header_list_first(list, "Received"));
    g_assert_cmpuint(header_list_bytes(list), ==, 0);
    header_list_free(list);
    header_list_free(NULL);
}

/* Names that are alike in all but one letter, more than the first table holds; short and long. */
static void test_many_names(void)
{
    enum { NAMES = 300 };
    struct header_list *list = header_list_new();
    for (unsigned longer = 0; longer < 2; longer++) {
        g_autofree char *end = g_strnfill(longer ? 60 : 0, 'z');
        for (unsigned round = 0; round < 2; round++)
            for (unsigned i = 0; i < NAMES; i++) {
                g_autofree char *form = g_strdup_printf("X-%03u-Name-yy-of-it%s", i, end);
                g_autofree char *name = round ? g_ascii_strup(form, -1) : g_strdup(form);
                g_assert_true(header_list_add(list, name, strlen(name), name, strlen(name)));
                g_autofree char *asked = g_ascii_strdown(form, -1);
                const struct header *found = header_list_first(list, asked);
                struct header_key key = header_key_of(asked);
                g_assert_true(header_list_find(list, asked, &key) == found);
                g_assert_cmpstr(found->value, ==, form);
                g_assert_cmpstr(round ? found->next_same->value : name, ==, name);
                g_assert_null(round ? found->next_same->next_same : found->next_same);
            }
        for (unsigned i = 0; i < NAMES; i++) {
            g_autofree char *form = g_strdup_printf("X-%03u-Name-yy-of-it%s", i, end);
            g_assert_cmpstr(header_list_first(list, form)->value, ==, form);
        }
        header_list_clear(list);
    }
    g_assert_true(header_list_add(list, "", 0, "nameless", 8));
    g_assert_cmpstr(header_list_first(list, "")->value, ==, "nameless");
    header_list_free(list);
}

static void test_limits(void)
{
    struct header_list *list = header_list_new();
    g_assert_false(header_list_add(list, "X", 1, "", HEADER_LIST_MAX_BYTES + 1));
    for (int i = 0; i < HEADER_LIST_MAX_FIELDS; i++)
        g_assert_true(header_list_add(list, "X", 1, "", 0));
    g_assert_false(header_list_add(list, "X", 1, "", 0));
    header_list_free(list);
}

/* A message; its fields as NAME:VALUE| and what is left as body. */
static const struct {
    const char *message, *fields, *body;
} messages[] = {
    {"Subject: a\nTo: b\n\nbody\n", "Subject: a|To: b|", "body\n"},
    {"Subject: a\r\n\tb\r\nTo:c\r\n\r\nbody", "Subject: a\n\tb|To:c|", "body"},
    {"From x@y Mon Jan 1\nSubject: a\n\n", "Subject: a|", ""},
    {"Space : a\n\n", "Space: a|", ""},
    {"Subject: a\nno field here\nTo: b\n\nx", "Subject: a|", "no field here\nTo: b\n\nx"},
    {"Subject: a", "Subject: a|", ""},
    {"\nbody", "", "body"},
    {"", "", ""},
    {" leading continuation\nA: b\n", "", " leading continuation\nA: b\n"},
    {"Empty:\nBlank: \n\n", "Empty:|Blank: |", ""},
    {"A: b\rc\n\n", "A: b\rc|", ""},
    {":\n", "", ":\n"},
};

static void test_message(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        struct header_list *list = header_list_new();
        const char *text = messages[i].message;
        size_t body = message_parse(text, strlen(text), list);
        g_autoptr(GString) got = g_string_new(NULL);
        for (size_t n = 0; n < header_list_count(list); n++) {
            const struct header *h = header_list_get(list, n);
            g_string_append_printf(got, "%s:%s|", h->name, h->value);
        }
        g_assert_cmpstr(got->str, ==, messages[i].fields);
        g_assert_cmpstr(text + body, ==, messages[i].body);
        header_list_free(list);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/header/lookup", test_lookup);
    g_test_add_func("/header/many-names", test_many_names);
    g_test_add_func("/header/limits", test_limits);
    g_test_add_func("/header/message", test_message);
    return g_test_run();
}
