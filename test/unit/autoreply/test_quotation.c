/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "autoreply/body.h"
#include "autoreply/evidence.h"
#include "autoreply/quotation.h"
#include "message_set.h"

static bool quotes(const char *header, const char *body, gssize size, GPtrArray *evidence)
{
    struct set_message *message = set_message_new();
    message_set_parse(message, header);
    struct autoreply_headers headers = set_message_headers(message);
    bool found = set_quotes(&headers, body, size < 0 ? strlen(body) : (size_t)size, evidence);
    set_message_free(message);
    return found;
}

/* Each row: a text, the kind and line of its first find; NULL: none. */
static const struct {
    const char *text, *kind;
    unsigned line;
} text_rows[] = {
    {"hello", NULL, 0},
    {"", NULL, 0},
    {"\n\n\n", NULL, 0},
    {"a\n> b", "quote-mark", 2},
    {"a\r\n> b\r\n", "quote-mark", 2},
    {"a\n>\n>\n", NULL, 0},
    {"a\n    > b", "quote-mark", 2},
    {">>> news <<<", NULL, 0},
    {"a > b\n1 > 0", NULL, 0},
    {"-> go\n=> there", NULL, 0},
    {"| a\n| b", "quote-mark", 1},
    {"| a\nb", NULL, 0},
    {"| a | b |\n| c | d |", NULL, 0},
    {"a\nOn Mon, 2 Nov 2026 9:12, x wrote:\nsecret", "attribution", 2},
    {"a\nOn Mon, 2 Nov 2026 9:12, x wrote:\n\n", NULL, 0},
    {"On Mon, 2 Nov 2026 at 9:12,\nA very long name of somebody\n<x@y.test> wrote:\nsecret",
     "attribution", 1},
    {"He wrote:\nbla", NULL, 0},
    {"You wrote:\nbla", "separator", 1},
    {"2026-11-02 9:12 GMT+01:00 Mail <x@y.test>:\nsecret", "attribution", 1},
    {"-----Original Message-----\nsecret", "separator", 1},
    {"-----Original Message-----\n\n", NULL, 0},
    {"----- Nothing special -----\nsecret", NULL, 0},
    {"--\nAlice", NULL, 0},
    {"____________\nFrom: a\nSubject: b\nTo: c\n", "header-block", 1},
    {"From: a@b.test\nDate: 1\n\nsecret", "header-block", 1},
    {"From: Monday\nTo: Friday\n", NULL, 0},
    {"Subject: to change\n", NULL, 0},
    {"Ticket: 47\nSubject: figures\nDate: 2.11.2026\nTo: support@x.test\n\nRegards", NULL, 0},
    {"\342\200\234quote\342\200\235", NULL, 0},
    {"\357\274\236 fullwidth", "quote-mark", 1},
};

static void test_text(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(text_rows); i++) {
        g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
        bool found = quotes("", text_rows[i].text, -1, evidence);
        if (found != (text_rows[i].kind != NULL))
            g_error("\"%s\": %d", text_rows[i].text, found);
        if (!found)
            continue;
        const struct autoreply_evidence *piece = evidence->pdata[0];
        g_assert_cmpstr(piece->kind, ==, text_rows[i].kind);
        g_assert_cmpuint(piece->line, ==, text_rows[i].line);
        g_assert_cmpstr(piece->part, ==, "1");
    }
}

