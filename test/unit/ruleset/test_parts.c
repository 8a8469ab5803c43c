/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of the ruleset that have rules of their own.
 */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "addressset.h"
#include "bytes.h"
#include "charset_names.h"
#include "expression.h"
#include "needs.h"
#include "pattern.h"
#include "prefilter.h"
#include "skipped_directives.h"

/* A pattern; the literals of its steps, "near-far:a|b then ..." ("?": wherever they stand); a run
 * of the bytes that begin its sets. NULL: nothing is known. */
static const struct {
    const char *pattern, *steps, *run;
} needs[] = {
    {"viagra", "0-0:viagra", "viagra"},
    /* where a class, a group's name or a quantifier ends is not what it looks like */
    {"[\\c]a|b]foo", NULL, NULL},
    {"[[:x]foo|bar[a:]]z", NULL, NULL},
    {"[a[:b]c|d[:]]e", NULL, NULL},
    {"[[:a]b|c[[:space:]]d", NULL, NULL},
    {"[[:]{,3}foo]", NULL, NULL},
    {"(?<*foo)(x>bar)", NULL, NULL},
    {"foo{,2}bar", NULL, NULL},
    {"foo{ 1,2}bar", NULL, NULL},
    {"^Re: .*order \\d+", "0-0:Re:  then 4-*:order ", "order "},
    {"(?:viagra|cialis)s?", "0-0:viagras|viagra|cialiss|cialis", "viagra|cialis"},
    {"(?:ab|c*)x", "0-*:x", "x"},
    {"a(?:bcd)?ef", "0-0:abcdef|aef", "ef"},
    {"a(?:bcd){0,3}e", "0-0:a", "a"},
    {"a(?:bcd){2,}e", "0-0:abcdbcd", "bcd"},
    {"a\\d{2,4}(?:bcd|e)\\s+fgh", "5-*:fgh", "fgh"},
    {"abc?d", "0-0:abcd|abd", "ab"},
    {"ab+cd", "0-0:ab", "cd"},
    {"ab+cdef", "2-*:cdef", "cdef"},
    {"foo|bar|baz", "0-0:foo|bar|baz", "foo|bar|baz"},
    {"foo|.", NULL, NULL},
    {"\\bfoo\\b\\.\\x41bar", "0-0:foo.Abar", "foo.Ab"},
    {"[abc]+\\s*", "0-0:a|b|c", "a"},
    {"\\s*[ab]c", "0-*:ac|bc", "ac"},
    {"[a-z]\\d[^a]", "", "a0\x01"},
    {"[a-z\\d-]{3}", "", "---"},
    {"[]a]x[^]a]y", "0-0:]x|ax", "]x\x01y"},
    {"[[:alpha:]]]x", "1-1:]x", "\x01]x"},
    {"(?!foo)x", "0-0:x", "x"},
    {"(?=foo)x", "0-0:x", "x"},
    {"(?=.*foo)\\d", "?:foo", "0"},
    {"(?<=foo)\\d", "?:foo", "0"},
    {"(?:(?=foo)\\d|bar)", "?:foo|bar", "0|bar"},
    {"(?<!foo)xyz", "0-0:xyz", "xyz"},
    {"(?<name>foo)\\1", "0-0:foo", "foo"},
    {"from: (?:[^\n]+\n+)*to: \\1", "0-0:from:  then 6-*:to: ", "from: "},
    {"(?i)foo", "0-0:foo", "FOO"},
    {"(?x)f o o", NULL, NULL},
    {"(?#c)foo", NULL, NULL},
    {"\\Qa|b\\E", NULL, NULL},
    {"\\Gfoo", NULL, NULL},
    {"[\\Q]\\E]foo", NULL, NULL},
    {"(?(1)a|b)", NULL, NULL},
    {"(*ACCEPT)foo", NULL, NULL},
    {"^*foo", NULL, NULL},
    {"[^]a]foo[[:alpha:]]]", "1-1:foo",
     "\x01"
     "foo\x01]"},
    {"((((a))))", "0-0:a", "a"},
    {"", NULL, NULL},
    {"a\\", NULL, NULL},
    {"(abc", NULL, NULL},
    {"abc)", NULL, NULL},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "0-0:aaaaaaaaaaaaaaaaaaaaaaaa then 24-24:aaaaaaaaaaaaaaaa", "aaaaaa"},
};

