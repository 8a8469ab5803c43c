/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machinery of rows, with rows of its own (rows/settings/settings_rows.h): every type with its
 * bounds, every kind of section, keyed lines.
 */
#include <math.h>

#include "parse.h"

struct number_row {
    const char *line;
    enum setting setting;
    int64_t integer;
};

static const struct number_row numbers[] = {
    {"bool = yes\n", SETTING_BOOL_P, 1},
    {"bool = NO\n", SETTING_BOOL_P, 0},
    {"integer = -5\n", SETTING_INTEGER_P, -5},
    {"integer = 9223372036854775807\n", SETTING_INTEGER_P, INT64_MAX},
    {"integer = 007\n", SETTING_INTEGER_P, 7},
    {"time = 1\n", SETTING_TIME_P, 1000000},
    {"time = 90s\n", SETTING_TIME_P, 90000000},
    {"time = 3m\n", SETTING_TIME_P, 180000000},
    {"time = 2h\n", SETTING_TIME_P, INT64_C(7200000000)},
    {"time = 1d\n", SETTING_TIME_P, INT64_C(86400000000)},
    {"time = 2W\n", SETTING_TIME_P, INT64_C(1209600000000)},
    {"size = 1024\n", SETTING_SIZE_P, 1024},
    {"size = 2k\n", SETTING_SIZE_P, 2048},
    {"size = 3M\n", SETTING_SIZE_P, 3145728},
    {"size = 1g\n", SETTING_SIZE_P, 1073741824},
    {"choice = GREEN\n", SETTING_CHOICE_P, 1},
    {"octal = 0640\n", SETTING_OCTAL_P, 0640},
    {"octal = 7\n", SETTING_OCTAL_P, 7},
};

static void test_numbers(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct settings *settings = parse(numbers[i].line, "");
        g_assert_cmpint(settings_integer(settings, NULL, numbers[i].setting), ==,
                        numbers[i].integer);
        settings_free(settings);
    }
}

static void test_scores(void)
{
    static const struct {
        const char *line;
        double score;
    } rows[] = {{"tag = 7\n", 7},
                {"tag = -10.5\n", -10.5},
                {"tag = +.25\n", 0.25},
                {"tag = 100\n", 100.0},
                {"tag = 2.\n", 2.0}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct settings *settings = parse(rows[i].line, "");
        g_assert_true(fabs(settings_score(settings, NULL, SETTING_SCORE_P) - rows[i].score) < 1e-9);
        settings_free(settings);
    }
}

#define NOT_SCORE "is not a score: a decimal number (5.0)\n"

static const char *const problems[][2] = {
    {"integer = 9223372036854775808\n", ""}, /* the largest is meant as "no bound" here */
    {"integer = -6\n", "c:1: error: integer: \"-6\" is less than the least, -5\n"},
    {"integer = --5\n", "c:1: error: integer: \"--5\" is not a whole number\n"},
    {"integer = 1k\n", "c:1: error: integer: \"1k\" is not a whole number\n"},
    {"integer = 0x10\n", "c:1: error: integer: \"0x10\" is not a whole number\n"},
    {"time = 99999999999999999999w\n",
     "c:1: error: time: \"99999999999999999999w\" is more than the most, 2w\n"},
    {"time = 0\n", "c:1: error: time: \"0\" is less than the least, 1s\n"},
    {"time = 1m30s\n", "c:1: error: time: \"1m30s\" is not a time: a whole number and s, m, h, d "
                       "or w (5m)\n"},
    {"size = 18446744073709551616g\n",
     "c:1: error: size: \"18446744073709551616g\" is more than the most, 1g\n"},
    {"size =\n", "c:1: error: size: no value is given; write a size: a whole number of bytes, or "
                 "of k, m or g (1m)\n"},
    {"tag = nan\n", "c:1: error: tag: \"nan\" " NOT_SCORE},
    {"tag = inf\n", "c:1: error: tag: \"inf\" " NOT_SCORE},
    {"tag = 0x1p3\n", "c:1: error: tag: \"0x1p3\" " NOT_SCORE},
    {"tag = 1e3\n", "c:1: error: tag: \"1e3\" " NOT_SCORE},
    {"tag = .\n", "c:1: error: tag: \".\" " NOT_SCORE},
    {"tag = 5,0\n", "c:1: error: tag: \"5,0\" " NOT_SCORE},
    {"tag = 1000001\n", "c:1: error: tag: \"1000001\" is not a score from -1000000 to 1000000\n"},
    {"tag = 100.5\n", "c:1: error: tag: \"100.5\" is more than the most, 100\n"},
    {"tag = -10.51\n", "c:1: error: tag: \"-10.51\" is less than the least, -10.5\n"},
    {"needed =\n", "c:1: error: needed: it must not be empty\n"},
    {"words = a {b\n", "c:1: error: words: a brace has no partner\n"},
    {"table = inline:{a=b\n", "c:1: error: table: a brace has no partner\n"},
    {"path = a\n", "c:1: error: path: the path must be absolute\n"},
    {"path = /a/\n", "c:1: error: path: the path must name a file, not a folder\n"},
    {"octal = 7777777\n", "c:1: error: octal: \"7777777\" is not an octal number (0660)\n"},
    /* where rows may stand */
    {"key = a\n", "c:1: error: key belongs in a section [limit NAME]\n"},
    {"score A = 1\n", "c:1: error: score belongs in a section [profile NAME]\n"},
    {"[profile p]\ntime = 1s\n", "c:2: error: time cannot be set in [profile p]; set it before "
                                 "the first section or in a [listener NAME]\n"},
    {"[profile p]\nmax = 1\n", "c:2: error: max belongs in a section [limit NAME]\n"},
    {"[profile p]\nscore = 1\n", "c:2: error: score needs a name: score NAME = value\n"},
    {"[profile p]\nscore A = x\n", "c:2: error: score A: \"x\" " NOT_SCORE},
    {"[profile p]\nscore A = 101\n", "c:2: error: score A: \"101\" is more than the most, 100\n"},
    {"[profile p]\nscore A = 1\nscore \t A = 2\nscore a = 3\n",
     "c:3: warning: score A is set again; this line counts, line 2 does not\n"},
    {"[profile p]\ntag 3 = 1\n", "c:2: error: unknown parameter \"tag 3\" in [profile p]; did you "
                                 "mean \"tag\"?\n"},
    {"[limit l]\nmax = $score\n", "c:2: error: max: \"$\" is followed by the unknown parameter "
                                  "\"score\"; write $$ for a dollar sign\n"},
    {"text = $max\n", "c:1: error: text: \"$\" is followed by the unknown parameter \"max\"; did "
                      "you mean $tag?\n"},
    {"[profil x]\n", "c:1: error: unknown kind of section \"profil\"; did you mean [profile "
                     "NAME]?\n"},
};

