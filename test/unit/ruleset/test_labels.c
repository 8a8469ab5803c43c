/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charset labels in every dress in which some reader still knows them: each spelling of a charset,
 * in each dress, at each place, must hit the rule that names the charset, and its letters be
 * counted.
 */
#include <glib.h>
#include <string.h>

#include "mail/charset.h"
#include "ruleset/traits.h"
#include "rules.h"

static const char rules[] =
    "charset NAMED %s\nscore NAMED 1\nscript LETTERS Cyrillic >= 90%%\nscore LETTERS 10\n"
    "script LATIN Latin >= 1%%\nscore LATIN 100\n";

static const struct {
    const char *name, *iconv, *spellings[8];
} charsets[] = {
    {"koi8-r", "KOI8-R", {"koi8-r", "KOI8_R", "csKOI8R", "koi8r", "KOI8", "x-koi8-r"}},
    {"windows-1251", "CP1251", {"windows-1251", "cp1251", "csWindows1251", "WIN-1251", "x-cp1251"}},
    {"iso-8859-5",
     "ISO-8859-5",
     {"iso-8859-5", "ISO_8859-5:1988", "iso-ir-144", "ISO_8859-5", "cyrillic", "ISO8859-5"}},
    {"ibm866", "IBM866", {"ibm866", "cp866", "866", "csIBM866"}},
    {"koi8-u", "KOI8-U", {"KOI8-U", "csKOI8U"}},
    {"ecma-cyrillic", "ECMA-CYRILLIC", {"iso-ir-111", "KOI8-E", "csISO111ECMACyrillic"}},
    {"hz-gb-2312", NULL, {"HZ-GB-2312", "hz", "csHZGB2312"}},
};

/* How a label stands in an encoded word; '@' is where it goes. */
static const char *const word_dresses[] = {
    "@",    "\"@\"", "'@'",       " @ ",   "\t@", "@*ru", "\"@\"*ru", "\n @",
    "@\n ", " \"@",  "\"@\n\t\"", "\\@\\", "@;",  "(@)",  "@*",       "<@>",
};

/* How it stands in Content-Type. */
static const char *const type_dresses[] = {
    "charset=@",
    "charset=\"@\"",
    "charset = \" @ \"",
    "charset='@'",
    "charset=\"\\@\"",
    "charset=\n\t\"@\"",
    "CHARSET=\"@\n \"",
    "charset=\"=?us-ascii?q?@?=\"",
    "charset==?utf-8?q?@?=",
    "charset=\"=? us-ascii ? q ?@?=\"",
    "charset*=us-ascii'en'@",
    "charset*0=\"@\"",
    "charset*0*=''@; charset=us-ascii",
    "charset=us-ascii; charset=\"@\"",
    "charset=\"us-ascii\"; x=y; charset=@; charset=utf-8",
    "charset=\"@",
    "charset=(a comment)\"@\"",
};

static char *dress(const char *pattern, const char *label)
{
    g_auto(GStrv) halves = g_strsplit(pattern, "@", 2);
    return g_strconcat(halves[0], label, halves[1], NULL);
}

static struct ruleset *load(const char *charset)
{
    struct problems *problems = problems_new();
    g_autofree char *text = g_strdup_printf(rules, charset);
    struct ruleset *ruleset = rules_load(text, problems);
    problems_print(problems, stderr);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    problems_free(problems);
    return ruleset;
}

static void expect(const struct ruleset *ruleset, const char *message, const char *want)
{
    g_autofree char *got = rules_run(ruleset, message, NULL, NULL);
    if (strcmp(got, want) != 0)
        g_test_message("%s", message);
    g_assert_cmpstr(got, ==, want);
}

/* A subject of Cyrillic letters, encoded by Q. */
static char *subject(const char *iconv, const char *label)
{
    GString *out = g_string_new("Subject: =?");
    gsize length = 0;
    g_autofree char *bytes = g_convert("Привет", -1, iconv, "UTF-8", NULL, &length, NULL);
    g_assert_nonnull(bytes);
    g_string_append_printf(out, "%s?q?", label);
    for (gsize i = 0; i < length; i++)
        g_string_append_printf(out, "=%02X", (unsigned char)bytes[i]);
    g_string_append(out, "?=\n\n");
    return g_string_free(out, FALSE);
}

static void test_words(void)
{
    for (size_t c = 0; c < G_N_ELEMENTS(charsets); c++) {
        struct ruleset *ruleset = load(charsets[c].name);
        for (size_t s = 0; charsets[c].spellings[s]; s++) {
            for (size_t d = 0; d < G_N_ELEMENTS(word_dresses); d++) {
                g_autofree char *label = dress(word_dresses[d], charsets[c].spellings[s]);
                g_autofree char *message =
                    charsets[c].iconv ? subject(charsets[c].iconv, label)
                                      : g_strdup_printf("Subject: =?%s?q?~{<:~}?=\n\n", label);
                expect(ruleset, message, charsets[c].iconv ? "11 LETTERS NAMED" : "1 NAMED");
            }
        }
        ruleset_unref(ruleset);
    }
}