static char *steps_text(const struct needs *got)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < got->steps->len; i++) {
        const struct needs_step *step = got->steps->pdata[i];
        g_string_append(text, i > 0 ? " then " : "");
        if (step->loose)
            g_string_append_c(text, '?');
        else
            g_string_append_printf(text, "%zu-", step->near);
        if (!step->loose && step->far != NEEDS_ANYWHERE)
            g_string_append_printf(text, "%zu", step->far);
        else if (!step->loose)
            g_string_append_c(text, '*');
        for (guint n = 0; n < step->literals->len; n++)
            g_string_append_printf(text, "%c%s", n > 0 ? '|' : ':',
                                   ((GString *)step->literals->pdata[n])->str);
    }
    return g_string_free(text, FALSE);
}

static char *runs_text(const struct needs *got)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; got->runs && i < got->runs->len; i++) {
        const struct needs_run *run = got->runs->pdata[i];
        g_string_append(text, i > 0 ? "|" : "");
        for (unsigned n = 0; n < run->length; n++)
            g_string_append_c(text, (char)bytes_next(run->sets[n], 1));
    }
    return g_string_free(text, FALSE);
}

static void test_needs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
        struct needs *got = needs_read(needs[i].pattern, false);
        g_autofree char *steps = got ? steps_text(got) : NULL, *runs = got ? runs_text(got) : NULL;
        g_test_message("%s: %s; %s", needs[i].pattern, steps, runs);
        g_assert_cmpstr(steps, ==, needs[i].steps);
        g_assert_cmpstr(runs, ==, needs[i].run);
        needs_free(got);
    }
}

static void test_prefilter(void)
{
    static const char *const words[] = {"he", "she", "hers", "his", "H\xc9", "x", "hershey"};
    struct prefilter *prefilter = prefilter_new();
    uint8_t found[G_N_ELEMENTS(words)] = {0};
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        g_assert_true(prefilter_add(prefilter, words[i], strlen(words[i]), i));
    g_assert_false(prefilter_add(prefilter, "", 0, 0));
    prefilter_finish(prefilter);
    prefilter_scan(prefilter, "usHERs h\xe9", 9, found);
    g_assert_cmpmem(found, sizeof found, "\1\1\1\0\1\0\0", 7);
    prefilter_scan(prefilter, "", 0, found);
    prefilter_free(prefilter);
    prefilter_free(NULL);
}

/* Every literal is found in every text that holds it, whatever else there is. */
static void test_prefilter_random(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (int round = 0; round < 300; round++) {
        char words[20][6], text[60];
        uint8_t found[20] = {0};
        struct prefilter *prefilter = prefilter_new();
        for (unsigned i = 0; i < 20; i++) {
            int length = g_rand_int_range(random, 1, 6);
            for (int n = 0; n < length; n++)
                words[i][n] = (char)g_rand_int_range(random, 'a', 'd');
            words[i][length] = '\0';
            prefilter_add(prefilter, words[i], (size_t)length, i);
        }
        for (size_t n = 0; n < sizeof text - 1; n++)
            text[n] = (char)g_rand_int_range(random, 'a', 'e');
        text[sizeof text - 1] = '\0';
        prefilter_finish(prefilter);
        prefilter_scan(prefilter, text, strlen(text), found);
        for (unsigned i = 0; i < 20; i++)
            g_assert_cmpint(found[i], ==, strstr(text, words[i]) != NULL);
        prefilter_free(prefilter);
    }
}

