/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "autoreply/bounce_memory.h"
#include "autoreply/strip.h"
#include "message_set.h"

/* A message and what is left of it; type and encoding: NULL if they stay. */
static const struct {
    const char *name, *header, *body;
    const char *want, *type, *encoding, *removed;
} rows[] = {
    {"nothing to do", "", "hello\n", NULL, NULL, NULL, NULL},
    {"marks", "", "hello\n> a\n> b\nyou\n", "hello\r\nyou\r\n", NULL, NULL, "2 quoted lines"},
    {"broken quoted line", "", "hello\n> a very long line\nthat was broken\n> b\nyou\n",
     "hello\r\nyou\r\n", NULL, NULL, "3 quoted lines"},
    {"signature kept", "", "away\n\nOn 1.2.2026 9:12, x wrote:\n> a\n\n-- \nAlice\n",
     "away\r\n\r\n\r\n-- \r\nAlice\r\n", NULL, NULL, "2 quoted lines"},
    {"top posting", "", "away\n-- \nAlice\n\n-----Original Message-----\nsecret\n",
     "away\r\n-- \r\nAlice\r\n", NULL, NULL, "2 quoted lines"},
    {"charset kept",
     "Content-Type: text/plain; charset=iso-8859-1\n"
     "Content-Transfer-Encoding: quoted-printable",
     "Gr=FC=DFe\n=3E geheim\n", "Gr=FC=DFe\r\n", NULL, NULL, "1 quoted line"},
    {"html", "Content-Type: text/html", "<p>away</p><blockquote>secret</blockquote><p>me</p>",
     "<p>away</p><p>me</p>", NULL, NULL, "1 quotation in HTML"},
    {"html that calls itself plain", "Content-Type: text/plain",
     "<html><p>away</p><blockquote>secret</blockquote></html>", "<html><p>away</p></html>", NULL,
     NULL, "1 quotation in HTML"},
    {"plain below html", "Content-Type: text/plain",
     "<html><p>away</p><blockquote>secret</blockquote></html>\n\nOn 1.2.2026 9:12, x wrote:\n> a\n",
     "<html><p>away</p></html>\r\n", NULL, NULL, "2 quoted lines; 1 quotation in HTML"},
    {"sealed by PGP", "Content-Type: multipart/mixed; boundary=b",
     "--b\n\naway\n--b\nContent-Type: multipart/encrypted; boundary=c\n\n--c\n"
     "Content-Type: application/pgp-encrypted\n\nVersion: 1\n--c\n"
     "Content-Type: application/octet-stream\n\nciphertext\n--c--\n--b--\n",
     "--b\r\n\r\naway\r\n--b--\r\n", NULL, NULL, "1 other part"},
    {"sealed", "Content-Type: multipart/mixed; boundary=b",
     "--b\n\naway\n--b\nContent-Type: application/pkcs7-mime\n\nx\n--b--\n",
     "--b\r\n\r\naway\r\n--b--\r\n", NULL, NULL, "1 other part"},
    {"html to the end", "Content-Type: text/html",
     "<html><body><div><b>away<hr><div id=divRplyFwdMsg>From</div>secret</b></div></body></html>",
     "<html><body><div><b>away</b></div></body></html>", NULL, NULL, "1 quotation in HTML"},
    {"attached message alone", "Content-Type: message/rfc822", "Subject: x\n\nsecret\n", "",
     "text/plain; charset=us-ascii", "8bit", "1 attached message"},
    {"attached beside text", "Content-Type: multipart/mixed; boundary=b",
     "--b\n\naway\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nsecret\n--b--\n",
     "--b\r\n\r\naway\r\n--b--\r\n", NULL, NULL, "1 attached message"},
    {"signed", "Content-Type: multipart/signed; boundary=s; protocol=\"x/y\"; micalg=sha1",
     "--s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
     "away\n> x\n--s\nContent-Type: application/pgp-signature\n\nabc\n--s--\n",
     "away\r\n", "text/plain; charset=utf-8", "8bit", "1 quoted line"},
    {"signed and clean", "Content-Type: multipart/signed; boundary=s; protocol=\"x/y\"",
     "--s\n\naway\n--s\nContent-Type: application/pgp-signature\n\nabc\n--s--\n", NULL, NULL, NULL,
     NULL},
    {"report without its report",
     "Content-Type: multipart/report; report-type=delivery-status; boundary=\"r\"",
     "--r\n\naway\n--r\nContent-Type: message/delivery-status\n\nAction: failed\n--r--\n",
     "--r\r\n\r\naway\r\n--r--\r\n", "multipart/mixed; boundary=r", NULL, "1 attached message"},
    {"type that is none", "Content-Type: \"text/plain\"", "a\n> b\n", "a\r\n", NULL, NULL,
     "1 quoted line"},
    {"lenient encoding", "Content-Transfer-Encoding: (c) base64", "YQo+IGIK\n", "YQ0K\r\n", NULL,
     NULL, "1 quoted line"},
    {"two types", "Content-Type: image/png\nContent-Type: text/plain; charset=utf-8", "a\n> b\n",
     "a\r\n", "text/plain; charset=utf-8", "", "1 quoted line"},
    {"two encodings", "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: base64",
     "YQo+IGIK\n", "YQ0K\r\n", "text/plain", "base64", "1 quoted line"},
    {"two structures", "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b",
     "> x\n--b\nContent-Transfer-Encoding: base64\n\nPiBzZWNyZXQK\n--b--\n", "",
     "text/plain; charset=utf-8", "8bit", "the whole text"},
    {"fields of a part that contradict each other", "Content-Type: multipart/mixed; boundary=b",
     "--b\n\naway\n--b\nContent-Type: image/png\nContent-Type: text/plain\n\n> x\n--b--\n",
     "--b\r\n\r\naway\r\n--b--\r\n", NULL, NULL, "1 other part"},
    {"nothing own", "", "> a\n> b\n", "", NULL, NULL, "2 quoted lines"},
    {"every part goes", "Content-Type: multipart/mixed; boundary=b",
     "--b\nContent-Type: message/rfc822\n\nSubject: x\n\nsecret\n--b--\n", "",
     "text/plain; charset=us-ascii", "8bit", "1 attached message"},
};