static void test_content_types(void)
{
    static const char *const places[] = {
        "Content-Type: text/plain; @\n\n",
        "Content-Type: text/plain\nContent-Type: text/html; @\n\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; @\n\nx\n",
        "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain; @\n\nx\n",
        "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--b\n"
        "Content-Type: text/plain; @\n\nx\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n"
        "Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/plain; @\n\nx\n",
    };
    for (size_t c = 0; c < G_N_ELEMENTS(charsets); c++) {
        struct ruleset *ruleset = load(charsets[c].name);
        for (size_t s = 0; charsets[c].spellings[s]; s++) {
            for (size_t d = 0; d < G_N_ELEMENTS(type_dresses); d++) {
                g_autofree char *type = dress(type_dresses[d], charsets[c].spellings[s]);
                for (size_t p = 0; p < G_N_ELEMENTS(places); p++) {
                    g_autofree char *message = dress(places[p], type);
                    expect(ruleset, message, "1 NAMED");
                }
            }
        }
        ruleset_unref(ruleset);
    }
}

/* What is no head of an encoded word names no charset. */
static void test_no_words(void)
{
    static const char *const texts[] = {
        "=?koi8-r",        "=?koi8-r?",     "=?koi8-r?x?a?=",  "=?koi8-r?bb?a?=",
        "= ?koi8-r?b?a?=", "?koi8-r?b?a?=", "=??koi8-r?b?a?=",
    };
    struct ruleset *ruleset = load("koi8-r");
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *message = g_strdup_printf("Subject: 1 %s\nTo: x@y\n\n", texts[i]);
        g_autofree char *got = rules_run(ruleset, message, NULL, NULL);
        g_assert_null(strstr(got, "NAMED"));
    }
    ruleset_unref(ruleset);
}

/* 8-bit text of which nobody says what it is has no letters but its ASCII ones. */
static void test_unlabelled(void)
{
    static const struct {
        const char *message, *want;
    } rows[] = {
        {"Subject: \xf0\xd2\xc9\xd7\xc5\xd4\n\n", "0"},
        {"Subject: \xf0\xd2\xc9\xd7\xc5\xd4 x\n\n", "100 LATIN"},
        {"Subject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=utf-8\n\n", "0"},
        {"Subject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=x-9\n\n", "0"},
        {"Subject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=unknown-8bit\n\n",
         "0"},
        {"Subject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain\n"
         "Content-Type: text/plain; charset=utf-8; charset=\"koi8-r\"\n\n",
         "11 LETTERS NAMED"},
        {"Subject: \xe4\xf6\xfc\nContent-Type: text/plain; charset=iso-8859-1\n\n", "100 LATIN"},
        {"Subject: =?x-9?q?=F0=D2=C9?=\n\n", "0"},
        {"Subject: =?us-ascii?q?=F0=D2=C9?=\n\n", "0"},
        {"Subject: =?iso-8859-1?q?=F0=D2=C9?=\n\n", "100 LATIN"},
        {"From: \xf0\xd2\xc9 <x@y.example>\n\n", "0"},
        {"From: =?\"koi8-r\"?q?=F0=D2=C9?= <x@y.example>\n\n", "11 LETTERS NAMED"},
    };
    struct ruleset *ruleset = load("koi8-r");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        expect(ruleset, rows[i].message, rows[i].want);
    ruleset_unref(ruleset);
}

/* HZ as RFC 1843 has it; the texts are those of its section 2 and 3 in other words. */
static void test_hz(void)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"", ""},
        {"plain ~~ text", "plain ~ text"},
        {"a~{<:Ky2;~}b", "a己所不b"},
        {"~{<:Ky2;S{NpJ)l6HK~}", "己所不欲勿施於人"},
        {"one ~\nline", "one line"},
        {"~{<:~}~\n~{Ky~}", "己所"},
        {"~{<:Ky\nabc", "己所\nabc"},
        {"~{<:Ky", "己所"},
        {"~{<:~\nKy~}", "己所"},
        {"~}x", "x"},
        {"x~", "x~"},
        {"x~y", "x~y"},
        {"~{0!~}~{0!~}", "啊啊"},
        {"\xe9x", "\xef\xbf\xbdx"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        charset_to_utf8("hz-gb-2312", rows[i].bytes, strlen(rows[i].bytes), out);
        g_assert_cmpstr(out->str, ==, rows[i].want);
    }
    struct problems *problems = problems_new();
    struct ruleset *ruleset =
        rules_load("script A Han >= 90%\nheader B Subject =~ /己所/\n", problems);
    expect(ruleset, "Subject: =?hz-gb-2312?q?~{<:Ky2;~}?=\n\n", "2 A B");
    ruleset_unref(ruleset);
    problems_free(problems);
}

/* Invented charsets crowd out no real one. */
static void test_crowd(void)
{
    struct ruleset *ruleset = load("koi8-r");
    g_autoptr(GString) message = g_string_new("X: ");
    for (unsigned i = 0; i < 10 * TRAITS_CHARSETS_MAX; i++)
        g_string_append_printf(message, "=?x-%u?q?1?= ", i);
    g_string_append(message, "=?koi8-r?q?1?=\n\n");
    g_autofree char *got = rules_run(ruleset, message->str, NULL, NULL);
    g_assert_nonnull(strstr(got, "NAMED"));
    ruleset_unref(ruleset);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/labels/words", test_words);
    g_test_add_func("/labels/content-types", test_content_types);
    g_test_add_func("/labels/no-words", test_no_words);
    g_test_add_func("/labels/unlabelled", test_unlabelled);
    g_test_add_func("/labels/hz", test_hz);
    g_test_add_func("/labels/crowd", test_crowd);
    return g_test_run();
}