/* Room for states is bounded. */
static void test_prefilter_full(void)
{
    struct prefilter *prefilter = prefilter_new();
    g_autofree char *lengthy = g_strnfill(PREFILTER_STATES_MAX - 10, 'a');
    g_assert_true(prefilter_add(prefilter, lengthy, strlen(lengthy), 0));
    g_assert_false(prefilter_add(prefilter, "0123456789abc", 13, 1));
    g_assert_true(prefilter_add(prefilter, "012", 3, 2));
    uint8_t found[3] = {0};
    prefilter_finish(prefilter);
    prefilter_scan(prefilter, "xx012", 5, found);
    g_assert_cmpmem(found, 3, "\0\0\1", 3);
    prefilter_free(prefilter);
}

static const struct {
    const char *pattern, *text;
    bool want;
} globs[] = {
    {"a@b", "a@b", true},     {"*@b", "a@b", true},   {"*@b", "a@bc", false},
    {"a*", "abc", true},      {"?@b", "a@b", true},   {"?@b", "aa@b", false},
    {"*", "", true},          {"?", "", false},       {"a*b*c", "aXbYc", true},
    {"a*b*c", "aXbY", false}, {"**a**", "xay", true}, {"*@*.b", "x@y.b", true},
    {"*@*.b", "x@b", false},  {"", "", true},         {"a", "ab", false},
};

static void test_globs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(globs); i++) {
        struct addressset *set = addressset_new(&globs[i].pattern, 1);
        g_assert_cmpint(addressset_glob(globs[i].pattern, globs[i].text), ==, globs[i].want);
        g_assert_cmpint(addressset_find(set, globs[i].text) != NULL, ==, globs[i].want);
        addressset_free(set);
    }
    addressset_free(NULL);
}

static double value_of(const char *name)
{
    return strlen(name) == 1 ? *name - '0' : 0;
}

/* An expression whose names V1 .. V9 are worth their number; its value. */
static const struct {
    const char *text;
    double want;
} expressions[] = {
    {"1 + 2 * 3", 7},         {"(1 + 2) * 3", 9}, {"10 - 4 - 3", 3},  {"8 / 2 / 2", 2},
    {"1 + 2 > 2", 1},         {"1 > 2 || 3", 3},  {"2 && 3", 3},      {"0 && 1/0", 0},
    {"5 || 1/0", 5},          {"!0 + !5", 1},     {"-2 + 5", 3},      {"- - 2", 2},
    {"V2 * V3", 6},           {"V0 || V4", 4},    {"UNKNOWN", 0},     {"1 ? 2 : 3", 2},
    {"0 ? 2 : 0 ? 4 : 5", 5}, {"6 ^ 3", 5},       {"1 == 1 != 0", 1}, {"2 <= 2 && 3 >= 4", 0},
    {"1.5 * 2", 3},           {"()", 0},          {"V1+V2", 3},       {"V9-1", 8},
};

static void test_expressions(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(expressions); i++) {
        char *why = NULL;
        bool failed;
        struct expression *e = expression_parse(expressions[i].text, NULL, &why);
        g_assert_cmpstr(why, ==, NULL);
        double values[16] = {0};
        for (guint n = 0; n < e->names->len; n++) {
            const struct expression_name *name = e->names->pdata[n];
            values[n] = value_of(name->word + 1);
        }
        g_assert_cmpfloat(expression_value(e, values, &failed), ==, expressions[i].want);
        g_assert_false(failed);
        expression_free(e);
    }
}

enum { RANGED = 6 };

