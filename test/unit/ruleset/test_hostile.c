/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers that no mail program writes, and many threads at once: nothing crashes, nothing takes
 * long, and the answer is always the same.
 */
#include "rules.h"

#include <glib.h>
#include <string.h>
#include <time.h>

/* Of the processor's time. Generous, for sanitizers: without them the longest takes 0.2 s. */
#define MESSAGE_TIME_MAX (G_TIME_SPAN_SECOND * 15)

static const char rules[] =
    "header SUBJECT Subject =~ /\\S/\nheader RAW Subject:raw =~ /=\\?/\n"
    "header FROM From:addr =~ /\\@/\nheader NAME From:name =~ /\\w/\n"
    "header ALL ALL =~ /^Subject: .*needle/m\nheader ALLRAW ALL:raw =~ /needle$/m\n"
    "header MANY ToCc =~ /(?:,[^,]{1,90}){50}/\nheader WORDS Subject =~ /(\\w+\\s?)+$/\n"
    "header LINES ALL =~ /^From:(?:.*\\n)*X-Last: yes/m\n"
    "header EXPLODES Subject =~ /^(?:a+)+$/\nheader SMALL Subject =~ /(?:a+)+$/\n"
    "header IDS MESSAGEID =~ /</\n"
    "charset CHARSET koi8-r\ncharset RAW8 raw8bit\nscript SCRIPT Cyrillic >= 10%\n"
    "blocklist_from *@spam.example a?b*c@*d*\nmeta M SUBJECT + FROM + NAME > 1\n";

/* What this thread used, in microseconds. */
static gint64 used(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static struct ruleset *load(void)
{
    struct problems *problems = problems_new();
    struct ruleset *ruleset = rules_load(rules, problems);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    problems_free(problems);
    return ruleset;
}

/* HEAD, then PIECE again and again up to LENGTH bytes, then TAIL. */
static char *repeat(const char *head, const char *piece, size_t length, const char *tail)
{
    GString *out = g_string_new(head);
    while (out->len < length)
        g_string_append(out, piece);
    g_string_append(out, tail);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *what, *head, *piece, *tail;
    size_t length;
} messages[] = {
    {"no colon", "this is no header\n", "nor this\n", "\n", 10000},
    {"1 MB value", "Subject: ", "needle in hay ", "\n\n", 1 << 20},
    {"1 MB word", "Subject: =?koi8-r?B?", "8NLJ18XU", "?=\n\n", 1 << 20},
    {"1 MB of words", "Subject: ", "=?koi8-r?B?8NLJ18XU?= ", "\n\n", 1 << 20},
    {"1 MB of one letter", "Subject: ", "a", "!\n\n", 1 << 20},
    {"1 MB of addresses", "To: ", "<a@b>, ", "\n\n", 1 << 20},
    {"1 MB of brackets", "From: ", "<<@>", "\n\n", 1 << 20},
    {"1 MB of quotes", "From: ", "\"(\\", "\n\n", 1 << 20},
    {"1 MB of folds", "Subject:", "\n x", "\n\n", 1 << 20},
    {"1 MB of colons", "", "a:b:c:\n", "\n", 1 << 20},
    {"20,000 headers", "", "X-Field: value of this field\n", "\n", 20000 * 29},
    {"20,000 subjects", "", "Subject: =?utf-8?q?x?=\n", "\n", 20000 * 23},
    {"small explosions", "", "Subject: aaaaaaaaaaaaaaaa!aaaaaaaaaaaaaaaa!aaaaaaaaaaaaaaaa!\n", "\n",
     1 << 17},
    {"bare CR", "Subject: a", "\r b\r", "\r\n\n", 10000},
    {"control characters", "Subject: ", "\x01\x02\x7f\x1b", "\n\n", 10000},
    {"truncated base64", "Subject: =?utf-8?B?0J/R?= ", "=?utf-8?B?0J/", "\n\n", 10000},
    {"unknown charset", "Subject: ", "=?x-nobody-knows?q?=e9?= ", "\n\n", 10000},
    {"very long charset", "Subject: =?", "koi8-r", "?q?x?=\n\n", 100000},
    {"overlong UTF-8", "Subject: ", "\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80", "\n\n", 100000},
    {"empty words", "Subject: ", "=?a?q?\?=", "\n\n", 100000},
    {"nested multiparts", "Content-Type: multipart/mixed; boundary=b\n\n",
     "--b\nContent-Type: multipart/mixed; boundary=b\n\n", "", 64000},
    {"nested messages", "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
     "Content-Type: message/rfc822\n\n", "", 64000},
    {"parameters", "Content-Type: text/plain", "; charset*0*=\"%\\;(", "\n\n", 100000},
    {"comments", "Content-Type: text/plain; charset=", "((((", "\n\n", 100000},
};

static void test_messages(void)
{
    struct ruleset *ruleset = load();
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autofree char *text =
            repeat(messages[i].head, messages[i].piece, messages[i].length, messages[i].tail);
        gint64 before = used();
        g_autofree char *got = rules_run(ruleset, text, "a@spam.example", NULL);
        gint64 took = used() - before;
        g_test_message("%s: %" G_GINT64_FORMAT " us: %s", messages[i].what, took, got);
        g_assert_nonnull(strstr(got, "USER_IN_BLOCKLIST"));
        g_assert_cmpint(took, <, MESSAGE_TIME_MAX);
    }
    ruleset_unref(ruleset);
}

