/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX patterns against the system's regexec(3): the same patterns are bad, the same keys match,
 * from the same place to the same place. Patterns and keys are put together at random, always the
 * same ones. The GNU library is the reference, as for Postfix on most systems.
 */
#include <regex.h>

#include "../../../milter/lookup/pattern_engine.h"
#include "scratch.h"

enum { PATTERNS = 30000, ATOMS = 6 };

static const char *const atoms[] = {
    "a",           "b",
    "A",           "ab",
    ".",           "^",
    "$",           "|",
    "*",           "+",
    "?",           "(",
    ")",           "(a)",
    "(b|ab)",      "(a*)",
    "{",           "}",
    "{2}",         "{1,2}",
    "{,2}",        "{1,}",
    "{2,1}",       "{,}",
    "{a}",         "\\(",
    "\\)",         "\\(a\\)",
    "\\(b*\\)",    "\\{2\\}",
    "\\{1,2\\}",   "\\{",
    "\\}",         "\\|",
    "\\+",         "\\?",
    "\\1",         "\\2",
    "\\w",         "\\W",
    "\\s",         "\\b",
    "\\B",         "\\<",
    "\\>",         "\\`",
    "\\'",         "\\",
    "\\.",         "\\\\",
    "\\n",         "[ab]",
    "[^a]",        "[]a]",
    "[^]a]",       "[a-]",
    "[-a]",        "[a\\]",
    "[a-b]",       "[b-a]",
    "[a-b-c]",     "[[:alpha:]]",
    "[[:upper:]]", "[^[:digit:]]",
    "[[:nix:]]",   "[[.a.]]",
    "[[=a=]]",     "[[.-.]]",
    "[[.a.]-b]",   "[[:alpha:]-z]",
    "[a",          "[",
    "]",           "[[:alpha:]",
    "[a-[.b.]]",   "[--b]",
    "[*-.]",       "[a^]",
    "()",          "-",
    " ",           "#",
    "\xe9",        "[\xe8-\xea]",
    "/",           "(^a)",
    "(a$)",        "\\(^a\\)",
    "a\\{1,2\\}",
};

static const char *const keys[] = {
    "",    "a",    "b",   "ab",  "ba",   "aa", "abab",  "aab",   "abb",  "aaa", "A",   "B",
    "a b", "a\nb", "\na", "a\n", "\n",   "a*", "a+",    "(a)",   "a{2}", "{",   "}",   "1",
    "]",   "-",    "\\",  "a.b", "\xe9", "#a", "a_1 b", "ab ab", "^a",   "a$",  "a|b", "?",
};

struct flags {
    int posix;
    const char *letters;
};

static const struct flags flag_rows[] = {
    {REG_EXTENDED, "i"}, {REG_EXTENDED | REG_ICASE, ""},  {REG_EXTENDED | REG_NEWLINE, "im"},
    {0, "ix"},           {REG_ICASE | REG_NEWLINE, "mx"},
};

static unsigned flags_of(const char *letters)
{
    unsigned flags = regexp_engine.flags;
    for (; *letters; letters++)
        flags ^= regexp_engine.flag(*letters);
    return flags;
}

/* What became of all comparisons. The GNU library has errors of its own in odd corners, so some
 * few differences are allowed. */
struct tally {
    unsigned hits, other_answer, other_place, other_groups;
};

static void differs(unsigned *count, const char *what, const char *pattern, const char *letters,
                    const char *key)
{
    g_autofree char *shown = g_strescape(pattern, NULL);
    g_autofree char *shown_key = g_strescape(key, NULL);
    g_test_message("%s: \"%s\" flags \"%s\", key \"%s\"", what, shown, letters, shown_key);
    ++*count;
}

/* The pattern both ways, with groups and without. */
struct pair {
    const char *pattern, *letters;
    void *code;
    regex_t regex, no_groups;
};