/* Binds V0 .. V5 to the rules of their numbers. */
static struct expression *parse_bound(const char *text)
{
    char *why = NULL;
    struct expression *e = expression_parse(text, NULL, &why);
    g_assert_cmpstr(why, ==, NULL);
    for (guint n = 0; n < e->names->len; n++) {
        struct expression_name *name = e->names->pdata[n];
        unsigned rule = (unsigned)value_of(name->word + 1);
        name->members = g_array_new(FALSE, FALSE, sizeof rule);
        g_array_append_val(name->members, rule);
    }
    expression_bind(e);
    return e;
}

/* What an expression is at least and at most, and which of its rules it hangs on, when V0 is 0, V1
 * is 1, V2 is 0 or 1, V3 is 0 to 3, V4 is 2, and V5 is 1 to 3. */
static const struct {
    const char *text;
    double low, high;
    const char *matters;
} ranged[] = {
    {"V2 && V0", 0, 0, ""},
    {"V0 && V2", 0, 0, ""},
    {"V2 && V3", 0, 3, "23"},
    {"V5 && V2", 0, 1, "2"},
    {"V5 || V2", 1, 3, "5"},
    {"V2 || V1", 0, 1, "2"},
    {"V0 || V3", 0, 3, "3"},
    {"V2 && (V3 && V0) || V5", 1, 3, "5"},
    {"!(V2 && V0)", 1, 1, ""},
    {"!V5", 0, 0, ""},
    {"V2 + V0 > 1", 0, 0, ""},
    {"V2 + V5 > 1", 0, 1, "25"},
    {"V2 + V5 > 0", 1, 1, ""},
    {"V2 < V4", 1, 1, ""},
    {"V3 == V4", 0, 1, "3"},
    {"V2 == V4", 0, 0, ""},
    {"V1 ? V2 : V3", 0, 1, "2"},
    {"V0 ? V2 : V3", 0, 3, "3"},
    {"V2 ? V5 : V1", 1, 3, "25"},
    {"V3 * V0", 0, 0, ""},
    {"V3 - V4", -2, 1, "3"},
    {"-V5", -3, -1, "5"},
    {"V2 && 1/V0", -HUGE_VAL, HUGE_VAL, "2"},
};
static const struct expression_range ranges[RANGED] = {{0, 0}, {1, 1}, {0, 1},
                                                       {0, 3}, {2, 2}, {1, 3}};

static void test_expression_ranges(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ranged); i++) {
        struct expression *e = parse_bound(ranged[i].text);
        g_autoptr(GString) named = g_string_new(NULL);
        bool matters[RANGED] = {false};
        struct expression_range range = expression_range(e, ranges, matters);
        for (int rule = 0; rule < RANGED; rule++)
            if (matters[rule])
                g_string_append_c(named, (char)('0' + rule));
        g_test_message("%s: %g to %g, %s", ranged[i].text, range.low, range.high, named->str);
        g_assert_cmpfloat(range.low, ==, ranged[i].low);
        g_assert_cmpfloat(range.high, ==, ranged[i].high);
        g_assert_cmpstr(named->str, ==, ranged[i].matters);
        expression_free(e);
    }
}

static void append_random(GRand *random, int depth, GString *out)
{
    static const char *const signs[] = {
        "||", "&&", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "||", "/"};
    if (depth == 0 || g_rand_int_range(random, 0, 4) == 0) {
        g_string_append_printf(out, g_rand_int_range(random, 0, 4) == 0 ? "%d" : "V%d",
                               g_rand_int_range(random, 0, RANGED));
        return;
    }
    g_string_append(out, g_rand_int_range(random, 0, 5) == 0 ? "!(" : "(");
    append_random(random, depth - 1, out);
    if (g_rand_int_range(random, 0, 8) == 0) {
        g_string_append(out, " ? ");
        append_random(random, depth - 1, out);
        g_string_append(out, " : ");
    } else {
        g_string_append(out, signs[g_rand_int_range(random, 0, G_N_ELEMENTS(signs))]);
    }
    append_random(random, depth - 1, out);
    g_string_append_c(out, ')');
}

/* Whatever the rules are worth within their ranges, the value is within its own; and rules that it
 * does not hang on may be worth anything. */
