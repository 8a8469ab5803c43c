/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The JSON writer: a row is what goes in and what must come out.
 */
#include <math.h>

#include "report/json.h"

static void test_strings(void)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {NULL, "null"},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"line\r\nend\t\b\f", "\"line\\r\\nend\\t\\b\\f\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"Stra\xc3\x9f"
         "e",
         "\"Stra\xc3\x9f"
         "e\""},
        {"\xff\xc3(", "\"\xef\xbf\xbd\xef\xbf\xbd(\""},
        {"\xe2\x80\xa8\xc2\x85", "\"\\u2028\\u0085\""},
        {"cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        json_string(out, NULL, rows[i].text);
        g_assert_cmpstr(out->str, ==, rows[i].expected);
    }
}

static void test_numbers(void)
{
    static const struct {
        double number;
        unsigned decimals;
        const char *expected;
    } rows[] = {
        {0, 3, "0"},      {-0.0, 3, "0"},       {1.5, 3, "1.5"},     {2.0004, 3, "2"},
        {100, 0, "100"},  {0.0005, 3, "0.001"}, {-3.25, 3, "-3.25"}, {HUGE_VAL, 3, "null"},
        {NAN, 1, "null"}, {-0.0001, 3, "0"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        json_number(out, NULL, rows[i].number, rows[i].decimals);
        g_assert_cmpstr(out->str, ==, rows[i].expected);
    }
}

static void test_nesting(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    json_open(out, NULL, '{');
    json_string(out, "a", "x{");
    json_open(out, "list", '[');
    json_integer(out, NULL, -1);
    json_bool(out, NULL, true);
    json_open(out, NULL, '{');
    json_close(out, '}');
    json_close(out, ']');
    json_open(out, "none", '[');
    json_close(out, ']');
    json_bool(out, "b", false);
    json_close(out, '}');
    g_assert_cmpstr(out->str, ==, "{\"a\":\"x{\",\"list\":[-1,true,{}],\"none\":[],\"b\":false}");
}

static void test_lines(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (int i = 1; i <= 2; i++) {
        json_open(out, NULL, '{');
        json_integer(out, "a", i);
        json_close(out, '}');
        g_string_append_c(out, '\n');
    }
    g_assert_cmpstr(out->str, ==, "{\"a\":1}\n{\"a\":2}\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/json/strings", test_strings);
    g_test_add_func("/report/json/numbers", test_numbers);
    g_test_add_func("/report/json/nesting", test_nesting);
    g_test_add_func("/report/json/lines", test_lines);
    return g_test_run();
}