/* A pattern may walk over each line of a long header, and back. */
static void test_lines(void)
{
    struct ruleset *ruleset = load();
    for (int last = 0; last < 2; last++) {
        g_autofree char *text =
            repeat("", "From: a@far.test\n", 60000, last ? "X-Last: yes\n\n" : "\n");
        g_autofree char *got = rules_run(ruleset, text, NULL, NULL);
        g_assert_cmpint(strstr(got, "LINES") != NULL, ==, last);
    }
    ruleset_unref(ruleset);
}

/* NUL bytes come from files, never from an MTA. */
static void test_nul(void)
{
    struct ruleset *ruleset = load();
    struct header_list *headers = header_list_new();
    g_assert_true(header_list_add(headers, "Subject", 7, " a\0=?koi8-r?q?b?=", 17));
    struct ruleset_message message = {.headers = headers, .envelope_sender = "x@y"};
    struct ruleset_matches *matches = ruleset_match(ruleset, &message, NULL, 0);
    struct ruleset_result result;
    bool found = false;
    ruleset_score(ruleset, matches, NULL, &result);
    for (size_t i = 0; i < result.hit_count; i++)
        found |= strcmp(result.hits[i].name, "CHARSET") == 0;
    g_assert_true(found);
    ruleset_result_clear(&result);
    ruleset_matches_free(matches);
    header_list_free(headers);
    ruleset_unref(ruleset);
}

static gpointer run_often(gpointer data)
{
    for (int i = 0; i < 200; i++) {
        g_autofree char *got = rules_run(data,
                                         "Subject: =?koi8-r?B?8NLJ18XU?= needle\n"
                                         "From: =?windows-1251?q?=C8?= <a@spam.example>\n\n",
                                         NULL, NULL);
        g_assert_cmpstr(got, ==,
                        "109 ALL ALLRAW CHARSET FROM M RAW SCRIPT SUBJECT USER_IN_BLOCKLIST "
                        "WORDS");
    }
    return NULL;
}

static void test_threads(void)
{
    struct ruleset *ruleset = load();
    GThread *threads[8];
    for (int i = 0; i < 8; i++)
        threads[i] = g_thread_new("rules", run_often, ruleset);
    for (int i = 0; i < 8; i++)
        g_thread_join(threads[i]);
    ruleset_unref(ruleset);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile/messages", test_messages);
    g_test_add_func("/hostile/lines", test_lines);
    g_test_add_func("/hostile/nul", test_nul);
    g_test_add_func("/hostile/threads", test_threads);
    return g_test_run();
}
