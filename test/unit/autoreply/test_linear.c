/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every scanner of bodies and of automatic replies' headers takes steps in proportion to what it
 * reads: when its input doubles they double, and do not quadruple. The inputs are what has been
 * found worst, and thousands that are made of pieces which the scanners know.
 */
#include <string.h>

#include "autoreply/body.h"
#include "autoreply/bounce_memory.h"
#include "autoreply/bounce_senders.h"
#include "autoreply/classify.h"
#include "autoreply/quotation.h"
#include "autoreply/strip.h"
#include "html_scan.h"
#include "message_set.h"
#include "phrases.h"
#include "steps.h"
#include "strip_text.h"
#include "text_scan.h"
#include "text_units.h"

/* Above the bounds on what is looked at of one line, tag or address. */
enum { SIZE = 48000, HEADER_SIZE = 15000 };

/* What ordinary text needs for one byte, half of it added: compilers differ. */
enum { BOUNCE_STEPS_MAX = 40, REPLY_STEPS_MAX = 90 };

static struct bounce_memory *memory;
static struct bounce_senders *senders;

static const char *one_field(void *context, const char *name, unsigned index)
{
    const struct set_field *field = context;
    return index == 0 && g_ascii_strcasecmp(name, field->name) == 0 ? field->value : NULL;
}

static void judge_body(const char *type, const char *text, size_t size)
{
    struct set_field field = {g_strdup("Content-Type"), g_strdup(type)};
    struct autoreply_headers headers = {one_field, &field};
    struct autoreply_body body;
    struct autoreply_stripped stripped;
    autoreply_body_init(&body, 0);
    autoreply_body_feed(&body, text, size);
    set_quotes(&headers, text, size, NULL);
    set_strip(&headers, &body, NULL, 0, &stripped);
    autoreply_stripped_clear(&stripped);
    autoreply_body_clear(&body);
    g_free(field.name);
    g_free(field.value);
}

static void run_text_scan(const char *text, size_t size)
{
    g_array_unref(text_scan(text, size));
}

static void run_html_scan(const char *text, size_t size)
{
    struct html html;
    html_scan(text, size, &html);
    html_clear(&html);
    g_free(html_closers(text, size, size));
}

static void run_strip_plain(const char *text, size_t size)
{
    struct strip_context context = {0};
    g_free(strip_plain(&context, text, size));
}

static void run_strip_html(const char *text, size_t size)
{
    struct strip_context context = {0};
    g_free(strip_html(&context, text, size));
}

static bool no_unit(void *context, const char *unit, size_t length, bool sentence, unsigned first,
                    unsigned last)
{
    (void)context;
    (void)unit;
    (void)length;
    (void)sentence;
    (void)first;
    (void)last;
    return true;
}

static void run_text_units(const char *text, size_t size)
{
    text_units(text, size, true, no_unit, NULL);
}

static void run_plain(const char *text, size_t size)
{
    judge_body("text/plain", text, size);
}

static void run_multipart(const char *text, size_t size)
{
    judge_body("multipart/mixed; boundary=b", text, size);
}

static void run_message(const char *text, size_t size)
{
    judge_body("message/rfc822", text, size);
}

static void run_memory(const char *text, size_t size)
{
    struct set_field field = {(char *)(uintptr_t) "X", (char *)(uintptr_t) "x"};
    struct autoreply_headers headers = {one_field, &field};
    bounce_memory_add(memory, &headers, text, size, 0);
    set_repeats(memory, &headers, text, size, 0, NULL, NULL);
    g_array_unref(bounce_memory_lines(memory, text, size, 0));
}

static void judge_header(const char *name, const char *value)
{
    struct set_field field = {g_strdup(name), g_strdup(value)};
    struct autoreply_headers headers = {one_field, &field};
    autoreply_classify(&headers, "a@b.test", NULL);
    autoreply_is_bounce(&headers, "");
    g_free(bounce_senders_find(senders, NULL, NULL, 0, &headers, NULL));
    g_free(field.name);
    g_free(field.value);
}

static void run_subject(const char *text, size_t size)
{
    (void)size;
    judge_header("Subject", text);
}

static void run_recipients(const char *text, size_t size)
{
    (void)size;
    judge_header("To", text);
}

