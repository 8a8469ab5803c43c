/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compares tables with Postfix's own postmap(1), where it is installed: tables and keys are put
 * together at random (always the same ones) from pieces that are likely to make a difference.
 */
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/stat.h>

#include "scratch.h"

enum { TABLES = 60, LINES = 8 };

static GRand *dice;

/* Whether postmap skips a line whose value is not UTF-8, as we do. To Postfix 3.11 it is an entry
 * that cannot be answered, at which postmap ends. */
static bool skips_bad_values;
/* Whether it folds all letters of a key as it reads the table, as we do; Postfix 3.11 folds ASCII
 * alone there, but more of them as it is asked. */
static bool folds_all_letters;

static const char *pick(const char *const *words)
{
    return words[g_rand_int_range(dice, 0, (gint32)g_strv_length((char **)words))];
}

static void append_some(GString *text, const char *const *words, int most)
{
    for (int i = g_rand_int_range(dice, 0, most + 1); i > 0; i--)
        g_string_append(text, pick(words));
}

/* How a table of a type is made: lines put together by LINE, asked for words out of KEYS. */
struct kind {
    const char *type;
    void (*line)(GString *text);
    const char *const *keys;
};

static const char *const line_ends[] = {
    "\n",           "\n",   "\n",      "\n",      " \t\n",
    "\r\n",         "\n\n", "\n# c\n", "\n #c\n", "\n  and more\n",
    "\n\n\tmore\n", NULL};

static const char *const texthash_keys[] = {"a",
                                            "A",
                                            "b.c",
                                            "B.C",
                                            "\"a b\"",
                                            "a b",
                                            "\"A B\"",
                                            "x\\ y",
                                            "x",
                                            "x\\",
                                            "x y",
                                            "\"q\\\"r\"",
                                            "\"q\\\" s\"",
                                            "stra\xc3\x9f"
                                            "e",
                                            "STRASSE",
                                            "\xd0\x91",
                                            "\xd0\xb1",
                                            "\xce\x90",
                                            "\xc4\xb0",
                                            "k:",
                                            "k",
                                            "#h",
                                            "<>",
                                            "user@",
                                            "@d",
                                            ".d",
                                            "a,b",
                                            "a=b",
                                            "\"",
                                            "\"a",
                                            "i",
                                            "1.2.3",
                                            "::1",
                                            "{a}",
                                            NULL};

static void texthash_line(GString *text)
{
    static const char *const keys[] = {"a",
                                       "A",
                                       "b.c",
                                       "B.C",
                                       "\"a b\"",
                                       "\"A B\"",
                                       "x\\ y",
                                       "x\\",
                                       "\"q\\\"r\"",
                                       "\"q\\\" s\"",
                                       "stra\xc3\x9f"
                                       "e",
                                       "\xd0\x91",
                                       "\xd0\xb1",
                                       "\xce\x90",
                                       "\xc4\xb0",
                                       "k:",
                                       "#h",
                                       " a",
                                       "\"a",
                                       "<>",
                                       "user@",
                                       "@d",
                                       ".d",
                                       "a,b",
                                       "a=b",
                                       "bad\xff",
                                       "1.2.3",
                                       "::1",
                                       "{a}",
                                       NULL};
    static const char *const gaps[] = {" ", "\t", "  ", " \t ", "", "\v", NULL};
    static const char *const values[] = {"OK", "REJECT a b", "\"x",      "550 no", "a\\", "#v",
                                         "",   "$1",         "\xd0\x91", "\xff",   NULL};
    const char *key = pick(keys);
    g_string_append(text, !folds_all_letters && !g_str_is_ascii(key) ? "strasse" : key);
    g_string_append(text, pick(gaps));
    const char *value = pick(values);
    g_string_append(text, *value == '\xff' && !skips_bad_values ? "x" : value);
}

static const char *const cidr_keys[] = {
    "192.0.2.1", "192.0.2.2",   "192.0.3.1",       "10.1.2.3",
    "10.2.2.3",  "2001:db8::1", "2001:DB8:0::1",   "2001:db9::1",
    "::1",       "0.0.0.0",     "255.255.255.255", "1.2.3",
    "name",      "192.0.2.1 ",  "[::1]",           "192.0.2.01",
    NULL};

