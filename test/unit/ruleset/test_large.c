/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patterns beyond what PCRE2's library for bytes can link, in every form in which an alternation of
 * domains is written, against the same rule over few domains.
 */
#include <glib.h>
#include <string.h>

#include "base/effort.h"
#include "base/wide_pattern.h"
#include "rules.h"

/* Domain number I: unlike its neighbours from the first letter on. */
static void add_domain(GString *out, unsigned i)
{
    static const char letters[] = "etaoinshrdlu";
    for (unsigned n = i * 2654435761u % 1000003 + 1000; n > 0; n /= 12)
        g_string_append_c(out, letters[n % 12]);
    g_string_append_printf(out, "%u\\.example", i);
}

/* Domains from FIRST to LAST with a bar between them. */
static char *domains(unsigned first, unsigned last)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = first; i <= last; i++) {
        if (i > first)
            g_string_append_c(out, '|');
        add_domain(out, i);
    }
    return g_string_free(out, FALSE);
}

/* The domain as it stands in a message. */
static char *plain(unsigned i)
{
    g_autofree char *domain = domains(i, i);
    g_auto(GStrv) halves = g_strsplit(domain, "\\", 2);
    return g_strconcat(halves[0], halves[1], NULL);
}

static char *put(const char *pattern, const char *text)
{
    g_auto(GStrv) halves = g_strsplit(pattern, "@@", -1);
    return g_strjoinv(text, halves);
}

/* Rules and subjects; @@ is the alternation in the one, a domain in the other. */
static const struct {
    const char *rule, *subject;
} forms[] = {
    {"header R Subject =~ /@@/", "x @@ y"},
    {"header R Subject =~ /@@/", "x @@"},
    {"header R Subject =~ /(?:@@)/i", "x @@"},
    {"header R Subject =~ /^(?:@@)$/", "@@"},
    {"header R Subject =~ /^(?:@@)$/", "x@@"},
    {"header R Subject =~ /(?i)(@@)/", "X @@"},
    {"header R Subject =~ /\\b(?:@@)\\b/i", "(@@)"},
    {"header R Subject =~ /\\b(?:@@)\\b/", "1@@1"},
    {"header R Subject =~ /(?<=\\@)(?:@@)/", "bob\\@@@"},
    {"header R Subject =~ /(?<![a-z])(?:@@)(?![a-z])/", "a@@"},
    {"header R Subject =~ /(@@) and \\1/", "@@ and @@"},
    {"header R Subject =~ /(@@) and \\1/", "@@ and that"},
    {"header R Subject =~ /(?<x>@@)(?:,\\g{x})+/", "@@,@@"},
    {"header R Subject =~ /(?:(@@)|(z+)) \\2/", "zz zz"},
    {"header R Subject =~ m{(?: @@ )$}x", "@@"},
    {"header R Subject =~ m{a(?:@@)?b}", "ab"},
    {"header R Subject !~ /@@/", "x @@"},
    {"header R Subject !~ /@@/", "nothing"},
    {"header R From:addr =~ /\\@(?:@@)$/i", "nothing"},
    {"header R Subject =~ /@@/\ntflags R multiple", "@@ @@, @@"},
    {"header R Subject =~ /@@/\ntflags R multiple maxhits=2", "@@ @@, @@"},
    {"header R ALL =~ /^Subject: .*(?:@@)/m", "@@"},
    {"header R Subject =~ /(?>@@)x/", "@@x"},
    {"header R Subject =~ /(?|(@@)|(y))-\\1/", "y-y"},
    {"header R Subject =~ /(?(?=a)(?:@@)|b)/", "b"},
    {"header R Subject =~ /[\\x80-\\xff](?:@@)/i", "\xc3\xa9@@"},
};

