/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#define KOI8_SUBJECT "Subject: =?koi8-r?B?8NLJ18XU?=\n"

/* Rules, a message, the envelope's sender; what hits. */
static const struct {
    const char *rules, *message, *sender, *want;
} hits[] = {
    /* The rule that everything begins with. */
    {"header LOCAL_CHARSET_BLOCKED Subject:raw =~/\\=\\?(koi8-r|windows-1251)\\?/i\n"
     "score LOCAL_CHARSET_BLOCKED 5\n",
     KOI8_SUBJECT "\n", NULL, "5 LOCAL_CHARSET_BLOCKED"},
    {"header A Subject =~ /^\xd0\x9f\xd1\x80/\n", KOI8_SUBJECT "\n", NULL, "1 A"},
    {"header A Subject =~ /koi8/\n", KOI8_SUBJECT "\n", NULL, "0"},
    /* Absent: compared with nothing, or with if-unset. */
    {"header A X =~ /^$/\nheader B X !~ /x/\nheader C exists:X\nheader D X =~ /a/ [if-unset: a]\n",
     "Y: y\n\n", NULL, "3 A B D"},
    {"header A X =~ /^$/\nheader B X !~ /x/\nheader C exists:X\nheader D X =~ /a/ [if-unset: a]\n",
     "X: x\n\n", NULL, "1 C"},
    /* Several fields of one name, joined in order. */
    {"header A X =~ /^a\\nb\\n$/\nheader B X:first =~ /^a$/\nheader C X:last =~ /^b$/\n",
     "X: a\nY: y\nx:  b \n\n", NULL, "3 A B C"},
    {"header A X:raw =~ /^ a\\n\\tb\\n$/\n", "X: a\n\tb\n\n", NULL, "1 A"},
    {"header A X =~ /^a b$/m\n", "X: a\n\tb\n\n", NULL, "1 A"},
    /* Addresses and names. */
    {"header A From:addr =~ /^a\\@b\\.example$/\nheader B From:name =~ /^\xd0\x9f/\n"
     "header C From:name:raw =~ /koi8/\n",
     "From: =?koi8-r?B?8NLJ18XU?= <a@b.example>\n\n", NULL, "3 A B C"},
    {"header A ToCc =~ /a\\@b.*c\\@d/s\nheader B To:addr =~ /^a\\@b\\nx\\@y$/\n",
     "Cc: c@d\nTo: a@b, x@y\n\n", NULL, "2 A B"},
    {"header A ALL =~ /^X-Foo: bar$/m\nheader B ALL:raw =~ /^X-Foo:  bar\\n baz$/m\n"
     "header C ALL =~ /^X-Foo: bar baz$/m\n",
     "X-Foo:  bar\n baz\n\n", NULL, "2 B C"},
    {"header A MESSAGEID =~ /one/\nheader B MESSAGEID =~ /two.*one/s\n",
     "Message-Id: <one@x>\nX-Message-Id: <two@x>\n\n", NULL, "2 A B"},
    {"header A EnvelopeFrom =~ /^a\\@b$/\nheader B exists:EnvelopeFrom\n", "X: x\n\n", "a@b",
     "2 A B"},
    {"header A EnvelopeFrom =~ /^$/\nheader B exists:EnvelopeFrom\n", "X: x\n\n", "", "2 A B"},
    {"header A exists:EnvelopeFrom\n", "X: x\n\n", NULL, "0"},
    /* Scores. */
    {"header A X =~ /x/\nscore A 1 2 3 4\nheader T_B X =~ /x/\nheader C X =~ /x/\ntflags C nice\n",
     "X: x\n\n", NULL, "1.01 A C T_B"},
    {"header A X =~ /x/\nscore A 1.5\nscore A (0.25)\nscore A (-1)\n", "X: x\n\n", NULL, "0.75 A"},
    {"header A X =~ /x/\nscore A 0.1\nheader B X =~ /x/\nscore B 0.2\nheader C X =~ /x/\n"
     "score C 0.0004\n",
     "X: x\n\n", NULL, "0.3 A B C"},
    {"score NOBODY 7\ndescribe NOBODY text\n", "X: x\n\n", NULL, "0"},
    /* Metas, subrules, rules scored 0. */
    {"header __A X =~ /x/\nheader __B X =~ /y/\nmeta M __A && !__B\nmeta N __A + __B > 1\n",
     "X: x\n\n", NULL, "1 M"},
    {"meta M N\nmeta N __A\nheader __A X =~ /x/\nmeta Z NOBODY || !N\n", "X: x\n\n", NULL, "2 M N"},
    {"header A X =~ /x/\nscore A 0\nmeta M A\nmeta N !A\n", "X: x\n\n", NULL, "1 N"},
    {"header __A X =~ /x/\nscore __A 0\nmeta M __A\n", "X: x\n\n", NULL, "0"},
    {"header A1 X =~ /x/\nscore A1 0\nheader A2 X =~ /x/\nmeta M rules_matching(A*) == 1\n"
     "meta N A1 && 1 / A2 > 0\n",
     "X: x\n\n", NULL, "2 A2 M"},
    {"header __A X =~ /x/g\ntflags __A multiple\nmeta M __A == 3\nheader B X =~ /x/\n"
     "tflags B multiple maxhits=2\n",
     "X: xxx\n\n", NULL, "3 B=2 M"},
    {"header __A1 X =~ /x/\nheader __A2 X =~ /x/\nmeta M rules_matching(__A*) == 2\n", "X: x\n\n",
     NULL, "1 M"},
    {"header __A X =~ /x/\nmeta M __A ? 0 : 1\nmeta N __A && 2 / __A == 2\nmeta O ()\n"
     "meta P __A ^ 1\nmeta Q -__A\n",
     "X: x\n\n", NULL, "2 N Q"},
    /* Later definitions replace earlier ones. */
    {"header A X =~ /x/\nheader A X =~ /y/\n", "X: x\n\n", NULL, "0"},
    {"header A X =~ /x/\nbody A /x/\n", "X: x\n\n", NULL, "0"},
    {"header A exists:X\nheader A X =~ /x/\n", "X: y\n\n", NULL, "0"},
    /* Comments, conditions, languages. */
    {"header B X =~ m{a\\#b} # comment\n", "X: a#b\n\n", NULL, "1 B"},
    {"if (version >= 4.000000)\nheader A X =~ /x/\nelse\nheader B X =~ /x/\nendif\n"
     "ifplugin Mail::SpamAssassin::Plugin::DKIM\nheader C X =~ /x/\nelse\nheader D X =~ "
     "/x/\nendif\n"
     "if can(Mail::SpamAssassin::Conf::feature_bug6558_free) && !plugin(A::B)\nheader E X =~ /x/\n"
     "if 0\nfoo bar\nelse\nheader F X =~ /x/\nendif\nendif\nif 0\nif 1\nheader G X =~ /x/\nelse\n"
     "header H X =~ /x/\nendif\nendif\nlang de header I X =~ /x/\nlang en header J X =~ /x/\n",
     "X: x\n\n", NULL, "5 A D E F J"},
    /* Patterns. */
    {"header A X =~ m!a/b!i\nheader B X =~ m{\\QA/B\\E}i\nheader C X =~ m{^.{,4}$}\n"
     "header D X =~ /Z \\# the letter/x\nheader E X =~ qr(^a)ix\n",
     "X: a/b\n\n", NULL, "4 A B C E"},
    {"header A X =~ /^\\w+$/\nheader B X =~ /\xc9/i\nheader C X:raw =~ /\xe9/\n",
     "X: =?iso-8859-1?q?=E9?=\n\n", NULL, "0"},
    {"header A X =~ /\\xc3\\xa9/\nheader B X =~ /\\xe3\\xa9/i\n", "X: =?iso-8859-1?q?=E9?=\n\n",
     NULL, "2 A B"},
    {"header A X =~ /^(a+)+$/\nheader B X =~ /a/\n",
     "X: "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n\n",
     NULL, "1 B !A"},
    /* Address lists. */
    {"blacklist_from *@spam.example\n", "From: a@SPAM.example\n\n", NULL, "100 USER_IN_BLOCKLIST"},
    {"blocklist_from a@b.example c?@*.example *x*y\nunblacklist_from A@b.example\n",
     "From: <a@b.example>, <cd@e.f.example>\n\n", NULL, "100 USER_IN_BLOCKLIST"},
    {"blocklist_from a@b.example c?@*.example *x*y\nunblacklist_from A@b.example\n",
     "From: <a@b.example>\n\n", "", "0"},
    {"whitelist_from bob@b.example\nblocklist_from bob@*\nmeta M USER_IN_WHITELIST\n",
     "From: x@y\n\n", "Bob@B.example", "1 M USER_IN_BLOCKLIST USER_IN_WELCOMELIST"},
    {"blocklist_from a@b\n", "Resent-From: c@d\nFrom: a@b\n\n", NULL, "0"},
    {"blacklist_to a@b\nscore USER_IN_BLACKLIST_TO 3\n", "Cc: a@b\n\n", NULL,
     "3 USER_IN_BLOCKLIST_TO"},
    /* Charsets. */
    {"charset A cp1251 KOI8\ncharset B in From koi8-r\ncharset C raw8bit\n", KOI8_SUBJECT "\n",
     NULL, "1 A"},
    {"charset A windows-1251\n", "Content-Type: text/plain; charset*0=\"cp12\"; charset*1=51\n\n",
     NULL, "1 A"},
    {"charset A koi8-r\n",
     "Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain;\n "
     "charset=KOI8-R\n\ntext\n--b--\n",
     NULL, "1 A"},
    {"charset A koi8-r\n",
     "Content-Type: multipart/mixed; boundary=b\n\n--b--\n--b\nContent-Type: text/plain;\n "
     "charset=KOI8-R\n\ntext\n",
     NULL, "0"},
    {"charset A koi8-r\n",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
     "Subject: x\nContent-Type: text/plain; charset=koi8-r\n\ntext\n--b--\n",
     NULL, "1 A"},
    {"charset A raw8bit\ncharset B in Subject, To raw8bit\n", "X: \xf0\n\n", NULL, "1 A"},
    {"charset A koi8-r\n", "Subject: =?KOI8-R*ru?Q?broken\n\n", NULL, "1 A"},
    /* Scripts. */
    {"script A Cyrillic >= 50%\nscript B Latin >= 100 %\nscript C in To Cyrillic >= 1%\n",
     KOI8_SUBJECT "From: \xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd <ivan@x.example>\n\n", NULL, "1 A"},
    {"script A Cyrillic >= 50%\n",
     "Subject: A letter about nothing\nFrom: =?koi8-r?B?6dfBzg==?= <ivan@x.example>\n\n", NULL,
     "0"},
    {"script A Han Hiragana Katakana >= 30%\n", "Subject: =?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=\n\n",
     NULL, "1 A"},
    /* Raw text in the charset of the message. */
    {"script A Cyrillic >= 90%\nscript B in Subject Cyrillic >= 90%\n",
     "Subject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=koi8-r\n\n", NULL,
     "2 A B"},
    {"script A Cyrillic >= 0%\n", "Subject: 123\n\n", NULL, "0"},
};

