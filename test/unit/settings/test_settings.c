/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost.conf: each point of its syntax and each error, with the words that a person reads.
 */
#include <string.h>

#include "settings/settings.h"

/* Parses TEXT as file "c"; returns settings, and all problems as lines. */
static struct settings *parse_length(const char *text, size_t length, char **problems_r)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_parse(text, length, "c", problems);
    g_autoptr(GString) out = g_string_new(NULL);
    for (unsigned i = 0; problems_get(problems, i); i++) {
        g_autofree char *line = problem_format(problems_get(problems, i));
        g_string_append_printf(out, "%s\n", line);
    }
    *problems_r = g_strdup(out->str);
    problems_free(problems);
    return settings;
}

struct value_row {
    const char *text;
    const char *name;
    const char *value;
};

/* What a file makes of one parameter, without any problem. */
static const struct value_row values[] = {
    {"mode = monitor\n", "mode", "monitor"},
    {"mode=monitor\n", "mode", "monitor"},
    {"  \n\t\n# c\nmode \t=\t monitor \t\n", "mode", "monitor"},
    {"mode = monitor\r\nmynetworks =\r\n", "mode", "monitor"},
    {"\xef\xbb\xbfmode = monitor\n", "mode", "monitor"},
    {"mynetworks = 10.0.0.0/8,\n  192.168.0.0/16\n", "mynetworks", "10.0.0.0/8, 192.168.0.0/16"},
    {"mynetworks =\n 10.0.0.0/8\n", "mynetworks", "10.0.0.0/8"},
    {"mynetworks = a\n# between\n   # indented\n\n  \n\tb\nmode = monitor\n", "mynetworks", "a b"},
    {"# caf\xe9\nmode = monitor\n", "mode", "monitor"},
    {"user = a=b = c\n", "user", "a=b = c"},
    {"user = \xd1\x82\n", "user", "\xd1\x82"},
    {"", "mode", "enforce"},
    {"local_domains =\n", "local_domains", ""},
    {"", "local_domains", ""},
    /* expansion */
    {"mynetworks = 10.0.0.1\nclient_restrictions = x $mynetworks y\n", "client_restrictions",
     "x 10.0.0.1 y"},
    {"client_restrictions = x${mynetworks}y\nmynetworks = A\n", "client_restrictions", "xAy"},
    {"client_restrictions = $(mode)$mode.$mode\n", "client_restrictions", "enforceenforce.enforce"},
    {"user = $$mode$$$$\n", "user", "$mode$$"},
    {"user = a$1b$2\n", "user", "a$1b$2"},
    {"user = x $local_domains\n", "user", "x"},
    {"client_restrictions = $helo_restrictions\nhelo_restrictions = $mode\n", "client_restrictions",
     "enforce"},
    {"client_restrictions = inline:{ {a b = c}, d=$$x }\n", "client_restrictions",
     "inline:{ {a b = c}, d=$x }"},
};

static void test_values(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        const struct value_row *row = &values[i];
        g_autofree char *problems = NULL;
        struct settings *settings = parse_length(row->text, strlen(row->text), &problems);
        g_assert_cmpstr(problems, ==, "");
        enum setting setting;
        g_assert_true(setting_find(row->name, SECTION_MAIN, &setting));
        g_assert_cmpstr(settings_get(settings, NULL, setting)->text, ==, row->value);
        settings_free(settings);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/values", test_values);
    return g_test_run();
}