/* The answer of RULE, with the domains FIRST to LAST, to a subject that holds number HIT. */
static char *ask(const char *form, unsigned first, unsigned last, const char *subject, unsigned hit)
{
    struct problems *problems = problems_new();
    g_autofree char *alternation = domains(first, last), *domain = plain(hit);
    g_autofree char *rule = put(form, alternation), *text = put(subject, domain);
    g_autofree char *message = g_strdup_printf("From: <bob@%s>\nSubject: %s\n\n", domain, text);
    struct ruleset *ruleset = rules_load(rule, problems);
    g_autofree char *told = rules_problems(problems);
    g_assert_cmpstr(told, ==, "");
    char *answer = rules_run(ruleset, message, NULL, NULL);
    ruleset_unref(ruleset);
    problems_free(problems);
    return answer;
}

/* Every form over 2500 domains (45 kB) says what it says over the one domain that matters; or over
 * another one, when it is asked for one that it does not have. */
static void test_forms(void)
{
    static const unsigned hits[] = {1, 2, 1249, 2500, 2501, 9999};
    for (size_t f = 0; f < G_N_ELEMENTS(forms); f++) {
        for (size_t h = 0; h < G_N_ELEMENTS(hits); h++) {
            unsigned only = hits[h] <= 2500 ? hits[h] : 1;
            g_autofree char *large = ask(forms[f].rule, 1, 2500, forms[f].subject, hits[h]);
            g_autofree char *small = ask(forms[f].rule, only, only, forms[f].subject, hits[h]);
            g_test_message("%s, %s, %u: %s", forms[f].rule, forms[f].subject, hits[h], large);
            g_assert_cmpstr(large, ==, small);
        }
    }
}

/* 330 kB load within a second or two, hit, and give up in time on the longest header there is. */
static void test_budget(void)
{
    struct problems *problems = problems_new();
    g_autofree char *alternation = domains(1, 17000), *last = plain(17000);
    g_autofree char *rule = g_strdup_printf("header R ALL =~ /\\@(?:%s)/i", alternation);
    g_assert_cmpuint(strlen(rule), >, 300000);
    struct ruleset *ruleset = rules_load(rule, problems);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    g_autofree char *message = g_strdup_printf("From: <bob@%s>\n\n", last);
    g_autofree char *hit = rules_run(ruleset, message, NULL, NULL);
    g_assert_cmpstr(hit, ==, "1 R");
    g_autofree char *ats = g_strnfill(65000, '@');
    g_autofree char *hostile = g_strdup_printf("From: <bob@x>\nX: %s\n\n", ats);
    struct effort effort = effort_begin();
    g_autofree char *none = rules_run(ruleset, hostile, NULL, NULL);
    g_assert_false(effort_is_spent(&effort, 2 * G_TIME_SPAN_SECOND));
    g_assert_true(strcmp(none, "0") == 0 || strcmp(none, "0 !R") == 0 ||
                  strcmp(none, "0 !!") == 0); /* the clock, on a slow machine */
    ruleset_unref(ruleset);
    problems_free(problems);
}

/* What repetitions blow up costs neither time nor memory: what is beyond the limit is refused. */
static void test_bombs(void)
{
    static const char *const bombs[] = {
        "(?:(?:(?:abcdefgh){1000}){1000}){1000}",
        "(?:a{65535}){65535}",
        "((((a{100}){100}){100}){100})",
        "(?:[a-z]{60000}|x){60000}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bombs); i++) {
        struct problems *problems = problems_new();
        g_autofree char *rule = g_strdup_printf("header R Subject =~ /%s/", bombs[i]);
        struct effort effort = effort_begin();
        ruleset_unref(rules_load(rule, problems));
        g_assert_false(effort_is_spent(&effort, 2 * G_TIME_SPAN_SECOND));
        g_autofree char *told = rules_problems(problems);
        g_test_message("%s: %s", bombs[i], told);
        g_assert_true(!*told || strstr(told, "too large"));
        problems_free(problems);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/large/forms", test_forms);
    g_test_add_func("/large/budget", test_budget);
    g_test_add_func("/large/bombs", test_bombs);
    return g_test_run();
}
