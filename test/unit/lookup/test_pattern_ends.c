/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which ends of a pattern are open, so that it lets in more than it names.
 */
#include "../../../milter/lookup/pattern_ends.h"

#include <glib.h>

#include "lookup/table.h"

enum { CLOSED = 0, LEFT = TABLE_OPEN_LEFT, RIGHT = TABLE_OPEN_RIGHT, LOCAL = TABLE_OPEN_LOCAL };

static void test_ends(void)
{
    static const struct {
        const char *pattern;
        unsigned open;
    } rows[] = {
        {"^a\\.example$", CLOSED},
        {"\\.a\\.example$", CLOSED},
        {"@a\\.example$", CLOSED},
        {"(^|\\.)a\\.example$", CLOSED},
        {"^(.+\\.)?a\\.example$", CLOSED},
        {"^(a|b)\\.example$", CLOSED},
        {"(^a\\.example$|\\.b\\.example$)", CLOSED},
        {"(?:^a|^b)$", CLOSED},
        {"^.+@a\\.example$", CLOSED},
        {".*@a\\.example$", CLOSED},
        {"^a\\.example\\z", CLOSED},
        {"^bob@", CLOSED},
        {"^192\\.0\\.2\\.[0-9]+$", CLOSED},
        {"^192\\.0\\.2\\.[0-9]+", CLOSED},
        {"[.@]a\\.example$", CLOSED},
        {"\\w+\\.a\\.example$", CLOSED},
        {"\\d{1,3}?\\.a\\.example$", CLOSED},
        {"\\w\\d*@a\\.example$", CLOSED},
        {"^\\w+mx\\.a\\.example$", CLOSED},
        {"(\\w+\\.)+a\\.example$", CLOSED},
        {"(.+\\.)?\\.a\\.example$", CLOSED},
        {"(?i)^a\\.example$", CLOSED},
        /* anything, and meant so */
        {"", CLOSED},
        {"^", CLOSED},
        {".", CLOSED},
        {".*", CLOSED},
        {"^.*$", CLOSED},
        {"^a\\..*", CLOSED},
        /* not to be judged */
        {"a\\.example # of ours", CLOSED},
        {"\\Qa.example", CLOSED},
        {"a\\.example$", LEFT},
        {".a\\.example$", LEFT},
        {"^.*a\\.example$", LEFT},
        {"(a|b)\\.example$", LEFT},
        {"(mail\\.)?a\\.example$", LEFT},
        {"(.+\\.)?a\\.example$", LEFT},
        {"(\\w+\\.)*a\\.example$", LEFT},
        {"\\w+a\\.example$", LEFT},
        {"^a\\.example", RIGHT},
        {"\\.a\\.example", RIGHT},
        {"^192\\.0\\.2\\.", RIGHT},
        {"^a\\.(example|test)", RIGHT},
        {"^a\\.(example$|test)", RIGHT},
        {"^a\\.example\\$", RIGHT},
        {"a\\.example", LEFT | RIGHT},
        {"^a\\.example$|b\\.example", LEFT | RIGHT},
        {"(?i)a\\.example", LEFT | RIGHT},
        {"bob@a\\.example$", LOCAL},
        {"bob@a\\.example", LOCAL | RIGHT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].pattern);
        g_assert_cmpuint(pattern_open_ends(rows[i].pattern), ==, rows[i].open);
    }
}

/* What is malformed is refused elsewhere; nothing is read behind its end. */
static void test_malformed(void)
{
    static const char *const rows[] = {"(",   ")",    "[",    "[^",    "[]",   "\\", "a\\",
                                       "(a|", "((a",  "\\w{", "\\d{2", "(a)?", "|",  "(?",
                                       "(?:", "(?:a", "^(",   "a)",    "[a\\"};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *copy = g_strdup(rows[i]);
        pattern_open_ends(copy);
    }
}

/* Each group is looked at once, however deep: twice would never end here. */
static void test_nests(void)
{
    g_autoptr(GString) pattern = g_string_new(NULL);
    for (int i = 0; i < 120; i++)
        g_string_append(pattern, ".*(");
    g_string_append_c(pattern, 'a');
    for (int i = 0; i < 120; i++)
        g_string_append_c(pattern, ')');
    g_assert_cmpuint(pattern_open_ends(pattern->str), ==, LEFT | RIGHT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern_ends/ends", test_ends);
    g_test_add_func("/pattern_ends/malformed", test_malformed);
    g_test_add_func("/pattern_ends/nests", test_nests);
    return g_test_run();
}
