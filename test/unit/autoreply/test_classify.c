/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "autoreply/classify.h"
#include "autoreply/evidence.h"
#include "autoreply/judge.h"
#include "message_set.h"

static void test_grammar(void)
{
    static const struct {
        const char *value;
        enum auto_submitted want;
    } rows[] = {
        {"auto-replied", AUTO_SUBMITTED_REPLIED},
        {" Auto-Replied ", AUTO_SUBMITTED_REPLIED},
        {"auto-replied; owner-email=\"a@b.test\"", AUTO_SUBMITTED_REPLIED},
        {"auto-replied;x=y", AUTO_SUBMITTED_REPLIED},
        {"auto-replied(vacation)", AUTO_SUBMITTED_REPLIED},
        {"auto-replied (vacation) ; a=b", AUTO_SUBMITTED_REPLIED},
        {"(a (nested) comment \\) here) auto-replied", AUTO_SUBMITTED_REPLIED},
        {"\r\n\tauto-replied", AUTO_SUBMITTED_REPLIED},
        {"no", AUTO_SUBMITTED_NO},
        {"NO (I am a person)", AUTO_SUBMITTED_NO},
        {"(auto-replied) no", AUTO_SUBMITTED_NO},
        {"auto-generated", AUTO_SUBMITTED_GENERATED},
        {"auto-generated (failure)", AUTO_SUBMITTED_GENERATED},
        {"auto-notified; owner-email=x", AUTO_SUBMITTED_GENERATED},
        {"auto-replied-not", AUTO_SUBMITTED_GENERATED},
        {"x-something", AUTO_SUBMITTED_GENERATED},
        {"", AUTO_SUBMITTED_NONE},
        {"   ", AUTO_SUBMITTED_NONE},
        {"(auto-replied", AUTO_SUBMITTED_NONE},
        {"((((((((((((((((((((((((((((((((((((((((((auto-replied", AUTO_SUBMITTED_NONE},
        {"; auto-replied", AUTO_SUBMITTED_NONE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (auto_submitted_parse(rows[i].value) != rows[i].want)
            g_error("\"%s\": %d", rows[i].value, auto_submitted_parse(rows[i].value));
}

static const struct {
    const char *header;
    const char *sender;
    enum autoreply_class want;
} class_rows[] = {
    {"From: a@b\nSubject: hello", "a@b.test", AUTOREPLY_NO},
    {"", "a@b.test", AUTOREPLY_NO},
    {"", NULL, AUTOREPLY_NO},
    {"", "", AUTOREPLY_MAYBE},
    {"", "<>", AUTOREPLY_MAYBE},
    {"Auto-Submitted: auto-replied", NULL, AUTOREPLY_YES},
    {"auto-submitted: AUTO-REPLIED", "a@b.test", AUTOREPLY_YES},
    {"Auto-Submitted: no\nAuto-Submitted: auto-replied", "a@b.test", AUTOREPLY_YES},
    {"Auto-Submitted: no\nX-Autoreply: yes", "a@b.test", AUTOREPLY_NO},
    {"Auto-Submitted: auto-generated", "", AUTOREPLY_NO},
    {"X-Autoreply: yes", "a@b.test", AUTOREPLY_YES},
    {"X-Autoreply: no", "a@b.test", AUTOREPLY_NO},
    {"X-Autoreply:", "a@b.test", AUTOREPLY_NO},
    {"X-Autorespond: Re: hello", "a@b.test", AUTOREPLY_YES},
    {"Precedence: auto_reply", "a@b.test", AUTOREPLY_YES},
    {"Precedence: bulk", "a@b.test", AUTOREPLY_NO},
    {"X-Auto-Response-Suppress: All", "a@b.test", AUTOREPLY_NO},
    {"X-Auto-Response-Suppress: All\nSubject: Automatic reply: x", "a@b.test", AUTOREPLY_YES},
    {"X-Auto-Response-Suppress: All\nSubject: =?utf-8?q?R=C3=A9ponse_automatique=C2=A0:_x?=",
     "a@b.test", AUTOREPLY_YES},
    {"X-Auto-Response-Suppress: All\nSubject: Re: Automatic reply: x", "a@b.test", AUTOREPLY_NO},
    {"Subject: Automatic reply: x", "a@b.test", AUTOREPLY_NO},
    {"Subject: Automatic reply: x\nIn-Reply-To: <1@x>", "a@b.test", AUTOREPLY_NO},
    {"Subject: Automatic reply: x\nIn-Reply-To: <1@x>", "", AUTOREPLY_YES},
    {"Subject: Auto: x\nIn-Reply-To: <1@x>\nX-Sieve: CMU Sieve 2.2", "a@b.test", AUTOREPLY_MAYBE},
    {"Subject: out of office\nIn-Reply-To: <1@x>\nX-Sieve: CMU Sieve 2.2", "a@b.test",
     AUTOREPLY_NO},
    {"Subject: Automatic reply: x\nAuto-Submitted: auto-generated\nIn-Reply-To: <1@x>", "a@b.test",
     AUTOREPLY_YES},
    {"Subject: Absence: x\nAuto-Submitted: auto-generated\nIn-Reply-To: <1@x>", "a@b.test",
     AUTOREPLY_NO},
    /* Exchange, in a language that nobody taught the guard */
    {"Subject: Qqq: x\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n"
     "In-Reply-To: <1@x>\nX-MS-Exchange-Inbox-Rules-Loop: a@b.test",
     "a@b.test", AUTOREPLY_YES},
    {"Subject: Qqq: x\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n"
     "In-Reply-To: <1@x>\nX-MS-Has-Attach:",
     "a@b.test", AUTOREPLY_YES},
    {"Subject: Qqq: x\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n"
     "References: <1@x>",
     "", AUTOREPLY_YES},
    {"Subject: Qqq: x\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n"
     "References: <1@x>",
     "a@b.test", AUTOREPLY_MAYBE},
    /* Domino */
    {"Subject: AUTO: A B is out of the office (returning 16.11.2026)\nX-MIMETrack: x", "a@b.test",
     AUTOREPLY_YES},
    {"Subject: AUTO: A B ist au\303\237er Haus (R\303\274ckkehr 16.11.2026)\nX-MIMETrack: x",
     "a@b.test", AUTOREPLY_YES},
    {"Subject: AUTO: A B is out of the office (returning 16.11.2026)", "a@b.test", AUTOREPLY_NO},
    {"Subject: AUTO: Kaufvertrag (2026)\nX-MIMETrack: x", "a@b.test", AUTOREPLY_NO},
    /* a list's fields, copied and not */
    {"From: a@b.test\nSubject: AUTO: A B is out of the office\nX-MIMETrack: x\nList-Id: <x.y>",
     "a@b.test", AUTOREPLY_YES},
    {"From: a@b.test\nSubject: AUTO: A B is out of the office\nX-MIMETrack: x\nList-Id: <x.y>",
     "x-bounces@y.test", AUTOREPLY_NO},
    {"From: A <A@B.test>\nAuto-Submitted: auto-replied\nPrecedence: list\nList-Post: x",
     "<a@b.test>", AUTOREPLY_YES},
    {"From: A <a@b.test>\nX-Autoreply: yes\nList-Unsubscribe: x", "<a@b.test>", AUTOREPLY_YES},
    {"Auto-Submitted: auto-replied\nList-Id: <x.y>", "<>", AUTOREPLY_YES},
    {"From: a@b.test\nSubject: Urlaub\nPrecedence: bulk\nList-Unsubscribe: x", "a@b.test",
     AUTOREPLY_NO},
    /* resent by a person, and by none */
    {"Auto-Submitted: auto-replied\nResent-From: a@b.test", "a@b.test", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nResent-From: a@b.test", "<>", AUTOREPLY_YES},
    {"Auto-Submitted: auto-replied\nResent-From:", "a@b.test", AUTOREPLY_YES},
    /* a report by one reading alone is none */
    {"Auto-Submitted: auto-replied\nContent-Type: multipart/report\nContent-Type: text/plain", "<>",
     AUTOREPLY_YES},
    {"Auto-Submitted: auto-replied\nContent-Type: text/plain\nContent-Type: multipart/report", "<>",
     AUTOREPLY_YES},
    {"Subject: AW: Automatische Antwort: x\nIn-Reply-To: <1@x>", "a@b.test", AUTOREPLY_NO},
    {"Subject: out of office\nIn-Reply-To: <1@x>", "a@b.test", AUTOREPLY_NO},
    {"Subject: I am out of office\nPrecedence: bulk", "a@b.test", AUTOREPLY_YES},
    {"In-Reply-To: <1@x>", "a@b.test", AUTOREPLY_NO},
    {"In-Reply-To: <1@x>", "<>", AUTOREPLY_YES},
    {"References: <1@x>", "", AUTOREPLY_YES},
    {"Auto-Submitted: auto-generated\nIn-Reply-To: <1@x>", "a@b.test", AUTOREPLY_NO},
    {"Auto-Submitted: auto-generated\nIn-Reply-To: <1@x>", "<>", AUTOREPLY_NO},
    {"Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: OOF\nSubject: Automatic reply: x",
     "<>", AUTOREPLY_YES},
    {"Auto-Submitted: auto-replied\nContent-Type: multipart/report; "
     "report-type=delivery-status",
     "<>", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nContent-Type: multipart/report;\n\tboundary=\"x\";\n"
     "\treport-type=disposition-notification",
     "<>", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nX-Failed-Recipients: a@b", "<>", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nFrom: MAILER-DAEMON@b.test", "<>", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nFrom: MAILER-DAEMON@b.test", "a@b.test", AUTOREPLY_YES},
    {"Auto-Submitted: auto-replied\nFrom: postmaster@b.test", "<>", AUTOREPLY_YES},
    {"From: postmaster@b.test\nIn-Reply-To: <1@x>", "<>", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nList-Id: <x.y>", "a@b.test", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nPrecedence: list", "a@b.test", AUTOREPLY_NO},
    {"Auto-Submitted: auto-replied\nList-Unsubscribe: <x>", "a@b.test", AUTOREPLY_YES},
    {"X-Autoreply: yes\nList-Unsubscribe: <x>", "a@b.test", AUTOREPLY_NO},
    {"Subject: Read: figures\nIn-Reply-To: <1@x>", "<>", AUTOREPLY_NO},
    {"X-Mailer: vacation 1.2", "a@b.test", AUTOREPLY_YES},
    {"Delivered-To: Autoresponder", "a@b.test", AUTOREPLY_YES},
    {"X-Autogenerated: Mirror", "a@b.test", AUTOREPLY_NO},
    {"X-Autogenerated: Reply", "a@b.test", AUTOREPLY_YES},
};

static void test_classes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(class_rows); i++) {
        struct set_message *message = set_message_new();
        message_set_parse(message, class_rows[i].header);
        struct autoreply_headers headers = set_message_headers(message);
        g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
        int want = class_rows[i].want;
        int got = autoreply_classify(&headers, class_rows[i].sender, evidence);
        if (got != want)
            g_error("row %zu \"%s\": %d", i, class_rows[i].header, got);
        g_assert_true(got == AUTOREPLY_NO || evidence->len > 0);
        set_message_free(message);
    }
}

static void test_body(void)
{
    static const struct {
        const char *text;
        enum autoreply_class want;
    } rows[] = {
        {"I am out of the office.", AUTOREPLY_YES},
        {"Ich bin bis zum 16. NICHT IM B\303\234RO.", AUTOREPLY_YES},
        {"Hi. This is the qmail-send program at x. out of office", AUTOREPLY_NO},
        {"\n\nThis message was created automatically by mail delivery software.", AUTOREPLY_NO},
        {"The disk is full.", AUTOREPLY_NO},
        {"He is absentminded.", AUTOREPLY_NO},
        {"He is absentminded, and absent today.", AUTOREPLY_YES},
        {"Je serai absent.", AUTOREPLY_YES},
        {"Esmu atva\304\274in\304\201jum\304\201 l\304\253dz 16. novembrim.", AUTOREPLY_YES},
        {"", AUTOREPLY_NO},
        {"\xff\xfe", AUTOREPLY_NO},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(autoreply_classify_body(rows[i].text, NULL), ==, rows[i].want);
    /* what stands far below is not looked for */
    g_autofree char *far = g_strnfill(100000, 'x');
    g_autofree char *text = g_strconcat(far, " out of office", NULL);
    g_assert_cmpint(autoreply_classify_body(text, NULL), ==, AUTOREPLY_NO);
}

static void test_bounce(void)
{
    static const struct {
        const char *header;
        const char *sender;
        bool want;
    } rows[] = {
        {"Content-Type: multipart/report; report-type=delivery-status", "", true},
        {"Content-Type: multipart/report; report-type=disposition-notification", "", false},
        {"Content-Type: multipart/report; report-type=feedback-report", "a@b.test", false},
        {"From: MAILER-DAEMON@x", "<>", true},
        {"From: MAILER-DAEMON@x", "a@b.test", false},
        {"From: alice@x\nIn-Reply-To: <1@x>", "<>", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct set_message *message = set_message_new();
        message_set_parse(message, rows[i].header);
        struct autoreply_headers headers = set_message_headers(message);
        g_assert_cmpint(autoreply_is_bounce(&headers, rows[i].sender), ==, rows[i].want);
        set_message_free(message);
    }
}

static void test_evidence(void)
{
    g_autoptr(GPtrArray) list = autoreply_evidence_new();
    struct autoreply_evidence *piece =
        autoreply_evidence_add(list, AUTOREPLY_QUOTES, "repeated-lines", "x\ny\x1b", "1.2", 7);
    piece->share = 0.5;
    g_autofree char *line = autoreply_evidence_format(piece);
    g_assert_cmpstr(line, ==,
                    "quotes: repeated-lines in part 1.2 at line 7 (50% of the text): x\\ny\\x1b");
    g_autofree char *huge = g_strnfill(100000, 'y');
    for (int i = 0; i < 1000; i++)
        autoreply_evidence_add(list, AUTOREPLY_QUOTES, "quote-mark", huge, NULL, 1);
    g_assert_cmpuint(list->len, ==, AUTOREPLY_EVIDENCE_MAX);
    g_assert_cmpuint(strlen(((struct autoreply_evidence *)list->pdata[1])->mark), ==,
                     AUTOREPLY_MARK_MAX);
    g_assert_null(autoreply_evidence_add(NULL, AUTOREPLY_QUOTES, "x", NULL, NULL, 0));
}

static void test_needs_body(void)
{
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "t", 0);
    static const struct {
        const char *header, *recipient;
        bool want;
    } rows[] = {
        {"Auto-Submitted: auto-replied", "<postmaster@x.test>", true},
        {"Auto-Submitted: auto-replied", "<bob@x.test>", false},
        {"Auto-Submitted: auto-replied\nTo: MAILER-DAEMON", "<bob@x.test>", true},
        {"Subject: hello\nTo: postmaster@x.test", "<postmaster@x.test>", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct set_message *set = set_message_new();
        message_set_parse(set, rows[i].header);
        const char *recipients[] = {rows[i].recipient};
        struct autoreply_message message = {
            set_message_headers(set), "a@b.test", recipients, NULL, 1, senders, NULL, 0};
        g_assert_cmpint(autoreply_needs_body(&message), ==, rows[i].want);
        set_message_free(set);
    }
    bounce_senders_free(senders);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/autoreply/grammar", test_grammar);
    g_test_add_func("/autoreply/classes", test_classes);
    g_test_add_func("/autoreply/body", test_body);
    g_test_add_func("/autoreply/bounce", test_bounce);
    g_test_add_func("/autoreply/evidence", test_evidence);
    g_test_add_func("/autoreply/needs_body", test_needs_body);
    return g_test_run();
}
