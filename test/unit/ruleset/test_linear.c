/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a stranger may make dear is bounded for the whole message. Counted, not timed: the units of
 * work are the same on every machine, and steps say whether a unit is what it claims to be.
 */
#include "rules.h"

#include <glib.h>
#include <string.h>

#include "mail/message.h"
#include "pattern.h"
#include "steps.h"
#include "work.h"

/* Our own steps that a unit of work may stand for, the library's walks over bytes among them; those
 * that it takes to begin are the rule set's. PCRE2's own are counted by rule_instructions. */
enum { STEPS_A_UNIT = 8, STEPS_TO_BEGIN = 50000 };

static const char rules[] =
    "header SUBJECT Subject =~ /\\S\\s*$/\nheader RAW Subject:raw =~ /=\\?/\n"
    "header FROM From:addr =~ /\\@/\nheader NAME From:name =~ /\\w/\n"
    "header TO To:addr =~ /\\@[a-z.]+ /\nheader TONAME To:name =~ /\\w[0-9]!/\n"
    "header ALL ALL =~ /^Subject: .*needle/m\nheader ALLRAW ALL:raw =~ /needle$/m\n"
    "header MANY ToCc =~ /(?:,[^,]{1,90}){50}!/\nheader WORDS Subject =~ /(\\w+\\s?)+!$/\n"
    "header WAY ALL =~ /\\nReceived:[^\\n]{0,200} for <?([^\\n\\s>;]+)>?;(?:[^\\n]+\\n+)*"
    "Subject: [^\\n]{0,100}\\1[^a-z0-9]/ism\n"
    "header AA ALL =~ /a!/\nheader AAA ALL =~ /aa!/\nheader AAAA ALL =~ /aaa!/\n"
    "header BB ALL =~ /(?:a|aa|aaa)b/\nheader COUNTED ALL =~ /e/\ntflags COUNTED multiple\n"
    "header HARD Subject =~ /^(?:a+)+$/\nheader SOFT Subject =~ /(?:a+)+$/\n"
    "header NEST X-Nest =~ /^(\\((?:[^()]++|(?1))*+\\))+$/\n"
    "header DEEP X-Nest =~ /^(a?(?R)?b?)*c$/\n"
    "charset CHARSET koi8-r\ncharset RAW8 raw8bit\nscript SCRIPT Cyrillic >= 10%\n"
    "script SUBJECTS in Subject,To Greek >= 10%\ncharset IN in Subject,To,Cc koi8-r\n"
    "blocklist_from *@spam.example a?b*c@*d*\nblocklist_to *@spam.example\n";

static const char first_fields[] = "From: a <b@spam.example>\nTo: c@lab.test\nSubject: hello\n";

static const struct {
    const char *what, *piece, *tail;
    size_t count;
    bool spent; /* more than one message may take */
} messages[] = {
    {"usual", "Received: from a.example\n", "", 5, false},
    {"50 Received of 2 kB",
     "Received: from a.example (a.example [192.0.2.1])\n\tby b.example with ESMTPS id 1234567\n"
     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
     "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n"
     "\tfor <bob@lab.test>; Sat, 21 Nov 2026 01:00:00 +0000\n",
     "", 50, false},
    {"300 Received", "Received: from a (a [192.0.2.1]) by b\n\tfor <bob@lab.test>; Sat, 21 Nov\n",
     "", 300, false},
    {"3000 Received", "Received: from a for <bob@lab.test>; Sat\n", "", 3000, false},
    {"10,000 fields", "X-Field: value of this field\n", "", 10000, false},
    {"10,000 subjects", "Subject: re: hello aaaaaaa!\n", "", 10000, false},
    {"10,000 empty ones", "A:\n", "", 10000, false},
    {"field of 1 MB", "needle in hay ", "\n", 75000, false},
    {"1 MB of To:", "To: <a@b.example>, c <d@e.example>, f@g.example\n", "", 20000, true},
    {"1 MB of one To:", " a@b.example,\n", "\n", 70000, false},
    {"1 MB of letters", "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "",
     16000, false},
    {"1 MB of words", "Subject: =?koi8-r?B?8NLJ18XU?= =?koi8-r?B?8NLJ18XU?=\n", "", 18000, true},
    {"small explosions", "Subject: aaaaaaaaaaaaaaaa!aaaaaaaaaaaaaaaa!aaaaaaaaaaaaaaaa!\n", "", 2000,
     false},
    {"brackets", "X-Nest: ((((((((((((((((((((((((((((((((()\n", "", 200, false},
    {"recursion", "X-Nest: ababababababababababababababababababababab\n", "", 200, false},
};