static const struct {
    const char *html, *kind;
    unsigned line;
} html_rows[] = {
    {"<p>hello</p>", NULL, 0},
    {"<p>a</p>\n<blockquote>b</blockquote>", "blockquote", 2},
    {"<p>a</p><BLOCKQUOTE\n>b</blockQuote>", "blockquote", 1},
    {"<blockquote><br>&nbsp;</blockquote>x", NULL, 0},
    {"<div class='gmail_quote'>x</div>", "html-class", 1},
    {"<div title=\"a>b\" class=gmail_quote>x</div>", "html-class", 1},
    {"<p class=gmail_quote>x</p>", NULL, 0},
    {"<!-- <blockquote>x</blockquote> --><p>a", NULL, 0},
    {"<div style=\"white-space: pre-wrap\">a\n&gt; b\n</div>", "quote-mark", 2},
    {"<div style='White-Space:pre'><b>a</b>\n&gt; b\n</div>", "quote-mark", 2},
    {"<div style=\"white-space:pre-wrap\">a</div><p>1\n&gt; 0</p>", NULL, 0},
    {"<p style=\"white-space:pre-wrap\">a\n&gt; b\n</p>", "quote-mark", 2},
    {"<p style=\"white-space:pre-wrap\">a</p><p>1\n&gt; 0</p>", NULL, 0},
    {"<xmp>a\n> b</xmp>", "quote-mark", 2},
    {"</pre><pre>a\n&gt; b</pre>", "quote-mark", 2},
    {"<span><pre>a</span>\n&gt; b</pre>", "quote-mark", 2},
    {"<span><textarea>a</span>\n&gt; b</textarea>", "quote-mark", 2},
    {"<pre>a</xmp>\n&gt; b</pre>", "quote-mark", 2},
    {"<span><pre>a</pre></span><p>1\n&gt; 0</p>", NULL, 0},
    {"<pre>a</pre><xmp>a</xmp><div>1\n&gt; 0</div>", NULL, 0},
    {"<div style=white-space:pre><pre>a</div></pre><div>1\n&gt; 0</div>", NULL, 0},
    {"<details><summary>2.11.2026 9:12, x &lt;y@z.test&gt; wrote:</summary>secret</details>",
     "attribution", 1},
    {"<!-- <blockquote>x</blockquote> --!><p>a", NULL, 0},
    {"<!----><blockquote>x</blockquote>", "blockquote", 1},
    {"<!--> <blockquote>x</blockquote>", "blockquote", 1},
    {"<!---> <blockquote>x</blockquote> -->", "blockquote", 1},
    {"<!-- a --!> <blockquote>x</blockquote> -->", "blockquote", 1},
    {"<!-- a ----><blockquote>x</blockquote>", "blockquote", 1},
    {"<!-- a -- > b --> <blockquote>x</blockquote>", "blockquote", 1},
    {"<!-- a <blockquote>x</blockquote>", "blockquote", 1},
    {"<!doctype \"> <blockquote>x</blockquote> \">", "blockquote", 1},
    {"<?x \"> <blockquote>x</blockquote> \"?>", "blockquote", 1},
    {"</ \"> <blockquote>x</blockquote> \">", "blockquote", 1},
    {"<p \"><blockquote>x</blockquote> \">", "blockquote", 1},
    {"<p =\"><blockquote>x</blockquote> \">", "blockquote", 1},
    {"<p a=b\"><blockquote>x</blockquote> \">", "blockquote", 1},
    {"<p a/=\"><blockquote>x</blockquote> \">", "blockquote", 1},
    {"<p a = \"><blockquote>x</blockquote> \">b", NULL, 0},
    {"<![if !mso]><blockquote>x</blockquote><![endif]>", "blockquote", 1},
    {"<!--[if !mso]><!--><blockquote>x</blockquote><!--<![endif]-->", "blockquote", 1},
    {"<script>'<blockquote>x'</script><p>a", NULL, 0},
    {"<hr><div id=divRplyFwdMsg></div>x", "html-class", 1},
    {"<div id=divRplyFwdMsg></div>", NULL, 0},
    {"<div>&#62; x</div>", "quote-mark", 1},
    {"<div>&gt;x</div>", "quote-mark", 1},
    {"a<br>\n<br>\nOn 2.11.2026 9:12 x wrote:<br>secret", "attribution", 3},
    {"<excerpt>secret</excerpt>", "blockquote", 1},
    {"<div style=\"border:none; border-top:1pt solid rgb(225,225,225);\">x</div>", "html-border",
     1},
    {"<blockquote", NULL, 0},
    {"<", NULL, 0},
    {"&", NULL, 0},
    {"&#xffffffff;&#0;&#;&", NULL, 0},
    {"</div></p></blockquote>", NULL, 0},
};