static void run_auto_submitted(const char *text, size_t size)
{
    (void)size;
    judge_header("Auto-Submitted", text);
}

static void run_type(const char *text, size_t size)
{
    judge_body(text, "x", MIN(size, 1));
}

static void run_path(const char *text, size_t size)
{
    (void)size;
    bounce_senders_match(senders, text);
}

static void run_own_text(const char *text, size_t size)
{
    (void)size;
    autoreply_classify_body(text, NULL);
}

static const char *const text_pieces[] = {
    ">\n",      ">",
    "> a\n",    "|\n",
    "| x\n",    "\n",
    " \n",      "----------\n",
    "-- \n",    "--a: b",
    ": x\n",    "x",
    "ab> ",     " ",
    "from: ",   "a@b",
    "9:12",     "wrote:",
    "on ",      ">>> ",
    " >>>\n",   "- your message -\n",
    "--",       "subject",
    ":",        "2026",
    "<a@b>:\n", "\303\251",
    ". ",       "\r\n",
};
static const char *const html_pieces[] = {
    "<",
    ">",
    "<!--",
    "-->",
    "--",
    "<!",
    "<a",
    "<a x=\"",
    "\"",
    "'",
    "=",
    "</a>",
    "<div>",
    "</div>",
    "<hr>",
    "<script>",
    "</",
    "<br>",
    "<blockquote>",
    "</blockquote>",
    "&",
    "&gt;",
    "&#62;",
    "x",
    " ",
    "\n",
    "<pre>",
    "<div class=gmail_quote>",
    "<?",
    "<p id='",
    "/>",
};
static const char *const mime_pieces[] = {
    "--b\n",
    "--b--\n",
    "\n",
    "\n\n",
    "Content-Type: text/html\n",
    "Content-Type: ",
    "a/b; ",
    "Content-Type: multipart/mixed; boundary=c\n\n",
    "--c\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: ",
    "(",
    ";",
    "x",
    "To: ",
    "a:",
    ";,",
    "Content-Type: message/rfc822\n\n",
    "PGI+\n",
    "=3D",
    "\nReceived:",
    "\"",
    "> q\n",
};
static const char *const header_pieces[] = {
    "(",       ")",          "\"",
    "\\",      "<",          ">",
    ",",       ";",          ":",
    "@",       "a",          "a@b.c",
    " ",       "=?",         "?=",
    "=?x?q?",  "=?utf-8?b?", "?",
    "-1",      "+",          "srs0=",
    "prvs=",   "=",          "/",
    "*0=",     "charset",    "auto-replied",
    "[",       "]",          "out of office",
    "ooo",     "\n ",        "-",
    "noreply",
};

static const struct steps_row readers[] = {
    {"text_scan", run_text_scan, text_pieces, G_N_ELEMENTS(text_pieces), SIZE},
    {"strip_plain", run_strip_plain, text_pieces, G_N_ELEMENTS(text_pieces), SIZE},
    {"text_units", run_text_units, text_pieces, G_N_ELEMENTS(text_pieces), SIZE},
    {"own_text", run_own_text, text_pieces, G_N_ELEMENTS(text_pieces), SIZE},
    {"plain", run_plain, text_pieces, G_N_ELEMENTS(text_pieces), SIZE},
    {"memory", run_memory, text_pieces, G_N_ELEMENTS(text_pieces), SIZE},
    {"html_scan", run_html_scan, html_pieces, G_N_ELEMENTS(html_pieces), SIZE},
    {"strip_html", run_strip_html, html_pieces, G_N_ELEMENTS(html_pieces), SIZE},
    {"multipart", run_multipart, mime_pieces, G_N_ELEMENTS(mime_pieces), SIZE},
    {"message", run_message, mime_pieces, G_N_ELEMENTS(mime_pieces), SIZE},
    {"subject", run_subject, header_pieces, G_N_ELEMENTS(header_pieces), HEADER_SIZE},
    {"recipients", run_recipients, header_pieces, G_N_ELEMENTS(header_pieces), HEADER_SIZE},
    {"auto_submitted", run_auto_submitted, header_pieces, G_N_ELEMENTS(header_pieces), HEADER_SIZE},
    {"type", run_type, header_pieces, G_N_ELEMENTS(header_pieces), HEADER_SIZE},
    {"path", run_path, header_pieces, G_N_ELEMENTS(header_pieces), HEADER_SIZE},
};