static void test_hits(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(hits); i++) {
        struct problems *problems = problems_new();
        struct ruleset *ruleset = rules_load(hits[i].rules, problems);
        g_autofree char *told = rules_problems(problems);
        g_assert_cmpstr(told, ==, "");
        g_autofree char *got = rules_run(ruleset, hits[i].message, hits[i].sender, NULL);
        if (strcmp(got, hits[i].want) != 0)
            g_test_message("row %zu: %s", i, hits[i].rules);
        g_assert_cmpstr(got, ==, hits[i].want);
        ruleset_unref(ruleset);
        problems_free(problems);
    }
}

/* Rules; what is said of them. */
static const struct {
    const char *rules, *want;
} troubles[] = {
    {"heder A X =~ /x/\n", "1: error: there is no directive \"heder\"; \"header\"?\n"},
    {"\n# c\nheader A X =~ /(/\nheader B X =~ x\n",
     "3: error: rule A: missing closing parenthesis near \"\"\n"
     "4: error: rule B: a pattern is missing: /RE/FLAGS or m{RE}FLAGS\n"},
    {"header A X =~ /a#b/\n", "1: error: rule A: the pattern does not end with \"/\" and flags\n"},
    {"header A X:what =~ /x/\n", "1: error: rule A: \"X:what\" unknown modifier\n"},
    {"header A X =~ /a/b/\n", "1: error: rule A: \"/\" within the pattern needs a backslash\n"},
    {"header A X =~ /a/q\n", "1: error: rule A: there is no flag \"q\"\n"},
    {"header A-B X =~ /a/\n", "1: error: rule A-B: a name is made of at most 100 letters, digits "
                              "and \"_\", no digit first\n"},
    {"header A\n", "1: error: rule A: its definition is missing\n"},
    {"header A X =~ /(?{1})/\n",
     "1: warning: rule A is skipped: the pattern holds code, which needs Perl\n"},
    {"header A X =~ /${x}/\n",
     "1: warning: rule A is skipped: the pattern holds a variable, which needs Perl\n"},
    {"header A X =~ /<V>/\nreplace_rules A\n",
     "1: warning: rule A is skipped: the pattern holds replace tags, which need a plug-in\n"},
    {"header A X =~ /a/\nscore A x\nscore A 1 2\nscore A\n",
     "2: error: score A: a score is a number, or a number in parentheses to be added\n"
     "3: error: score takes the name of a rule and 1 or 4 numbers\n"
     "4: error: score takes the name of a rule and 1 or 4 numbers\n"},
    {"score A (1)\n", "1: warning: score A adds to a score that was not given before: ignored\n"},
    {"meta A B\nmeta B C\nmeta C A\nmeta D A\nmeta E E\n",
     "1: error: meta A depends on itself in a circle\n"
     "2: error: meta B depends on itself in a circle\n"
     "3: error: meta C depends on itself in a circle\n"
     "5: error: meta E depends on itself in a circle\n"},
    {"meta A (B\nmeta C D &&\nmeta E F G\nmeta H 1/I\nmeta J $K\n",
     "1: error: rule A: a parenthesis is not closed\n"
     "2: error: rule C: a name or number is missing at the end\n"
     "3: error: rule E: \"G\" is not understood\n"
     "4: error: rule H: the expression divides by zero when nothing hits\n"
     "5: error: rule J: a name or number is missing before \"$K\"\n"},
    {"if 1\nheader A X =~ /x/\n", "1: error: \"if\" without \"endif\"\n"},
    {"endif\nelse\nif foo\nendif\nif (\nendif\n",
     "1: error: \"endif\" without \"if\"\n2: error: \"else\" without \"if\"\n"
     "3: error: the condition cannot be read: \"foo\" is not known\n"
     "5: error: the condition cannot be read: a name or number is missing at the end\n"},
    {"lang de\nlang en\nlang\nlang de header X foo\nlang de score\nlang en # describe A x\n",
     "1: error: there is no directive \"lang\"\n2: error: there is no directive \"lang\"\n"
     "3: error: there is no directive \"lang\"\n6: error: there is no directive \"lang\"\n"},
    {"header A =~ /x/\nheader B exists:\nheader C :addr =~ /x/\nheader D  !~ /x/\n",
     "1: error: rule A: the name of a header is missing\n"
     "2: error: rule B: the name of a header is missing\n"
     "3: error: rule C: \":addr\" is not the name of a header\n"
     "4: error: rule D: the name of a header is missing\n"},
    {"charset A\ncharset B in\ncharset C in X\n",
     "1: error: rule A: its definition is missing\n"
     "2: error: rule B: \"in\" without the name of a header\n"
     "3: error: rule C: a charset rule needs the name of a charset\n"},
    {"charset A koi9-q\n", "1: warning: rule A: no charset called \"koi9-q\" is known\n"},
    {"script A Cyrillic\nscript B Cyrilic >= 1%\nscript C >= 1%\nscript D Latin >= 101%\n",
     "1: error: rule A: a script rule ends with a share: \">= 30%\"\n"
     "2: error: rule B: there is no script \"Cyrilic\"; \"Cyrillic\"?\n"
     "3: error: rule C: a script rule needs the name of a script\n"
     "4: error: rule D: a script rule ends with a share: \">= 30%\"\n"},
    {"required_score x\nblocklist_from\n",
     "1: error: required_score takes a number\n2: error: blocklist_from without an address\n"},
    {"dnsbl A b c\n", "1: error: rule A: one list is expected: ZONE[=FILTER][/PLACE,...]\n"},
    /* Recognised and skipped without a word. */
    {"body A /x/\nuri B /x/\nheader C eval:check_x()\nloadplugin X::Y\nbayes_path /x\n"
     "header D X-Spam-Relays-External =~ /x/\nheader E X:host =~ /x/\nadd_header all X Y\n",
     ""},
};