static void test_html(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(html_rows); i++) {
        g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
        bool found = quotes("Content-Type: text/html", html_rows[i].html, -1, evidence);
        if (found != (html_rows[i].kind != NULL))
            g_error("\"%s\": %d", html_rows[i].html, found);
        if (!found)
            continue;
        const struct autoreply_evidence *piece = evidence->pdata[0];
        g_assert_cmpstr(piece->kind, ==, html_rows[i].kind);
        g_assert_cmpuint(piece->line, ==, html_rows[i].line);
    }
}

/* The field of a part may be read in more than one way: by RFC 2045, and by who is lenient. The
 * text is "> secret" in base64 where the row says so. */
static const struct {
    const char *header;
    bool base64, quotes;
} field_rows[] = {
    {"Content-Type: text", false, true},
    {"Content-Type:", false, true},
    {"Content-Type: ;", false, true},
    {"Content-Type: \"text/plain\"", false, true},
    {"Content-Type: \"text/plain\"; charset=utf-8", false, true},
    {"Content-Type: text; charset=us-ascii", false, true},
    {"Content-Type: text/", false, true},
    {"Content-Type: /plain", false, true},
    {"Content-Type: text plain", false, true},
    {"Content-Type: text / plain", false, true},
    {"Content-Type: (c) text/plain", false, true},
    {"Content-Type: text (c) / (c) plain (c); charset=utf-8", false, true},
    {"Content-Type: =?utf-8?q?text/plain?=", false, true},
    {"Content-Type: plain", false, true},
    {"Content-Type: (", false, true},
    {"Content-Type: \"", false, true},
    {"Content-Type: image/png", false, false},
    {"Content-Type: image/png\nContent-Type: text/plain", false, true},
    {"Content-Type: text/plain\nContent-Type: image/png", false, true},
    {"Content-Type: image/png\nContent-Type: image/gif", false, false},
    {"Content-Type: image/png\nContent-Type: text", false, true},
    {"Content-Transfer-Encoding: (c) base64", true, true},
    {"Content-Transfer-Encoding: \"base64\"", true, true},
    {"Content-Transfer-Encoding: base64;", true, true},
    {"Content-Transfer-Encoding: base64 (c)", true, true},
    {"Content-Transfer-Encoding: Base64; x=y", true, true},
    {"Content-Transfer-Encoding: 7bit, base64", true, true},
    {"Content-Transfer-Encoding: base64 7bit", false, true},
    {"Content-Transfer-Encoding: 7bit", true, false},
    {"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64", true, true},
    {"Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit", false, true},
    {"Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: base64", true, true},
    {"Content-Type: image/png\nContent-Type: \"text/plain\"\nContent-Transfer-Encoding: 8bit\n"
     "Content-Transfer-Encoding: (c) base64",
     true, true},
    {"Content-Type: text\nContent-Transfer-Encoding: \"base64\"", true, true},
};

static const char *secret_text(bool base64)
{
    return base64 ? "PiBzZWNyZXQK" : "> secret";
}

static void test_fields(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(field_rows); i++) {
        const char *text = secret_text(field_rows[i].base64);
        if (quotes(field_rows[i].header, text, -1, NULL) != field_rows[i].quotes)
            g_error("\"%s\": not %d", field_rows[i].header, field_rows[i].quotes);
        /* the same on a part within: fields that contradict each other count as a quotation there
         */
        bool twice = strchr(field_rows[i].header, '\n') || strstr(field_rows[i].header, "7bit, ");
        g_autofree char *part =
            g_strdup_printf("--b\n%s\n\n%s\n--b--\n", field_rows[i].header, text);
        if (quotes("Content-Type: multipart/mixed; boundary=b", part, -1, NULL) !=
            (field_rows[i].quotes || (twice && strstr(field_rows[i].header, "gif"))))
            g_error("part, \"%s\": not %d", field_rows[i].header, field_rows[i].quotes);
    }
    /* two structures of the same text */
    static const char both[] = "--b\n\na\n--b\nContent-Transfer-Encoding: base64\n\nPiBzZWNyZXQK\n";
    g_assert_true(quotes("Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b",
                         both, -1, NULL));
    g_assert_true(quotes("Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain",
                         both, -1, NULL));
    g_assert_true(quotes("Content-Type: multipart; boundary=b", both, -1, NULL));
    g_assert_true(quotes("Content-Type: multipart/mixed; boundary=c\n"
                         "Content-Type: multipart/mixed; boundary=b",
                         both, -1, NULL));
    /* more ways than are tried */
    g_autoptr(GString) many = g_string_new("X: x");
    for (int i = 0; i < 20; i++)
        g_string_append_printf(many, "\nContent-Type: image/x%d", i);
    g_assert_true(quotes(many->str, "a", -1, NULL));
}