static void strip(const char *header, const char *text, size_t limit, struct bounce_memory *memory,
                  struct autoreply_stripped *stripped_r)
{
    struct set_message *message = set_message_new();
    message_set_parse(message, header);
    struct autoreply_headers headers = set_message_headers(message);
    struct autoreply_body body;
    autoreply_body_init(&body, limit);
    autoreply_body_feed(&body, text, strlen(text));
    set_strip(&headers, &body, memory, 0, stripped_r);
    autoreply_body_clear(&body);
    set_message_free(message);
}

static void test_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct autoreply_stripped stripped;
        strip(rows[i].header, rows[i].body, 0, NULL, &stripped);
        g_test_message("%s", rows[i].name);
        g_assert_cmpint(stripped.changed, ==, rows[i].removed != NULL);
        g_assert_cmpstr(stripped.removed, ==, rows[i].removed);
        g_assert_cmpstr(stripped.body ? stripped.body->str : NULL, ==, rows[i].want);
        g_assert_cmpstr(stripped.content_type, ==, rows[i].type);
        g_assert_cmpstr(stripped.encoding, ==, rows[i].encoding);
        autoreply_stripped_clear(&stripped);
    }
}

static void test_truncated(void)
{
    struct autoreply_stripped stripped;
    strip("", "away\nmore that is beyond", 10, NULL, &stripped);
    g_assert_cmpstr(stripped.body->str, ==, "away\r\nmore ");
    g_assert_cmpstr(stripped.removed, ==, "all beyond the first part");
    autoreply_stripped_clear(&stripped);
    strip(
        "Content-Type: multipart/mixed; boundary=b",
        "--b\n\naway\n--b\nContent-Type: image/gif\nContent-Transfer-Encoding: base64\n\nabcdabcd",
        78, NULL, &stripped);
    g_assert_nonnull(strstr(stripped.body->str, "away"));
    g_assert_null(strstr(stripped.body->str, "abcd"));
    autoreply_stripped_clear(&stripped);
}

static void test_remembered(void)
{
    struct bounce_memory *memory = bounce_memory_new("key", 3, 0);
    struct set_message *message = set_message_new();
    message_set_parse(message, "From: MAILER-DAEMON@x.test");
    struct autoreply_headers headers = set_message_headers(message);
    static const char bounce[] = "The turnover of the third quarter is a secret\n4.71 million\n"
                                 "The bank has been told nothing of it so far\n";
    bounce_memory_add(memory, &headers, bounce, sizeof bounce - 1, 0);
    struct autoreply_stripped stripped;
    g_autofree char *reply = g_strconcat("I am away.\n", bounce, "Alice\n", NULL);
    strip("", reply, 0, memory, &stripped);
    g_assert_cmpstr(stripped.body->str, ==, "I am away.\r\nAlice\r\n");
    g_assert_cmpstr(stripped.removed, ==, "3 lines of a bounce");
    autoreply_stripped_clear(&stripped);
    strip("Content-Type: text/html",
          "<p>I am away.</p><p>The turnover of the third quarter is a secret</p>"
          "<p>4.71 million</p><p>The bank has been told nothing of it so far</p><p>Alice</p>",
          0, memory, &stripped);
    g_assert_null(strstr(stripped.body->str, "4.71"));
    g_assert_nonnull(strstr(stripped.body->str, "Alice"));
    autoreply_stripped_clear(&stripped);
    set_message_free(message);
    bounce_memory_free(memory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/strip/rows", test_rows);
    g_test_add_func("/strip/truncated", test_truncated);
    g_test_add_func("/strip/remembered", test_remembered);
    return g_test_run();
}