static void cidr_line(GString *text)
{
    static const char *const heads[] = {"",   "",    "",     "",     "!", "! ",
                                        "!!", "if ", "if !", "IF! ", NULL};
    static const char *const nets[] = {
        "192.0.2.1",   "192.0.2.0/24", "192.0.2.1/24",  "0.0.0.0/0",       "10.0.0.0/8",
        "10.1.0.0/16", "::/0",         "2001:db8::/32", "[2001:db8::]/32", "[2001:db8::/32]",
        "[::1]",       "::1",          "10.0.0.0/33",   "1.2.3",           "[10.0.0.0/8",
        "[10.0.0.0]8", "10.0.0.0/",    "10.0.0.0/a",    "10.0.0.0/8/8",    "2001:db8::1/32",
        NULL};
    static const char *const ends[] = {"endif", "ENDIF", "endif x", "endif!", "if", "endifx", NULL};
    if (g_rand_int_range(dice, 0, 4) == 0) {
        g_string_append(text, pick(ends));
        return;
    }
    const char *head = pick(heads);
    g_string_append(text, head);
    g_string_append(text, pick(nets));
    if (g_ascii_tolower(*head) != 'i' && g_rand_int_range(dice, 0, 8) > 0)
        g_string_append_printf(text, " v%d", g_rand_int_range(dice, 0, 100));
}

static const char *const pattern_keys[] = {"",
                                           "a",
                                           "A",
                                           "ab",
                                           "aab",
                                           "b",
                                           "c",
                                           "abc",
                                           "a/b",
                                           "a!b",
                                           "x=y",
                                           "user@example.com",
                                           "USER@Example.COM",
                                           "a b",
                                           "aaaa",
                                           "1.2.3.4",
                                           "$1",
                                           "a\tb",
                                           "(a)",
                                           "a+b",
                                           "\\",
                                           "z",
                                           NULL};

static void append_pattern(GString *text, const char *const *atoms, const char *const *flags)
{
    static const char *const delimiters[] = {"/", "/", "/", "/", "#", "~", NULL};
    const char *delimiter = pick(delimiters);
    g_string_append(text, delimiter);
    append_some(text, atoms, 4);
    if (g_rand_int_range(dice, 0, 30) > 0)
        g_string_append(text, delimiter);
    append_some(text, flags, 1);
}

static void append_rule(GString *text, const char *const *atoms, const char *const *flags,
                        bool second)
{
    static const char *const heads[] = {"", "", "", "", "!", "! ", "!!", NULL};
    static const char *const ifs[] = {"if ", "if !", "IF", "if", "if! ", NULL};
    static const char *const ends[] = {"endif",     "ENDIF", "endif x", "endifx",
                                       "foo /a/ b", "!",     NULL};
    static const char *const parts[] = {"x", "$1",  "${1}", "$(2)", "$$",  " ",   "$1x",  "$0",
                                        "$", "${1", "$2",   "y",    "$$1", "$10", "$123", NULL};
    int which = g_rand_int_range(dice, 0, 10);
    if (which < 2) {
        g_string_append(text, which == 0 ? pick(ends) : pick(ifs));
        if (which == 0)
            return;
        append_pattern(text, atoms, flags);
        return;
    }
    g_string_append(text, pick(heads));
    append_pattern(text, atoms, flags);
    if (second && which == 3) {
        g_string_append_c(text, '!');
        append_pattern(text, atoms, flags);
    }
    /* An empty value is no difference worth having: it is an error in every use. */
    g_string_append_printf(text, " v%d", g_rand_int_range(dice, 0, 100));
    append_some(text, parts, 3);
}

static void pcre_line(GString *text)
{
    static const char *const atoms[] = {
        "a",      "b",   "(a)", "(b+)", "(.*)", "^", "$",    "[a-z]", "\\/", "\\.", ".", "(?:x)?",
        "(a|ab)", "\\d", "*",   "(",    "\\s",  "+", "(?i)", "A",     "@",   "\\",  NULL};
    static const char *const flags[] = {"i", "m", "s", "x", "A", "E", "U", "X", "q", "ix", NULL};
    append_rule(text, atoms, flags, false);
}