static void test_expression_ranges_random(void)
{
    GRand *random = g_rand_new_with_seed(20261128);
    unsigned passed_over = 0;
    for (int round = 0; round < 20000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        append_random(random, 4, text);
        struct expression *e = parse_bound(text->str);
        bool matters[RANGED] = {false}, failed;
        struct expression_range range = expression_range(e, ranges, matters);
        for (int n = 0; n < 8; n++) {
            double values[RANGED], others[RANGED];
            for (int i = 0; i < RANGED; i++) {
                bool known = !(ranges[i].low < ranges[i].high);
                int low = (int)ranges[i].low, high = (int)ranges[i].high;
                values[i] = g_rand_int_range(random, low, high + 1);
                others[i] = matters[i] ? values[i] : g_rand_int_range(random, low, high + 1);
                passed_over += !known && !matters[i] && strchr(text->str, '0' + i);
            }
            double value = expression_value(e, values, &failed);
            if (value < range.low || value > range.high)
                g_error("%s is %g, not %g to %g", text->str, value, range.low, range.high);
            if (value - expression_value(e, others, &failed) != 0)
                g_error("%s hangs on what it does not hang on", text->str);
        }
        expression_free(e);
    }
    g_assert_cmpuint(passed_over, >, 1000);
    g_rand_free(random);
}

static void test_expression_limits(void)
{
    g_autofree char *deep = g_strnfill(5000, '(');
    g_autofree char *nots = g_strnfill(5000, '!');
    g_autoptr(GString) wide = g_string_new("1");
    for (int i = 0; i < EXPRESSION_LENGTH_MAX; i++)
        g_string_append(wide, "+1");
    const char *const bad[] = {deep,  nots,    wide->str, "",    "1 +",
                               "a b", "1 ? 2", "0x10",    "1e5", "@"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *why = NULL;
        g_assert_null(expression_parse(bad[i], NULL, &why));
        g_assert_nonnull(why);
        g_free(why);
    }
}

static void test_tables_sorted(void)
{
    for (size_t i = 1; i < charset_alias_count; i++)
        g_assert_cmpstr(charset_aliases[i - 1].key, <, charset_aliases[i].key);
    for (size_t i = 1; i < charset_iconv_name_count; i++)
        g_assert_cmpstr(charset_iconv_names[i - 1].key, <, charset_iconv_names[i].key);
    static const char *const skipped[] = {"add_header",        "body",
                                          "loadplugin",        "util_rb_tld",
                                          "bayes_stopword_en", "whitelist_from_spf"};
    for (size_t i = 0; i < G_N_ELEMENTS(skipped); i++)
        g_assert_nonnull(skipped_directive_reason(skipped[i]));
    g_assert_null(skipped_directive_reason("nobodys"));
}

/* A pattern that PCRE2 reads otherwise than Perl, a text, whether it matches. */
static const struct {
    const char *pattern, *text;
    enum match_status want;
} patterns[] = {
    {"/^.{,2}$/", "ab", MATCH_YES},
    {"/^.{,2}$/", "abc", MATCH_NO},
    {"/^a{ 2, 3 }$/", "aaa", MATCH_YES},
    {"/a{x}/", "a{x}", MATCH_YES},
    {"m<a>i", "A", MATCH_YES},
    {"qr!a/b!", "a/b", MATCH_YES},
    {"/[[]{,1}]/", "[{,1}]", MATCH_YES},
    {"/^[[:]{,2}foo:]/", "::foo:]", MATCH_YES},
    {"/^[[:]{,2}foo:]/", ":::foo:]", MATCH_NO},
    {"/^[[:digit:]{,2}]+foo:]$/", "1{,}foo:]", MATCH_YES},
    {"/\\x{e9}/", "\xe9", MATCH_YES},
    {"/\xc9/i", "\xe9", MATCH_YES},
    {"/^\\w$/", "\xe9", MATCH_NO},
    {"/a$/", "a\n", MATCH_YES},
    {"/a\\z/", "a\n", MATCH_NO},
    {"/(?<a>x)(?<a>y)/", "xy", MATCH_YES},
    {"/a  b # c\n/x", "ab", MATCH_YES},
    {"/(a)\\1/n", "aa", MATCH_NO},
};

