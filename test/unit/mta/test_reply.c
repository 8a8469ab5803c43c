/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reply lines on their way to the MTA.
 */
#include "mta/reply_line.h"

#include <glib.h>
#include <string.h>

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
        g_assert_cmpstr(reply.text, ==, rows[i].text);
        g_assert_cmpint(reply.temporary, ==, rows[i].code[0] == '4');
    }
}

/* libmilter refuses texts above 980 bytes, and then the MTA says something of its own. */
static void test_long(void)
{
    struct mta_reply reply;
    g_autofree char *plain = g_strnfill(5000, 'x'), *percent = g_strnfill(5000, '%');
    g_autofree char *first = g_strconcat("550 5.7.1 ", plain, NULL);
    g_autofree char *second = g_strconcat("550 5.7.1 x", percent, NULL);
    g_assert_true(mta_reply_parse(first, &reply));
    g_assert_cmpuint(strlen(reply.text), ==, MTA_REPLY_TEXT_MAX);
    g_assert_true(mta_reply_parse(second, &reply));
    /* never half of a pair */
    g_assert_cmpuint(strlen(reply.text), ==, MTA_REPLY_TEXT_MAX - 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reply/rows", test_rows);
    g_test_add_func("/reply/long", test_long);
    return g_test_run();
}