/* What readers show though it is not labelled so, or not wholly: the text in several blocks of
 * base64, each with its own end; HTML that calls itself plain; the parts of either of two
 * boundaries; what stands behind the last part. What is sealed nobody can look into. */
static void test_shapes(void)
{
    static const char html[] = "\n <!doctype HTML><html><blockquote>secret</blockquote></html>";
    static const char part[] =
        "--b\n\nhello\n--b\nContent-Transfer-Encoding: base64\n\nPiBzZWNyZXQK\n"
        "--b--\n";
    static const char late[] = "--b\n\nhello\n--b--\n--b\nContent-Transfer-Encoding: base64\n\n"
                               "PiBzZWNyZXQK\n--b--\n";
    static const char html_above[] =
        "<html><body>I am away.</body></html>\n\n"
        "On Mon, Nov 2, 2026 at 9:12 Ann <a@b.test> wrote:\n> secret one\n> secret two";
    /* "Je suis absent.\n\nLe 2 nov. 2026 \xc3\xa0 9:12, Bob a \xc3\xa9crit :\nsecret.\n" */
    static const char scanned[] =
        "SmUgc3VpcyBhYnNlbnQuCgpMZSAyIG5vdi4gMjAyNiDDoCA5OjEyLCBCb2IgYSDDqWNyaXQgOgpzZWNyZXQuCg==\n"
        "_______________________________\n"
        "This message was scanned by the virus scanner of example.test\n";
    static const struct {
        const char *header, *body;
        bool quotes;
    } rows[] = {
        {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", scanned,
         true},
        {"Content-Transfer-Encoding: base64",
         "SGVsbG8uCg==\n--- see http://a.test/?id=Cj4gYWJj for the terms of use\n", false},
        {"Content-Transfer-Encoding: base64", "SGVsbG8uCg==\nPiBz\nZWNyZXQK\n", true},
        {"Content-Transfer-Encoding: base64", "SGVsbG8uCg==PiBzZWNyZXQK", true},
        {"Content-Transfer-Encoding: base64", "SGVsbG8uCg==\nPiBzZWNyZXQK", true},
        {"Content-Transfer-Encoding: base64", "SGVsbG8uCg=PiBzZWNyZXQK", true},
        {"Content-Transfer-Encoding: base64", "SGVsbG8uCg==\n--\nfooter", false},
        {"Content-Type: text/plain", html, true},
        {"X: y", html, true},
        {"Content-Type: text/plain", html_above, true},
        {"Content-Type: text/plain", "<html><body>I am away.</body></html>\n", false},
        {"Content-Type: text/plain", "hello <blockquote>\nx", false},
        {"Content-Type: multipart/mixed; boundary=a; boundary=b", part, true},
        {"Content-Type: multipart/mixed; boundary=b; boundary=a", part, true},
        {"Content-Type: multipart/mixed; boundary=\"a\\\"\"; boundary=b", part, true},
        {"Content-Type: multipart/mixed; boundary=b", late, true},
        {"Content-Type: multipart/mixed; boundary=b", "--b\n\nhello\n--b--\n--b--\n--\nx\n", false},
        {"Content-Type: application/pkcs7-mime; smime-type=signed-data", "x", true},
        {"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data", "x", true},
        {"Content-Type: application/pkcs7-mime; smime-type=certs-only", "x", false},
        {"Content-Type: multipart/encrypted; boundary=b",
         "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\n"
         "Content-Type: application/octet-stream\n\nx\n--b--\n",
         true},
        {"Content-Type: text/plain; charset=\" gb2312 \"",
         "-----\xd4\xad\xca\xbc\xd3\xca\xbc\xfe-----\nsecret\n", true},
        {"Content-Type: text/plain; charset=hz-gb-2312", "-----~{T-J<SJ<~~}-----\nsecret\n", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %zu: %s", i, rows[i].header);
        g_assert_cmpint(quotes(rows[i].header, rows[i].body, -1, NULL), ==, rows[i].quotes);
    }
}

static void test_parts(void)
{
    g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
    g_assert_true(quotes("Content-Type: multipart/mixed; boundary=o",
                         "--o\n\na\n--o\nContent-Type: multipart/alternative; boundary=i\n\n"
                         "--i\n\na\n--i\n\n> b\n--i--\n--o\nContent-Type: message/rfc822\n\n"
                         "Subject: x\n\n> not looked into\n--o--\n",
                         -1, evidence));
    g_assert_cmpuint(evidence->len, ==, 2);
    g_assert_cmpstr(((struct autoreply_evidence *)evidence->pdata[0])->part, ==, "2.2");
    g_assert_cmpstr(((struct autoreply_evidence *)evidence->pdata[1])->part, ==, "3");
    g_assert_cmpstr(((struct autoreply_evidence *)evidence->pdata[1])->kind, ==,
                    "attached-message");
}

static void test_nul(void)
{
    static const char body[] = "a\0b\n\0> c\n> d\0e";
    g_assert_true(quotes("", body, sizeof body - 1, NULL));
    g_assert_true(quotes("Content-Type: text/html", "\0<blockquote>x", 14, NULL));
    g_assert_true(quotes("Content-Type: text/plain; charset=utf-8", "a\0\n> x\0", 7, NULL));
    g_assert_true(quotes("Content-Type: text/plain; charset=utf-8", "\0\n> x", 6, NULL));
    g_assert_true(quotes("Content-Type: text/plain; charset=koi8-r", "\0\n> x", 6, NULL));
    g_assert_true(
        quotes("Content-Type: text/plain; charset=utf-16be", "\0\0\0\n\0>\0 \0x", 10, NULL));
    g_assert_false(quotes("Content-Type: text/plain; charset=utf-16", "\0\0\0", 3, NULL));
}

/* A text that breaks the rules of its charset is shown all the same, what stands in order of it as
 * it is meant. */
static void test_broken_charset(void)
{
    static const struct {
        const char *charset, *text;
    } rows[] = {
        {"gb2312", "\xff\n-----\xd4\xad\xca\xbc\xd3\xca\xbc\xfe-----\nsecret\n"},
        {"iso-2022-jp", "\xff\n-----\33$B%*%j%8%J%k%a%C%;!<%8\33(B-----\nsecret\n"},
        {"utf-7", "\xff\n+AD4- secret\n"},
        /* cut within a character, and Latin-1 that calls itself otherwise */
        {"utf-8", "02.11.2026, 9:12, Bob <x@y.test> \xd0\xbf\xd0\xb8\xd1\x88\xd0\xb5\xd1\x82:\n"
                  "secret \xd0\n"},
        {"us-ascii", "-----\xe5\x8e\x9f\xe5\xa7\x8b\xe9\x82\xae\xe4\xbb\xb6-----\nsecret \xe5\n"},
        {"utf-8", "Le 2 nov. 2026 9:12, Bob a \xe9"
                  "crit :\nsecret\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *header =
            g_strconcat("Content-Type: text/plain; charset=", rows[i].charset, NULL);
        g_test_message("%s", rows[i].charset);
        g_assert_true(quotes(header, rows[i].text, -1, NULL));
    }
}

/* Repeats UNIT COUNT times between BEFORE and AFTER. */
static GString *repeat(const char *before, const char *unit, unsigned count, const char *after)
{
    GString *out = g_string_new(before);
    for (unsigned i = 0; i < count; i++)
        g_string_append(out, unit);
    return g_string_append(out, after);
}

/* However many elements are open around it, <pre> keeps lines. */
static void test_deep_pre(void)
{
    static const char *const inner[] = {"<pre>a\n&gt; b\n</pre>",
                                        "<div style=white-space:pre>a\n&gt; b\n</div>"};
    for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
        GString *body = repeat("", "<b>", 400, inner[i]);
        g_assert_true(quotes("Content-Type: text/html", body->str, -1, NULL));
        g_string_free(body, TRUE);
    }
}

static GString *nested(unsigned depth)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < depth; i++)
        g_string_append_printf(out, "--b%u\nContent-Type: multipart/mixed; boundary=b%u\n\n", i,
                               i + 1);
    return g_string_append(out, "\nhello\n");
}

