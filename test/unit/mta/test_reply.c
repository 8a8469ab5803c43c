/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reply lines on their way to the MTA.
 */
#include "mta/reply_line.h"

#include <glib.h>
#include <string.h>

#include "checks/check.h"

struct row {
    const char *line;
    const char *code; /* NULL: no reply */
    const char *enhanced;
    const char *text;
};

static const struct row rows[] = {
    {"550 5.7.1 <x@y>: Relaying denied; authenticate first", "550", "5.7.1",
     "<x@y>: Relaying denied; authenticate first"},
    {"451 4.3.0 Temporary failure; try again later", "451", "4.3.0",
     "Temporary failure; try again later"},
    {"554 go away", "554", "", "go away"},
    {"550 5.7.1", "550", "5.7.1", ""},
    {"550 5.7.1 ", "550", "5.7.1", ""},
    {"550 ", "550", "", ""},
    /* Postfix takes a code of another class for a broken filter */
    {"550 4.7.1 text", "550", "", "4.7.1 text"},
    {"450 5.7.1 text", "450", "", "5.7.1 text"},
    {"550 2.0.0 text", "550", "", "2.0.0 text"},
    /* no enhanced codes */
    {"550 5.7 text", "550", "", "5.7 text"},
    {"550 5.7.1x text", "550", "", "5.7.1x text"},
    {"550 5.1234.1 text", "550", "", "5.1234.1 text"},
    {"550 5..1 text", "550", "", "5..1 text"},
    {"550 5.7.111 text", "550", "5.7.111", "text"},
    /* percent signs: doubled for both MTAs */
    {"550 5.7.1 100% of %s %n", "550", "5.7.1", "100%% of %%s %%n"},
    /* nothing that ends a line or is no ASCII */
    {"550 5.7.1 a\r\n250 ok", "550", "5.7.1", "a  250 ok"},
    {"550 5.7.1 \x1b[31mred\x7f", "550", "5.7.1", "?[31mred?"},
    {"550 5.7.1 gr\xc3\xbc\xc3\x9f\xff", "550", "5.7.1", "gr?????"},
    /* no replies */
    {"250 ok", NULL, NULL, NULL},
    {"350 ok", NULL, NULL, NULL},
    {"650 ok", NULL, NULL, NULL},
    {"55 5.7.1 x", NULL, NULL, NULL},
    {"5500 x", NULL, NULL, NULL},
    {"550-5.7.1 x", NULL, NULL, NULL},
    {"5x0 x", NULL, NULL, NULL},
    {"550", NULL, NULL, NULL},
    {"5", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
};

static void test_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct mta_reply reply;
        bool fine = mta_reply_parse(rows[i].line, &reply);
        g_autofree char *shown = g_strescape(rows[i].line, NULL);
        g_test_message("%s", shown);
        g_assert_cmpint(fine, ==, rows[i].code != NULL);
        if (!fine)
            continue;
        g_assert_cmpstr(reply.code, ==, rows[i].code);
        g_assert_cmpstr(reply.enhanced, ==, rows[i].enhanced);
        g_assert_cmpuint(reply.count, ==, 1);
        g_assert_cmpstr(reply.texts[0], ==, rows[i].text);
        g_assert_cmpint(reply.temporary, ==, rows[i].code[0] == '4');
    }
}

/* Longer ones, as "550 5.7.1 " and runs of signs: "a500 b3" is 500 times a, a blank, three times b.
 * The codes and CRLF leave 500 octets of a line for the text. */
static const struct broken {
    const char *text;
    const char *lines; /* in the same way, a bar between them */
} broken[] = {
    {"a499", "a499"},
    {"a500", "a500"},
    {"a501", "a500|a1"},
    {"a250 b249", "a250 b249"},
    {"a250 b250", "a250|b250"},
    {"a500 b3", "a500|b3"},
    {"a499 b3", "a499|b3"},
    {"a10 b495", "a10|b495"},
    {"a10 b501", "a10|b500|b1"},
    {"a100 b100 c100 d100 e100", "a100 b100 c100 d100|e100"},
    {"a300 b300 c300", "a300|b300|c300"},
    /* blanks at the break stand nowhere */
    {"a400  b100", "a400 |b100"},
    {"a500   b100", "a500|b100"},
    {"a500 ", "a500"},
    /* doubled signs are single ones at SMTP; libmilter takes 980 bytes all the same */
    {"%490", "%490"},
    {"%491", "%490|%1"},
    {"a20%480", "a20%480"},
    {"a100%390 b9", "a100%390 b9"},
    {"a100%390 b10", "a100%390|b10"},
    {"a1%495", "a1%489|%6"},
    /* the whole is cut off at REPLY_MAX */
    {"a5000", "a500|a460"},
    {"%5000", "%490|%470"},
    {"a1 b500 c1 d500", "a1|b500|c1 d455"},
};