static void regexp_line(GString *text)
{
    static const char *const atoms[] = {
        "a",     "b", "(a)",  "(b+)",   "(.*)",        "^",  "$", "[a-z]", "\\/",
        "\\.",   ".", "(x)?", "(a|ab)", "[[:digit:]]", "*",  "(", ")",     "+",
        "{1,2}", "A", "@",    "\\1",    "\\(b\\)",     "\\", NULL};
    static const char *const flags[] = {"i", "m", "x", "q", "ix", NULL};
    append_rule(text, atoms, flags, true);
}

/* A backslash before each letter and sign there is, alone and in company. */
static void escapes_line(GString *text)
{
    static const char *const company[] = {"a",           "",  "",  "", ".", "(b)", "x*", "|",
                                          "[[:digit:]]", "^", NULL};
    static const char *const quantifiers[] = {"", "", "", "*", "?", "+", "{0,2}", NULL};
    static const char *const flags[] = {"", "i", "m", "x", "ix", NULL};
    GString *pattern = g_string_new("/");
    for (int i = g_rand_int_range(dice, 1, 4); i > 0; i--) {
        char c = (char)g_rand_int_range(dice, '!', '~');
        g_string_append(pattern, pick(company));
        g_string_append_printf(pattern, "\\%c%s", c, pick(quantifiers));
    }
    g_string_append_printf(text, "%s%s/%s v%d", pattern->str, pick(company), pick(flags),
                           g_rand_int_range(dice, 0, 100));
    g_string_free(pattern, TRUE);
}

static const char *const escape_keys[] = {
    "d",  "D",  "t", "T", "q", "Q", "w",  "1",   "12",  "a",  "A",  "ad", "aD",
    "at", "xq", "b", "B", "",  " ", "\t", "a b", "a d", ".",  "\\", "|",  "x",
    "X",  "_",  "-", "0", "z", "n", "dq", "tq",  "ab",  "ba", "!",  "~",  "k",
    "K",  "p",  "e", "f", "v", "r", "s",  "S",   "W",   "h",  "c",  "g",  NULL};

static const struct kind kinds[] = {
    {"texthash", texthash_line, texthash_keys}, {"cidr", cidr_line, cidr_keys},
    {"pcre", pcre_line, pattern_keys},          {"regexp", regexp_line, pattern_keys},
    {"regexp", escapes_line, escape_keys},
};

/* What postmap answers for all KEYS: "KEY\tVALUE\n" for each it finds. */
static char *ask_postmap(const char *postmap, const char *dir, const char *spec,
                         const char *const *keys)
{
    g_autofree char *all = g_strjoinv("\n", (char **)keys);
    g_autofree char *input = g_strconcat(all, "\n", NULL);
    const char *const argv[] = {postmap, "-c", dir, "-q", "-", spec, NULL};
    g_autoptr(GSubprocess) process =
        g_subprocess_newv(argv,
                          G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                              G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                          NULL);
    g_autoptr(GBytes) in = g_bytes_new(input, strlen(input));
    g_autoptr(GBytes) out = NULL;
    g_assert_nonnull(process);
    g_assert_true(g_subprocess_communicate(process, in, NULL, &out, NULL, NULL));
    gsize length;
    const char *data = g_bytes_get_data(out, &length);
    return g_strndup(data ? data : "", length);
}

/* The one of KEYS, which may hold tabs as values may, that a LINE of postmap's is about. */
static const char *key_of(const char *line, const char *const *keys)
{
    const char *key = NULL;
    for (; *keys; keys++)
        if (g_str_has_prefix(line, *keys) && line[strlen(*keys)] == '\t' &&
            (!key || strlen(key) < strlen(*keys)))
            key = *keys;
    return key;
}

/* Takes the line of KEY, if there is one, out of what postmap answered. */
static void forget(char *answers, const char *key, const char *const *keys)
{
    char *line = answers;
    while (*line) {
        char *next = strchr(line, '\n') + 1;
        if (key_of(line, keys) == key)
            memmove(line, next, strlen(next) + 1);
        else
            line = next;
    }
}