static void test_problems(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(problems); i++)
        settings_free(parse(problems[i][0], problems[i][1]));
}

static void test_keyed(void)
{
    struct settings *settings = parse("tag = 4\ntext = 9\n[profile p]\nscore A = 1.5\nscore B = 2\n"
                                      "tag = 6\nscore C = $tag\n[profile q]\nscore A = -1\n",
                                      "");
    const struct section *p = settings_find_section(settings, SECTION_PROFILE, "p");
    const struct section *q = settings_find_section(settings, SECTION_PROFILE, "q");
    const struct setting_keyed *keyed = settings_keyed(settings, p, SETTING_RULE_SCORE, 2);
    g_assert_cmpstr(keyed->key, ==, "C");
    g_assert_cmpstr(keyed->value.text, ==, "6");
    g_assert_cmpuint(keyed->value.line, ==, 7);
    g_assert_true(keyed->value.given);
    g_assert_true(fabs(keyed->score - 6) < 1e-9);
    g_assert_null(settings_keyed(settings, p, SETTING_RULE_SCORE, 3));
    g_assert_null(settings_keyed(settings, NULL, SETTING_RULE_SCORE, 0));
    g_assert_true(fabs(settings_keyed(settings, q, SETTING_RULE_SCORE, 0)->score + 1) < 1e-9);
    g_assert_true(fabs(settings_score(settings, q, SETTING_SCORE_P) - 4) < 1e-9);
    g_assert_true(fabs(settings_score(settings, p, SETTING_SCORE_P) - 6) < 1e-9);
    settings_free(settings);
}

/* "list" is one row of main, listeners and profiles, and another of limits. */
static void test_one_name_in_two_kinds(void)
{
    struct settings *settings =
        parse("list = m\n[limit l]\nlist = {\nmax = 7\n[limit k]\n[listener i]\nlist = n\n", "");
    const struct section *l = settings_section(settings, SECTION_LIMIT, 0);
    const struct section *k = settings_section(settings, SECTION_LIMIT, 1);
    g_assert_cmpstr(settings_get(settings, l, SETTING_LIMIT_LIST)->text, ==, "{");
    g_assert_cmpstr(settings_get(settings, k, SETTING_LIMIT_LIST)->text, ==, "other");
    g_assert_cmpint(settings_integer(settings, l, SETTING_MAX_P), ==, 7);
    g_assert_cmpint(settings_integer(settings, k, SETTING_MAX_P), ==, 1);
    g_assert_cmpstr(settings_get(settings, NULL, SETTING_LIST_P)->text, ==, "m");
    settings_free(settings);
}

static void test_print(void)
{
    struct settings *settings = parse("[profile p]\nscore B = 1\nscore A = 2\ntag = 3\n"
                                      "[limit l]\nlist = x\n[listener i]\nbool = yes\n",
                                      "");
    struct settings_print_options given = {.only_given = true};
    bool known;
    g_autofree char *text = print(settings, &given, &known);
    g_assert_cmpstr(text, ==,
                    "\n[listener i]\nbool = yes\n\n[profile p]\nscore B = 1\nscore A = 2\n"
                    "tag = 3\n\n[limit l]\nlist = x\n");
    const char *const names[] = {"list", "score", NULL};
    struct settings_print_options named = {.names = names};
    g_autofree char *text2 = print(settings, &named, &known);
    g_assert_true(known);
    g_assert_cmpstr(text2, ==,
                    "list = a b\n\n[profile p]\nscore B = 1\nscore A = 2\n\n[limit l]\nlist = x\n");
    settings_free(settings);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sections/numbers", test_numbers);
    g_test_add_func("/sections/scores", test_scores);
    g_test_add_func("/sections/problems", test_problems);
    g_test_add_func("/sections/keyed", test_keyed);
    g_test_add_func("/sections/one_name_in_two_kinds", test_one_name_in_two_kinds);
    g_test_add_func("/sections/print", test_print);
    return g_test_run();
}
