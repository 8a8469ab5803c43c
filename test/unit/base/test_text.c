/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/problems.h"
#include "base/text.h"

static void assert_taken(char *got, const char *want)
{
    g_assert_cmpstr(got, ==, want);
    g_free(got);
}

static void test_escape(void)
{
    assert_taken(text_escape("plain text"), "plain text");
    assert_taken(text_escape("a\r\nb\tc"), "a\\r\\nb\\tc");
    assert_taken(text_escape("back\\slash"), "back\\\\slash");
    assert_taken(text_escape("\x1b[31m\x7f"), "\\x1b[31m\\x7f");
    assert_taken(text_escape("koi8 \xf0\xd2"), "koi8 \\xf0\\xd2");
    assert_taken(text_escape("\xd1\x82"), "\xd1\x82");
    assert_taken(text_escape("rtl \xe2\x80\xae!"), "rtl \\u{202e}!");
    assert_taken(text_escape("line \xe2\x80\xa8 sep"), "line \\u{2028} sep");
    assert_taken(text_escape("overlong \xc0\xaf"), "overlong \\xc0\\xaf");
}

static void test_reply_safe(void)
{
    assert_taken(text_reply_safe("a\r\nb\xd1\x82", 100), "a  b??");
    assert_taken(text_reply_safe("abcdef", 3), "abc");
}

static void check_split(const char *value, GPtrArray *(*split)(const char *, const char **),
                        const char *want)
{
    g_autoptr(GPtrArray) words = split(value, NULL);
    g_assert_nonnull(words);
    g_autoptr(GString) joined = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(joined, "%s|", (char *)words->pdata[i]);
    g_assert_cmpstr(joined->str, ==, want);
}

static void test_split(void)
{
    check_split("a, b\tc,,d\n e", text_split_list, "a|b|c|d|e|");
    check_split("", text_split_list, "");
    check_split("inline:{a=b, c=d} x", text_split_list, "inline:{a=b, c=d}|x|");
    check_split("{ {a b} c } d", text_split_list, "{ {a b} c }|d|");
    check_split("z=1/a,b y", text_split_words, "z=1/a,b|y|");
    const char *why = NULL;
    g_assert_null(text_split_list("a {b", &why));
    g_assert_nonnull(why);
    g_assert_null(text_split_list("a} b", &why));
}

static void test_nearest(void)
{
    static const char *const names[] = {"mynetworks", "local_domains", "mode"};
    g_assert_cmpstr(text_nearest("mynetwork", names, 3), ==, "mynetworks");
    g_assert_cmpstr(text_nearest("mynetwroks", names, 3), ==, "mynetworks");
    g_assert_cmpstr(text_nearest("localdomains", names, 3), ==, "local_domains");
    g_assert_cmpstr(text_nearest("MODE", names, 3), ==, "mode");
    g_assert_cmpstr(text_nearest("any_long_prefix_mode", names, 3), ==, "mode");
    g_assert_null(text_nearest("outermode", names, 3));
    g_assert_null(text_nearest("zebra", names, 3));
}

static void test_problems(void)
{
    struct problems *problems = problems_new();
    problems_error(problems, "/etc/x.conf", 3, "no such parameter \"%s\"", "a\nb");
    problems_warning(problems, "x", 0, "hm");
    g_assert_cmpuint(problems_errors(problems), ==, 1);
    g_assert_cmpuint(problems_warnings(problems), ==, 1);
    assert_taken(problem_format(problems_get(problems, 0)),
                 "/etc/x.conf:3: error: no such parameter \"a\\nb\"");
    assert_taken(problem_format(problems_get(problems, 1)), "x:1: warning: hm");
    g_assert_null(problems_get(problems, 2));
    problems_free(problems);
}

static void test_wrap(void)
{
    static const struct {
        const char *text, *wrapped; /* from column 2 to 10 */
    } rows[] = {
        {"", "\n"},
        {"short", "short\n"},
        {"exactly8", "exactly8\n"},
        {"two words here", "two\n  words\n  here\n"},
        {"a,b,c,d,e,f", "a,b,c,d,\n  e,f\n"},
        {"withoutanyspace", "withouta\n  nyspace\n"},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac", /* wide */
         "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\n  \xe6\x9c\xac\n"},
        {"e\xcc\x81"
         "1234567",
         "e\xcc\x81"
         "1234567\n"}, /* of no width */
        {"\x1b[2J\xe2\x80\xae", "\\x1b[2J\\\n  u{202e}\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        text_wrap(out, rows[i].text, 2, 10);
        g_assert_cmpstr(out->str, ==, rows[i].wrapped);
    }
    g_assert_cmpuint(text_columns("\xe6\x97\xa5 e\xcc\x81"), ==, 4);
    g_assert_cmpuint(text_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), ==, 3);
    g_assert_cmpuint(text_fit("abc", 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/escape", test_escape);
    g_test_add_func("/text/reply_safe", test_reply_safe);
    g_test_add_func("/text/split", test_split);
    g_test_add_func("/text/wrap", test_wrap);
    g_test_add_func("/text/nearest", test_nearest);
    g_test_add_func("/problems", test_problems);
    return g_test_run();
}