/* What TABLE answers, in the same form. A rule that cannot be read and may keep out is none to
 * postmap, while we cannot tell: then what THEY answered does not count. */
static char *ask_table(struct table *table, const char *const *keys, char *they)
{
    GString *all = g_string_new(NULL);
    g_autoptr(GString) value = g_string_new(NULL);
    for (const char *const *key = keys; *key; key++) {
        enum lookup_status status = table_find(table, *key, value);
        if (status == LOOKUP_HIT)
            g_string_append_printf(all, "%s\t%s\n", *key, value->str);
        else if (status == LOOKUP_ERROR && table_has_gaps(table))
            forget(they, *key, keys);
    }
    return g_string_free(all, FALSE);
}

static void compare(const char *postmap, struct scratch *scratch, const char *spec,
                    const char *const *keys, unsigned *hits)
{
    struct table *table = table_open(spec, false, &scratch->context);
    g_autofree char *problems = scratch_problems(scratch);
    g_autofree char *theirs = ask_postmap(postmap, scratch->dir, spec, keys);
    g_autofree char *ours = table ? ask_table(table, keys, theirs) : g_strdup("");
    if (!g_str_equal(ours, theirs))
        g_test_message("%s\n%s", spec, problems);
    g_assert_cmpstr(ours, ==, theirs);
    for (const char *p = ours; (p = strchr(p, '\n')); p++)
        ++*hits;
    table_unref(table);
}