static void test_patterns(void)
{
    struct pattern_context *context = pattern_context_new();
    struct work work = work_begin(0, false);
    struct matcher *matcher = matcher_new(context);
    matcher_begin(matcher, &work);
    for (size_t i = 0; i < G_N_ELEMENTS(patterns) - 1; i++) {
        struct pattern *pattern;
        char *why = NULL;
        size_t begin, end;
        g_assert_cmpint(pattern_compile(context, patterns[i].pattern, &pattern, &why), ==,
                        PATTERN_GOOD);
        matcher_take(matcher, patterns[i].text, strlen(patterns[i].text));
        g_assert_cmpint(pattern_match(pattern, matcher, 0, SIZE_MAX, &begin, &end), ==,
                        patterns[i].want);
        pattern_free(pattern);
    }
    matcher_free(matcher);
    pattern_context_free(context);
}

static const struct {
    const char *pattern;
    enum pattern_status want;
} statuses[] = {
    {"/a", PATTERN_BAD},
    {"a", PATTERN_BAD},
    {"", PATTERN_BAD},
    {"m", PATTERN_BAD},
    {"/a/e", PATTERN_BAD},
    {"/(/", PATTERN_BAD},
    {"/(?<=a*)b/", PATTERN_BAD},
    {"/[b-a]/", PATTERN_BAD},
    {"/(*UTF)a/", PATTERN_BAD},
    {"/a/u", PATTERN_SKIPPED},
    {"/\\x{263a}/", PATTERN_SKIPPED},
    {"/(??{1})/", PATTERN_SKIPPED},
    {"/$foo/", PATTERN_SKIPPED},
    {"/%{GB_ADDR}/", PATTERN_SKIPPED},
    {"/\\Lx/", PATTERN_SKIPPED},
    {"/a$/", PATTERN_GOOD},
    {"/[$a]/", PATTERN_GOOD},
    {"/\\$foo/", PATTERN_GOOD},
    {"/a@b/", PATTERN_GOOD},
    {"//", PATTERN_GOOD},
    {"/a/gocp", PATTERN_GOOD},
};

static void test_statuses(void)
{
    struct pattern_context *context = pattern_context_new();
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        struct pattern *pattern;
        char *why = NULL;
        enum pattern_status got = pattern_compile(context, statuses[i].pattern, &pattern, &why);
        if (got != statuses[i].want)
            g_test_message("%s", statuses[i].pattern);
        g_assert_cmpint(got, ==, statuses[i].want);
        g_assert_cmpint(why != NULL, ==, got != PATTERN_GOOD);
        pattern_free(pattern);
        g_free(why);
    }
    pattern_context_free(context);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parts/needs", test_needs);
    g_test_add_func("/parts/prefilter", test_prefilter);
    g_test_add_func("/parts/prefilter-random", test_prefilter_random);
    g_test_add_func("/parts/prefilter-full", test_prefilter_full);
    g_test_add_func("/parts/globs", test_globs);
    g_test_add_func("/parts/expressions", test_expressions);
    g_test_add_func("/parts/expression-ranges", test_expression_ranges);
    g_test_add_func("/parts/expression-ranges-random", test_expression_ranges_random);
    g_test_add_func("/parts/expression-limits", test_expression_limits);
    g_test_add_func("/parts/tables", test_tables_sorted);
    g_test_add_func("/parts/patterns", test_patterns);
    g_test_add_func("/parts/statuses", test_statuses);
    return g_test_run();
}