/* DOUBLED: percent signs are. */
static char *spelt(const char *runs, bool doubled)
{
    GString *text = g_string_new(NULL);
    while (*runs) {
        char sign = *runs++;
        guint64 times = g_ascii_isdigit(*runs) ? g_ascii_strtoull(runs, (char **)&runs, 10) : 1;
        for (guint64 i = 0; i < times * (sign == '%' && doubled ? 2 : 1); i++)
            g_string_append_c(text, sign);
    }
    return g_string_free(text, FALSE);
}

static void test_broken(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autofree char *text = spelt(broken[i].text, false);
        g_autofree char *expected = spelt(broken[i].lines, true);
        g_autofree char *line = g_strconcat("550 5.7.1 ", text, NULL);
        g_auto(GStrv) lines = g_strsplit(expected, "|", -1);
        struct mta_reply reply;
        g_test_message("%s", broken[i].text);
        g_assert_true(mta_reply_parse(line, &reply));
        g_assert_cmpstr(reply.enhanced, ==, "5.7.1");
        g_assert_cmpuint(reply.count, ==, g_strv_length(lines));
        for (unsigned k = 0; k < reply.count; k++)
            g_assert_cmpstr(reply.texts[k], ==, lines[k]);
    }
}

/* One line can do without an enhanced code; libmilter gives several lines this one. */
static void test_without_enhanced(void)
{
    struct mta_reply reply;
    g_autofree char *text = g_strnfill(507, 'x');
    g_autofree char *one = g_strdup_printf("450 %.506s", text);
    g_autofree char *more = g_strconcat("450 ", text, NULL);
    g_assert_true(mta_reply_parse(one, &reply));
    g_assert_cmpuint(reply.count, ==, 1);
    g_assert_cmpstr(reply.enhanced, ==, "");
    g_assert_true(mta_reply_parse(more, &reply));
    g_assert_cmpuint(reply.count, ==, 2);
    g_assert_cmpstr(reply.enhanced, ==, "4.0.0");
    g_assert_cmpuint(strlen(reply.texts[0]), ==, 500);
}

/* Whatever it is, each line fits, and no word is lost but behind the end. */
static void test_any(void)
{
    static const char signs[] = "  %%ab";
    for (int round = 0; round < 2000; round++) {
        GString *line = g_string_new("550 5.7.1 ");
        int most = g_test_rand_int_range(400, REPLY_MAX);
        int blanks = g_test_rand_int_range(0, 3); /* many, some, none */
        while (line->len < (gsize)most)
            g_string_append_c(line, signs[g_test_rand_int_range(blanks, sizeof signs - 1)]);
        struct mta_reply reply;
        g_assert_true(mta_reply_parse(line->str, &reply));
        g_autoptr(GString) all = g_string_new(NULL);
        g_assert_cmpuint(reply.count, <=, MTA_REPLY_LINES);
        for (unsigned i = 0; i < reply.count; i++) {
            g_assert_cmpuint(strlen(reply.texts[i]), <=, MTA_REPLY_TEXT_MAX);
            g_auto(GStrv) halves = g_strsplit(reply.texts[i], "%%", -1);
            g_autofree char *single = g_strjoinv("%", halves);
            g_assert_cmpuint(strlen("550 5.7.1 \r\n") + strlen(single), <=, 512);
            g_string_append(all, single);
        }
        g_string_erase(line, 0, strlen("550 5.7.1 "));
        g_string_replace(line, " ", "", 0);
        g_string_replace(all, " ", "", 0);
        g_assert_cmpstr(all->str, ==, line->str);
        g_string_free(line, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reply/rows", test_rows);
    g_test_add_func("/reply/broken", test_broken);
    g_test_add_func("/reply/without_enhanced", test_without_enhanced);
    g_test_add_func("/reply/any", test_any);
    return g_test_run();
}