static void test_troubles(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(troubles); i++) {
        struct problems *problems = problems_new();
        struct ruleset *ruleset = rules_load(troubles[i].rules, problems);
        g_autofree char *told = rules_problems(problems);
        g_assert_cmpstr(told, ==, troubles[i].want);
        ruleset_unref(ruleset);
        problems_free(problems);
    }
}

/* A NUL is an error where it counts, and nothing in a comment. */
static void test_nuls(void)
{
    static const struct {
        const char *text;
        size_t length;
        bool wrong;
    } rows[] = {
        {"# a\0b\n", 6, false},
        {"score A 2 # a\0b\n", 16, false},
        {"  #\0\0# x\n", 9, false},
        {"header A S =~ /\\#x/ # \0\n", 24, false},
        {"header A S =~ /\\#\0/\n", 20, true},
        {"\0# a\n", 5, true},
        {"score\0A 2\n", 10, true},
        {"header A S =~ /a\0/ # x\n", 23, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct problems *problems = problems_new();
        ruleset_unref(ruleset_load_text("rules.cf", rows[i].text, rows[i].length, NULL, problems));
        g_autofree char *told = rules_problems(problems);
        g_test_message("%zu: %s", i, told);
        g_assert_cmpint(strstr(told, "NUL byte") != NULL, ==, rows[i].wrong);
        problems_free(problems);
    }
}

static void test_questions(void)
{
    struct problems *problems = problems_new();
    struct ruleset *ruleset = rules_load("required_score 4\nrequired_score 6.5\n"
                                         "header A X =~ /x/i # c\ndescribe A An x\nscore A 2\n"
                                         "body B /x/\nheader C eval:x()\n"
                                         "dnsbl D bl.example=127.0.0.[2;4]/client,from\n",
                                         problems);
    double required;
    g_assert_true(ruleset_required_score(ruleset, &required));
    g_assert_cmpfloat(required, ==, 6.5);
    g_assert_false(ruleset_is_empty(ruleset));
    g_assert_false(ruleset_needs_body(ruleset));
    g_assert_cmpuint(ruleset_rule_count(ruleset), ==, 2);
    const struct ruleset_rule *rule = ruleset_rule_find(ruleset, "A");
    g_assert_cmpstr(rule->description, ==, "An x");
    g_assert_cmpstr(rule->text, ==, "X =~ /x/i");
    g_assert_cmpfloat(rule->score, ==, 2);
    g_assert_cmpuint(rule->line, ==, 3);
    g_assert_cmpstr(rule->file, ==, "rules.cf");
    g_assert_null(ruleset_rule_find(ruleset, "B"));
    g_assert_cmpuint(ruleset_skipped_count(ruleset), ==, 2);
    g_assert_cmpstr(ruleset_skipped_get(ruleset, 0)->directive, ==, "body");
    g_assert_cmpuint(ruleset_skipped_get(ruleset, 1)->line, ==, 7);
    g_assert_cmpuint(ruleset_external_count(ruleset), ==, 1);
    const struct ruleset_external *external = ruleset_external_get(ruleset, 0);
    g_assert_cmpstr(external->zone, ==, "bl.example=127.0.0.[2;4]");
    g_assert_cmpstr(external->places, ==, "client,from");
    ruleset_unref(ruleset);
    problems_free(problems);
}

/* A profile may run what the files score 0, and leave out what they run. */
static void test_profiles(void)
{
    struct problems *problems = problems_new();
    struct ruleset *ruleset = rules_load("header A X =~ /x/\nscore A 0\nheader B X =~ /x/\n"
                                         "meta M A\nmeta N B\n",
                                         problems);
    const struct ruleset_override overrides[] = {
        {"A", 4, "f", 1}, {"B", 0, "f", 2}, {"NOBODY", 1, "f", 3}};
    struct ruleset_profile *profile = ruleset_profile_new(ruleset, overrides, 3, problems);
    g_autofree char *told = rules_problems(problems);
    g_assert_cmpstr(told, ==, "3: warning: no rule is called NOBODY\n");
    g_autofree char *plain = rules_run(ruleset, "X: x\n\n", NULL, NULL);
    g_assert_cmpstr(plain, ==, "2 B N");
    g_autofree char *own = rules_run(ruleset, "X: x\n\n", NULL, profile);
    g_assert_cmpstr(own, ==, "5 A M");
    ruleset_profile_free(profile);
    ruleset_unref(ruleset);
    problems_free(problems);
}

static bool even_hits(void *data, size_t index)
{
    ++*(int *)data;
    return index % 2 == 0;
}

static void test_externals(void)
{
    struct problems *problems = problems_new();
    struct ruleset *ruleset = rules_load(
        "dnsbl A a.example\ndnsbl B b.example\ndnsbl C c.example\nscore C 0\n", problems);
    struct header_list *headers = header_list_new();
    int asked = 0;
    struct ruleset_message message = {
        .headers = headers, .external = even_hits, .external_data = &asked};
    struct ruleset_matches *matches = ruleset_match(ruleset, &message, NULL, 0);
    struct ruleset_result result;
    ruleset_score(ruleset, matches, NULL, &result);
    g_assert_true(ruleset_external_wanted(ruleset, NULL, 0));
    g_assert_false(ruleset_external_wanted(ruleset, NULL, 2));
    g_assert_false(ruleset_external_wanted(ruleset, NULL, 3));
    g_assert_cmpuint(result.hit_count, ==, 1);
    g_assert_cmpstr(result.hits[0].name, ==, "A");
    g_assert_cmpstr(result.hits[0].text, ==, "a.example");
    g_assert_cmpint(asked, ==, 2);
    ruleset_result_clear(&result);
    ruleset_matches_free(matches);
    header_list_free(headers);
    ruleset_unref(ruleset);
    problems_free(problems);
}

static struct ruleset *load_list(int entries, struct problems *problems)
{
    g_autoptr(GString) rules = g_string_new(NULL);
    for (int i = 0; i < entries; i++)
        g_string_append_printf(rules, "blocklist_from %s%d@%s%d.example\n", i % 3 ? "" : "*", i,
                               i % 5 ? "h" : "*.h", i);
    return rules_load(rules->str, problems);
}

/* Of this thread's time, for a hundred messages that hit nothing: the least of some tries. */
static gint64 microseconds(struct ruleset *ruleset)
{
    gint64 least = G_MAXINT64;
    for (int i = 0; i < 5; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        for (int k = 0; k < 100; k++) {
            g_autofree char *no = rules_run(ruleset, "From: a@b.example\n\n", "c@d.example", NULL);
            g_assert_cmpstr(no, ==, "0");
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        least = MIN(least, (end.tv_sec - begin.tv_sec) * G_USEC_PER_SEC +
                               (end.tv_nsec - begin.tv_nsec) / 1000);
    }
    return least;
}

/* A list of 100,000 entries costs a message not much more than one of 100. */
static void test_large_lists(void)
{
    struct problems *problems = problems_new();
    struct ruleset *few = load_list(100, problems), *ruleset = load_list(100000, problems);
    gint64 of_few = microseconds(few), of_many = microseconds(ruleset);
    g_test_message("%d us, with a thousand times as many entries %d us", (int)of_few, (int)of_many);
    g_assert_cmpint(of_many, <, 20 * of_few);
    ruleset_unref(few);
    g_autofree char *yes = rules_run(ruleset, "From: x99999@h99999.example\n\n", NULL, NULL);
    g_assert_cmpstr(yes, ==, "100 USER_IN_BLOCKLIST");
    ruleset_unref(ruleset);
    problems_free(problems);
}

/* Folders in byte order, includes, what is missing; the paths are remembered. */
static void test_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("rules-XXXXXX", NULL);
    static const char *const names[] = {"b.cf", "a.cf", "inner", "x.txt"};
    static const char *const texts[] = {"score A 3\n",
                                        "header A X =~ /x/\nscore A 1\ninclude inner\n",
                                        "header B X =~ /x/\nscore B 10\n", "nonsense\n"};
    char *paths[4];
    for (int i = 0; i < 4; i++) {
        paths[i] = g_build_filename(folder, names[i], NULL);
        g_assert_true(g_file_set_contents(paths[i], texts[i], -1, NULL));
    }
    struct problems *problems = problems_new();
    const char *const load[] = {folder, "/nonexistent", NULL};
    struct ruleset_options options = {.missing_is_empty = true};
    struct ruleset *ruleset = ruleset_load(load, &options, problems);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    g_autofree char *got = rules_run(ruleset, "X: x\n\n", NULL, NULL);
    g_assert_cmpstr(got, ==, "13 A B");
    const char *const want[] = {folder, paths[1], paths[2], paths[0], "/nonexistent", NULL};
    for (int i = 0; i < 6; i++)
        g_assert_cmpstr(ruleset_file(ruleset, (size_t)i), ==, want[i]);
    ruleset_unref(ruleset);
    ruleset = ruleset_load(load, NULL, problems);
    g_assert_cmpuint(problems_errors(problems), ==, 1);
    ruleset_unref(ruleset);
    problems_free(problems);
    for (int i = 0; i < 4; i++) {
        g_remove(paths[i]);
        g_free(paths[i]);
    }
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ruleset/hits", test_hits);
    g_test_add_func("/ruleset/nuls", test_nuls);
    g_test_add_func("/ruleset/troubles", test_troubles);
    g_test_add_func("/ruleset/questions", test_questions);
    g_test_add_func("/ruleset/profiles", test_profiles);
    g_test_add_func("/ruleset/externals", test_externals);
    g_test_add_func("/ruleset/large-lists", test_large_lists);
    g_test_add_func("/ruleset/files", test_files);
    return g_test_run();
}