/* The units that the message takes; *STEPS_R: in how many steps of ours. */
static uint64_t match(const struct ruleset *ruleset, const char *text, uint64_t *steps_r,
                      bool *spent_r)
{
    struct header_list *headers = header_list_new();
    size_t size = strlen(text), body = message_parse(text, size, headers);
    struct ruleset_message message = {.headers = headers,
                                      .envelope_sender = "a@b.example",
                                      .body = text + body,
                                      .body_length = size - body};
    steps_begin(UINT64_MAX, "rules");
    struct ruleset_matches *matches = ruleset_match(ruleset, &message, NULL, 0);
    *steps_r = steps_taken();
    uint64_t work = ruleset_matches_work(matches);
    *spent_r = ruleset_matches_spent(matches);
    ruleset_matches_free(matches);
    header_list_free(headers);
    return work;
}

static struct ruleset *load(const char *text, bool keep_subrules)
{
    struct problems *problems = problems_new();
    struct ruleset_options options = {.timeless = true, .keep_subrules = keep_subrules};
    struct ruleset *ruleset = ruleset_load_text("rules.cf", text, strlen(text), &options, problems);
    g_autofree char *told = rules_problems(problems);
    g_assert_cmpstr(told, ==, "");
    problems_free(problems);
    return ruleset;
}

static void test_messages(void)
{
    struct ruleset *ruleset = load(rules, true);
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autoptr(GString) text = g_string_new(first_fields);
        uint64_t steps, again;
        bool spent;
        for (size_t n = 0; n < messages[i].count; n++)
            g_string_append(text, messages[i].piece);
        g_string_append_printf(text, "%s\nbody\n", messages[i].tail);
        uint64_t work = match(ruleset, text->str, &steps, &spent);
        g_test_message("%s: %zu bytes, %" G_GUINT64_FORMAT " units, %" G_GUINT64_FORMAT " steps",
                       messages[i].what, text->len, work, steps);
        g_assert_cmpint(spent, ==, messages[i].spent);
        g_assert_cmpuint(work, <=, WORK_MAX + 30 * WORK_MAX_RULE);
        g_assert_cmpuint(steps, <=, work * STEPS_A_UNIT + STEPS_TO_BEGIN);
        g_assert_cmpuint(match(ruleset, text->str, &again, &spent), ==, work);
    }
    ruleset_unref(ruleset);
}

/* Fields that charset and script rules name are looked at once, however many name them. */
static void test_named_fields(void)
{
    enum { RULES = 40 };
    g_autoptr(GString) text = g_string_new(first_fields), more = g_string_new(NULL);
    for (unsigned n = 0; n < 1500; n++)
        g_string_append(text,
                        "X: =?koi8-r?Q?=C1=C2?= and as many letters more\nSubject: \xd0\xb0\n");
    g_string_append(text, "\nbody\n");
    uint64_t work[2], steps[2];
    for (unsigned i = 0; i < 2; i++) {
        bool spent;
        for (unsigned n = 0; n < (i == 0 ? 1 : RULES); n++)
            g_string_append_printf(more,
                                   "script S%u in ALL,Subject,X%u Cyrillic >= %u%%\n"
                                   "charset C%u in Subject,ALL iso-8859-5\n",
                                   n, n, n, n);
        struct ruleset *ruleset = load(more->str, true);
        work[i] = match(ruleset, text->str, &steps[i], &spent);
        g_test_message("%u: %" G_GUINT64_FORMAT " units, %" G_GUINT64_FORMAT " steps", i, work[i],
                       steps[i]);
        g_assert_false(spent);
        ruleset_unref(ruleset);
    }
    g_assert_cmpuint(work[1], <=, work[0] + 2 * RULES * PATTERN_WORK_EACH);
    g_assert_cmpuint(steps[1], <=, steps[0] + steps[0] / 10);
}

/* Of many rules that wait for one meta, each is asked whether something hangs on it: not by going
 * through all that the meta leads to, each time. */
static void test_waiting(void)
{
    enum { FEW = 100, TIMES = 8 };
    uint64_t steps[2];
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(GString) text = g_string_new("meta __ANY rules_matching(__A*)\n");
        for (unsigned n = 0; n < (i == 0 ? FEW : FEW * TIMES); n++)
            g_string_append_printf(text,
                                   "header __A%u X =~ /[^z ]y/\nheader __B%u Y =~ /q%uq/\n"
                                   "meta M%u __B%u && __ANY\n",
                                   n, n, n, n, n);
        g_string_append(text, "meta LAST __ANY > 1\n");
        bool spent;
        struct ruleset *ruleset = load(text->str, false);
        match(ruleset, "X: zyzy\nY: y\n\n", &steps[i], &spent);
        g_test_message("%u: %" G_GUINT64_FORMAT " steps", i, steps[i]);
        ruleset_unref(ruleset);
    }
    g_assert_cmpuint(steps[1], <=, steps[0] * TIMES * 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/linear/messages", test_messages);
    g_test_add_func("/linear/named_fields", test_named_fields);
    g_test_add_func("/linear/waiting", test_waiting);
    return g_test_run();
}