static void test_counter(void)
{
    g_autofree char *text = g_strnfill(1000, 'x');
    steps_begin(UINT64_MAX, "fold");
    g_free(phrases_fold(text, 1000));
    g_assert_cmpuint(steps_taken(), >=, 1000);
}

static void test_worst(void)
{
    static const struct {
        steps_reader *run;
        const char *head, *unit;
    } rows[] = {
        {run_text_scan, "", ">\n"},
        {run_text_scan, "", ">\n>\n|\n"},
        {run_text_scan, "", "|\n"},
        {run_text_scan, "", ">>> a@b >>>\n"},
        {run_text_scan, "", "--a: b\n"},
        {run_text_scan, "", "----------\n\n"},
        {run_text_scan, "", "-- your message --\n"},
        {run_text_scan, "", "on 9:12 x@ywrote:\n"},
        {run_text_scan, "", "from: \n \n"},
        {run_strip_plain, "", "> a\n\n"},
        {run_text_units, "", "\n--x"},
        {run_text_units, "", "\n-- x"},
        {run_html_scan, "", "<!--"},
        {run_html_scan, "", "<!-- >"},
        {run_html_scan, "", "<!-- -->"},
        {run_html_scan, "", "<a x=\""},
        {run_html_scan, "", "<a x='\">"},
        {run_html_scan, "", "<script>"},
        {run_html_scan, "<script>", "</scrip"},
        {run_html_scan, "", "<div><i></div>"},
        {run_strip_html, "", "<blockquote>x</blockquote>"},
        {run_multipart, "", "--b\n\nx\n"},
        {run_multipart, "", "--b\nContent-Type: multipart/mixed; boundary=b\n\n"},
        {run_message, "", "Content-Type: message/rfc822\n\n"},
        {run_message, "To: ", "a:"},
        {run_recipients, "", "-1"},
        {run_recipients, "", "+"},
        {run_recipients, "", "a:("},
        {run_recipients, "", "srs0=a=b=c="},
        {run_path, "a", "-1"},
        {run_path, "", "srs1=a=b=="},
        {run_auto_submitted, "", "("},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        steps_check_linear("worst", rows[i].run, rows[i].head, rows[i].unit, SIZE);
}

static void test_made(void)
{
    steps_check_made(readers, G_N_ELEMENTS(readers));
}

static void run_bounce(const char *text, size_t size)
{
    struct set_field field = {(char *)(uintptr_t) "Content-Type", (char *)(uintptr_t) "text/plain"};
    struct autoreply_headers headers = {one_field, &field};
    bounce_memory_add(memory, &headers, text, size, 0);
}

static void run_reply(const char *text, size_t size)
{
    struct set_field field = {(char *)(uintptr_t) "Content-Type", (char *)(uintptr_t) "text/plain"};
    struct autoreply_headers headers = {one_field, &field};
    set_quotes(&headers, text, size, NULL);
    set_repeats(memory, &headers, text, size, 0, NULL, NULL);
}

/* What the largest body that is looked at may cost, of the ordinary text that a stranger can send
 * without a trick: steps a byte. */
static void test_large(void)
{
    static const struct {
        const char *what;
        steps_reader *run;
        uint64_t most;
    } rows[] = {
        {"a bounce that is remembered", run_bounce, BOUNCE_STEPS_MAX},
        {"a reply that is judged", run_reply, REPLY_STEPS_MAX},
    };
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; text->len < AUTOREPLY_BODY_MAX; i++)
        g_string_append_printf(text, "Some %d words of an ordinary line, as people write them.\n",
                               i);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        steps_begin(rows[i].most * text->len, rows[i].what);
        rows[i].run(text->str, text->len);
        g_test_message("%s: %.1f steps a byte", rows[i].what,
                       (double)steps_taken() / (double)text->len);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory = bounce_memory_new("key", 3, 0);
    senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "test", 0);
    g_test_add_func("/linear/counter", test_counter);
    g_test_add_func("/linear/worst", test_worst);
    g_test_add_func("/linear/made", test_made);
    g_test_add_func("/linear/large", test_large);
    int result = g_test_run();
    bounce_senders_free(senders);
    bounce_memory_free(memory);
    return result;
}