/* What is beyond the bounds of boundaries, fields and parameters is not seen as such: whatever it
 * hides, nobody can tell that it is no quotation. Within a text nothing can be hidden so. */
static void test_beyond_bounds(void)
{
    static const char mixed[] = "Content-Type: multipart/mixed; boundary=b";
    static const char type[] = "--b\nContent-Type: text/plain";
    static const char calendar[] = "--b\n\naway\n--b\nContent-Type: text/calendar\n\n";
    static const char text[] = "--b\n\n";
    static const char secret[] =
        "\n--b\nContent-Transfer-Encoding: base64\n\nPiBzZWNyZXQK\n--b--\n";
    static const char open[] = "\n--b\n\nhello\n--b--\n";
    static const struct {
        const char *header, *before, *unit, *after;
        unsigned count;
        bool quotes;
    } rows[] = {
        {mixed, "", "--x\n", secret, 1100, true},
        {mixed, "", "--x\n", open, 900, false},
        {mixed, "", "word: x\n", secret, 11000, true},
        {mixed, "", "word: x\n", open, 9000, false},
        {mixed, type, "; a=b", secret, 6000, true},
        {mixed, type, "; a=b", open, 900, false},
        {"X: y", "", "--x\nword: x\n", "", 11000, false},
        {mixed, calendar, "A:n\n", "\n--b--\n", 10100, false},
        {mixed, calendar, "--\nA:n\n\n", "\n--b--\n", 10100, false},
        {mixed, text, "-- x\n", "", 1100, false},
        {mixed, text, "---- x\n", secret, 1100, true}, /* the next part is beyond */
        {mixed, "--b\n--x\n", "word: x\n", "Content-Transfer-Encoding: base64\n\nPiBh\n", 10100,
         true},
        {mixed, "--b\nContent-Type: multipart/mixed; boundary=c\n\n", "--x\n",
         "--c\nContent-Transfer-Encoding: base64\n\nPiBzZWNyZXQK\n", 1100, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        GString *body = repeat(rows[i].before, rows[i].unit, rows[i].count, rows[i].after);
        g_test_message("%u of %s", rows[i].count, rows[i].unit);
        g_assert_cmpint(quotes(rows[i].header, body->str, -1, NULL), ==, rows[i].quotes);
        g_string_free(body, TRUE);
    }
}

/* The costliest inputs that are known, at the size that is kept of a body. */
static void test_hostile(void)
{
    enum { SIZE = AUTOREPLY_BODY_MAX };
    static const char html[] = "Content-Type: text/html";
    struct {
        const char *header;
        GString *body;
        bool want;
    } rows[] = {
        {"Content-Type: multipart/mixed; boundary=b0", nested(10000), true},
        {"Content-Type: message/rfc822", repeat("", "Content-Type: message/rfc822\n\n", 30000, ""),
         true},
        {"Content-Type: multipart/mixed; boundary=b", repeat("", "--b\n\nx\n", SIZE / 8, ""), true},
        {"Content-Type: message/rfc822", repeat("To: ", "a:", SIZE / 2 - 8, "\n\nx\n"), true},
        {"Content-Type: message/rfc822", repeat("cC\t:", "a:\n ", SIZE / 40, "\n\nx\n"), true},
        {"Content-Type: message/rfc822", repeat("Reply-To: ", "a:;", SIZE / 3 - 8, "\n\n"), true},
        {"Content-Type: message/rfc822", repeat("From: ", "a@b,", SIZE / 4 - 8, "\n\n"), true},
        {"", repeat("", "a", SIZE, ""), false},
        {"", repeat("", "\n", SIZE, ""), false},
        {"", repeat("", "> a\n\n", SIZE / 5, ""), true},
        {"", repeat("", "on 9:12 x@y wrote\n", SIZE / 18, ":\nx"), true},
        {"", repeat("", "from: \n \n", SIZE / 9, ""), false},
        {"", repeat("", "on 9:12 x@ywrote:\n", SIZE / 18, ""), false},
        {"", repeat("", ">", SIZE, "x"), false},
        {"", repeat("", "----------\n", SIZE / 11, ""), false},
        {"", repeat("", "| a\nb\n", SIZE / 6, ""), false},
        {"", repeat("", "\314\201", SIZE / 2, ""), false},
        {html, repeat("", "<b>", SIZE / 3, ""), false},
        {html, repeat("", "<div><i></div>", SIZE / 14, ""), false},
        {html, repeat("", "</b>", SIZE / 4, ""), false},
        {html, repeat("", "<a '", SIZE / 4, ""), false},
        {html, repeat("", "<", SIZE, ""), false},
        {html, repeat("", "<!--", SIZE / 4, ""), false},
        {html, repeat("", "<!-- >", SIZE / 6, ""), false},
        {"", repeat("", ">\n", SIZE / 2, ""), false},
        {"", repeat("", ">\n|\n", SIZE / 4, ""), false},
        {"", repeat("", "--a: b\n", SIZE / 7, ""), false},
        {html, repeat("", "<script>", SIZE / 8, ""), false},
        {html, repeat("", "&", SIZE, ""), false},
        {html, repeat("", "<blockquote>x</blockquote>", SIZE / 26, ""), true},
        {html, repeat("", "<blockquote>x", SIZE / 13, ""), true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        clock_t start = clock(); /* of this process: the machine may be busy */
        bool found = quotes(rows[i].header, rows[i].body->str, (gssize)rows[i].body->len, NULL);
        double spent = (double)(clock() - start) / CLOCKS_PER_SEC;
        g_test_message("row %zu: %.3f s", i, spent);
        if (found != rows[i].want)
            g_error("row %zu: %d", i, found);
        g_assert_cmpfloat(spent, <, 10);
        g_string_free(rows[i].body, TRUE);
    }
}

/* 100 MB in chunks: no more than the limit is kept, and what came is told. */
static void test_feed(void)
{
    g_autofree char *chunk = g_strnfill(65535, 'x');
    struct autoreply_body body;
    autoreply_body_init(&body, 0);
    bool more = true;
    for (size_t i = 0; i < 100 * 1000 * 1000; i += 65535)
        more = autoreply_body_feed(&body, chunk, 65535);
    g_assert_false(more);
    g_assert_true(body.truncated);
    g_assert_cmpuint(body.data->len, ==, AUTOREPLY_BODY_MAX);
    autoreply_body_clear(&body);
    autoreply_body_init(&body, 4);
    g_assert_true(autoreply_body_feed(&body, "abc", 3));
    g_assert_false(autoreply_body_feed(&body, "d", 1));
    g_assert_false(body.truncated);
    g_assert_false(autoreply_body_feed(&body, "", 0));
    g_assert_false(body.truncated);
    autoreply_body_clear(&body);
    autoreply_body_clear(&body);
}

static void test_first_text(void)
{
    struct set_message *message = set_message_new();
    message_set_parse(message, "Content-Type: text/html; charset=utf-8");
    struct autoreply_headers headers = set_message_headers(message);
    static const char body[] = "<p>out of&nbsp;office</p>";
    g_autofree char *text = set_first_text(&headers, body, sizeof body - 1);
    g_assert_cmpstr(text, ==, "out of office\n");
    g_autofree char *none = set_first_text(&headers, "", 0);
    g_assert_cmpstr(none, ==, "");
    set_message_free(message);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/quotation/text", test_text);
    g_test_add_func("/quotation/html", test_html);
    g_test_add_func("/quotation/fields", test_fields);
    g_test_add_func("/quotation/parts", test_parts);
    g_test_add_func("/quotation/shapes", test_shapes);
    g_test_add_func("/quotation/deep_pre", test_deep_pre);
    g_test_add_func("/quotation/nul", test_nul);
    g_test_add_func("/quotation/broken_charset", test_broken_charset);
    g_test_add_func("/quotation/feed", test_feed);
    g_test_add_func("/quotation/first_text", test_first_text);
    g_test_add_func("/quotation/beyond_bounds", test_beyond_bounds);
    g_test_add_func("/quotation/hostile", test_hostile);
    return g_test_run();
}