static void check_groups(const struct pair *pair, const char *key, struct tally *tally)
{
    regmatch_t theirs[3];
    struct span ours[3] = {{0, 0}};
    unsigned count = 1 + MIN((unsigned)pair->regex.re_nsub, 2);
    if (regexec(&pair->regex, key, count, theirs, 0) != 0)
        return;
    g_assert_cmpint(regexp_engine.match(pair->code, key, strlen(key), ours, count), ==, LOOKUP_HIT);
    if (ours[0].start != (size_t)theirs[0].rm_so || ours[0].end != (size_t)theirs[0].rm_eo) {
        differs(&tally->other_place, "place", pair->pattern, pair->letters, key);
        return;
    }
    for (unsigned i = 1; i < count; i++)
        if (ours[i].end - ours[i].start != (size_t)(theirs[i].rm_eo - theirs[i].rm_so))
            differs(&tally->other_groups, "groups", pair->pattern, pair->letters, key);
}

static void check_key(const struct pair *pair, const char *key, struct tally *tally)
{
    enum lookup_status expected =
        regexec(&pair->no_groups, key, 0, NULL, 0) == 0 ? LOOKUP_HIT : LOOKUP_MISS;
    if (regexp_engine.match(pair->code, key, strlen(key), NULL, 0) != expected) {
        differs(&tally->other_answer, "answer", pair->pattern, pair->letters, key);
        return;
    }
    if (expected == LOOKUP_MISS)
        return;
    tally->hits++;
    check_groups(pair, key, tally);
}

static void check_pattern(const char *pattern, const struct flags *flags, struct tally *tally)
{
    struct pair pair = {.pattern = pattern, .letters = flags->letters};
    g_autofree char *why = NULL;
    int error = regcomp(&pair.regex, pattern, flags->posix);
    pair.code = regexp_engine.compile(pattern, flags_of(flags->letters), true, &why);
    if ((error == 0) != (pair.code != NULL))
        g_test_message("\"%s\" flags \"%s\": %s", pattern, flags->letters, why ? why : "sound");
    g_assert_cmpint(error == 0, ==, pair.code != NULL);
    if (error != 0)
        return;
    g_assert_cmpint(regcomp(&pair.no_groups, pattern, flags->posix | REG_NOSUB), ==, 0);
    g_assert_cmpuint(regexp_engine.groups(pair.code), ==, pair.regex.re_nsub);
    /* The GNU library takes "^" within a pattern to match behind a newline without REG_NEWLINE. */
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (flags->posix & REG_NEWLINE || !strchr(keys[i], '\n'))
            check_key(&pair, keys[i], tally);
    regexp_engine.free(pair.code);
    regfree(&pair.regex);
    regfree(&pair.no_groups);
}

static void test_like_regexec(void)
{
#ifdef __GLIBC__
    g_autoptr(GRand) dice = g_rand_new_with_seed(20240229);
    struct tally tally = {0};
    for (int i = 0; i < PATTERNS; i++) {
        g_autoptr(GString) pattern = g_string_new(NULL);
        for (int j = g_rand_int_range(dice, 1, ATOMS); j > 0; j--)
            g_string_append(pattern, atoms[g_rand_int_range(dice, 0, G_N_ELEMENTS(atoms))]);
        check_pattern(pattern->str, &flag_rows[g_rand_int_range(dice, 0, G_N_ELEMENTS(flag_rows))],
                      &tally);
    }
    g_test_message("%u hits; other answer %u, other place %u, other groups %u", tally.hits,
                   tally.other_answer, tally.other_place, tally.other_groups);
    g_assert_cmpuint(tally.hits, >, PATTERNS);
    g_assert_cmpuint(tally.other_answer, <, tally.hits / 1000);
    g_assert_cmpuint(tally.other_place, <, tally.hits / 1000);
    g_assert_cmpuint(tally.other_groups, <, tally.hits / 200);
#else
    g_test_skip("the reference is the GNU library");
#endif
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/posix2pcre/like-regexec", test_like_regexec);
    return g_test_run();
}
