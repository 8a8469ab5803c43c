/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plots: hostile text, nothing to show, heights.
 */
#include "report/chart.h"

#include <string.h>

static void test_text(void)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {{"<script>\"'&", "&lt;script&gt;&quot;&#39;&amp;"},
                {"a\x01\x7f\xff", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                {"\xe2\x80\xae", "\xef\xbf\xbd"},
                {"\xce\xb1\nb", "\xce\xb1\nb"},
                {NULL, ""}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        chart_text(out, rows[i].text);
        g_assert_cmpstr(out->str, ==, rows[i].expected);
    }
}

static void test_columns(void)
{
    static const char *const labels[] = {"<a>", "b"};
    static const double values[] = {1, 3}, others[] = {3, 0};
    const struct chart_series series[] = {{"one", "#111111", values}, {"two", "#222222", others}};
    struct chart chart = {.title = "T & t",
                          .labels = labels,
                          .count = 2,
                          .series = series,
                          .series_count = 2,
                          .shares = true};
    g_autoptr(GString) out = g_string_new(NULL);
    chart_columns(out, &chart);
    g_assert_nonnull(strstr(out->str, "T &amp; t"));
    g_assert_nonnull(strstr(out->str, "&lt;a&gt;, one: 1"));
    /* a quarter and all of the height, which is 194 */
    g_assert_nonnull(strstr(out->str, "height=\"48.5\""));
    g_assert_nonnull(strstr(out->str, "height=\"194.0\""));
    g_assert_null(strstr(out->str, "b, two")); /* nothing of it */
    /* what is counted has no half: a column of four, and the axis in ones */
    g_string_truncate(out, 0);
    chart.shares = false;
    chart_columns(out, &chart);
    g_assert_nonnull(strstr(out->str, ">4</text>"));
    g_assert_nonnull(strstr(out->str, ">1</text>"));
    g_assert_null(strstr(out->str, ">0.5</text>"));
    /* numbers of the axis have room, however long */
    static const double many[] = {1000000, 0};
    const struct chart_series large = {"one", "#111111", many};
    g_string_truncate(out, 0);
    chart.series = &large;
    chart.series_count = 1;
    chart_columns(out, &chart);
    g_assert_nonnull(strstr(out->str, ">1\xe2\x80\xaf"
                                      "200\xe2\x80\xaf"
                                      "000</text>"));
    g_assert_nonnull(strstr(out->str, "<text x=\"65.0\""));
    g_string_truncate(out, 0);
    chart.count = 0;
    chart_columns(out, &chart);
    chart_strip(out, NULL, 0);
    g_assert_cmpuint(out->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chart/text", test_text);
    g_test_add_func("/chart/columns", test_columns);
    return g_test_run();
}