/* postmap waits until a file is no longer new. */
static void write_old(struct scratch *scratch, const char *text, size_t length)
{
    g_autofree char *path = scratch_path(scratch, "t");
    struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    scratch_write(scratch, "t", text, (gssize)length);
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static char *find_postmap(struct scratch *scratch)
{
    char *postmap = g_find_program_in_path("postmap");
    if (!postmap && g_file_test("/usr/sbin/postmap", G_FILE_TEST_IS_EXECUTABLE))
        postmap = g_strdup("/usr/sbin/postmap");
    if (!postmap)
        g_test_skip("postmap is not installed");
    scratch_write(scratch, "main.cf", "compatibility_level = 3.6\n", -1);
    return postmap;
}

/* Whether a table of LINES is good for KEY, and answers "x" for it. */
static bool finds(const char *postmap, struct scratch *scratch, const char *lines, const char *key)
{
    const char *const keys[] = {"bad", key, NULL};
    scratch_write(scratch, "t", lines, -1);
    g_autofree char *path = scratch_path(scratch, "t");
    g_autofree char *spec = g_strconcat("texthash:", path, NULL);
    g_autofree char *answer = ask_postmap(postmap, scratch->dir, spec, keys);
    g_autofree char *expected = g_strconcat(key, "\tx\n", NULL);
    return g_str_equal(answer, expected);
}

/* Whether this postmap knows the type: pcre is a package of its own on many systems. */
static bool has_type(const char *postmap, struct scratch *scratch, const char *type)
{
    static const char *const keys[] = {"1.2.3.4", NULL};
    scratch_write(
        scratch, "t",
        g_str_equal(type, "texthash") || g_str_equal(type, "cidr") ? "1.2.3.4 x\n" : "/./ x\n", -1);
    g_autofree char *path = scratch_path(scratch, "t");
    g_autofree char *spec = g_strconcat(type, ":", path, NULL);
    g_autofree char *answer = ask_postmap(postmap, scratch->dir, spec, keys);
    return g_str_equal(answer, "1.2.3.4\tx\n");
}

static void test_files(gconstpointer data)
{
    const struct kind *kind = data;
    struct scratch scratch = scratch_new();
    g_autofree char *postmap = find_postmap(&scratch);
    g_autofree char *path = scratch_path(&scratch, "t");
    g_autofree char *spec = g_strconcat(kind->type, ":", path, NULL);
    bool usable = postmap && has_type(postmap, &scratch, kind->type);
    if (postmap && !usable)
        g_test_skip("this postmap lacks the type");
    skips_bad_values = usable && finds(postmap, &scratch, "bad \xff\ngood x\n", "good");
    folds_all_letters = usable && finds(postmap, &scratch,
                                        "stra\xc3\x9f"
                                        "e x\n",
                                        "STRASSE");
    dice = g_rand_new_with_seed(20240229);
    unsigned hits = 0;
    for (int i = 0; usable && i < TABLES; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (int j = 0; j < LINES; j++) {
            kind->line(text);
            g_string_append(text, pick(line_ends));
        }
        write_old(&scratch, text->str, text->len);
        compare(postmap, &scratch, spec, kind->keys, &hits);
    }
    if (usable) {
        g_test_message("%u hits", hits);
        g_assert_cmpuint(hits, >, TABLES);
    }
    g_rand_free(dice);
    scratch_clear(&scratch);
}

/* An alternation of 51 kB, as people make them out of blocklists. */
static void test_large(void)
{
    static const char *const forms[] = {"/^(.*@)?(%s)$/ REJECT $2 of $1\n", "/\\.(%s)$/i R $1\n",
                                        "!/(%s)/ OK\n", "/@(%s|a)+$/ R $1\n"};
    struct scratch scratch = scratch_new();
    g_autofree char *postmap = find_postmap(&scratch), *path = scratch_path(&scratch, "t");
    g_autofree char *spec = g_strconcat("regexp:", path, NULL);
    bool usable = postmap && has_type(postmap, &scratch, "regexp");
    for (size_t i = 0; usable && i < G_N_ELEMENTS(forms); i++) {
        static const char *const keys[] = {"bob@spam0.example",
                                           "bob@SPAM7919.example",
                                           "spam7919.example",
                                           "x.spam7919.example",
                                           "bob@spam7918.example",
                                           "b@aspam7919.examplea",
                                           "b@a",
                                           NULL};
        g_auto(GStrv) halves = g_strsplit(forms[i], "%s", 2);
        g_autoptr(GString) text = g_string_new(halves[0]);
        unsigned hits = 0;
        for (unsigned n = 0; n < 2600; n++)
            g_string_append_printf(text, "%sspam%u\\.example", n ? "|" : "", n * 7919 % 100003);
        g_string_append(text, halves[1]);
        write_old(&scratch, text->str, text->len);
        compare(postmap, &scratch, spec, keys, &hits);
        g_assert_cmpuint(hits, >, 0);
    }
    scratch_clear(&scratch);
}

static void test_names(void)
{
    static const char *const specs[] = {
        "inline:{a=1, B=2 c = 3}",
        "inline:{a=1, B=2, {c = 3 4}}",
        "inline:{ {a=1} {b=2}}",
        "inline:{a=1 a=2}",
        "inline:{\"a b\"=3}",
        "inline:{{\"a b\"=3}}",
        "inline:{{a b=3}}",
        "inline:{a=b=c}",
        "inline:{{a}}",
        "inline:{}",
        "inline:{ }",
        "inline:x",
        "inline:{a=1}}",
        "inline:{{{a=1}}}",
        "inline:{a={x y}}",
        "inline:{{a={x y} }}",
        "inline:{a\\=b=c}",
        "inline:{,a=1,,b=2,}",
        "static:x",
        "static:{ a b }",
        "static:{{a}}",
        "static:{a",
        "static:a b",
    };
    static const char *const keys[] = {"a", "A", "b", "c", "\"a b\"", "{a", "a\\=b", "z", NULL};
    struct scratch scratch = scratch_new();
    g_autofree char *postmap = find_postmap(&scratch);
    unsigned hits = 0;
    for (size_t i = 0; postmap && i < G_N_ELEMENTS(specs); i++) {
        g_test_message("%s", specs[i]);
        compare(postmap, &scratch, specs[i], keys, &hits);
    }
    scratch_clear(&scratch);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *name = g_strdup_printf("/postmap/%s-%zu", kinds[i].type, i);
        g_test_add_data_func(name, &kinds[i], test_files);
    }
    g_test_add_func("/postmap/large", test_large);
    g_test_add_func("/postmap/names", test_names);
    return g_test_run();
}
