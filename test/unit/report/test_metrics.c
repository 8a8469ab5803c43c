/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of metrics and its writers.
 */
#include "report/metrics.h"

static void put_one(const void *data, struct metric_sink *sink)
{
    metric_put(sink, *(const double *)data, NULL);
}

static void put_labels(const void *data, struct metric_sink *sink)
{
    const char *labels[] = {"a\"\\\n\xff", "b"};
    (void)data;
    metric_put(sink, 1.5, labels);
}

static void put_times(const void *data, struct metric_sink *sink)
{
    struct histogram histogram = {0};
    const char *label = "rcpt";
    (void)data;
    histogram_add(&histogram, 50);
    histogram_add(&histogram, 60 * G_USEC_PER_SEC);
    metric_put_histogram(sink, &histogram, &label);
}

static const struct metric_row rows[] = {
    {.key = "one",
     .words = "of a kind",
     .name = "x_one",
     .help = "One.",
     .kind = METRIC_GAUGE,
     .put = put_one},
    {.key = "two", .words = "of another", .put = put_one},
    {.name = "x_total", .help = "Labels.", .labels = {"first", "second"}, .put = put_labels},
    {.name = "x_seconds",
     .help = "Times.",
     .kind = METRIC_HISTOGRAM,
     .labels = {"stage"},
     .put = put_times},
};

static char *write_rows(enum metrics_format format, double value)
{
    GString *out = g_string_new(NULL);
    metrics_write(rows, G_N_ELEMENTS(rows), format, &value, out);
    return g_string_free(out, FALSE);
}

static void test_people(void)
{
    g_autofree char *text = write_rows(METRICS_TEXT, 12345678901.0);
    g_assert_cmpstr(text, ==, "12345678901  of a kind\n12345678901  of another\n");
    g_autofree char *json = write_rows(METRICS_JSON, 7);
    g_assert_cmpstr(json, ==, "\"one\":7,\"two\":7");
}

static void test_prometheus(void)
{
    g_autofree char *text = write_rows(METRICS_PROMETHEUS, 1e15);
    g_assert_true(g_str_has_prefix(text,
                                   "# HELP x_one One.\n# TYPE x_one gauge\nx_one 1000000000000000\n"
                                   "# HELP x_total Labels.\n# TYPE x_total counter\n"
                                   "x_total{first=\"a\\\"\\\\\\\\\\\\n\\\\xff\",second=\"b\"} 1.5\n"
                                   "# HELP x_seconds Times.\n# TYPE x_seconds histogram\n"
                                   "x_seconds_bucket{stage=\"rcpt\",le=\"0.0001\"} 1\n"));
    g_assert_true(g_str_has_suffix(text, "x_seconds_bucket{stage=\"rcpt\",le=\"30\"} 1\n"
                                         "x_seconds_bucket{stage=\"rcpt\",le=\"+Inf\"} 2\n"
                                         "x_seconds_sum{stage=\"rcpt\"} 60.00005\n"
                                         "x_seconds_count{stage=\"rcpt\"} 2\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/people", test_people);
    g_test_add_func("/metrics/prometheus", test_prometheus);
    return g_test_run();
}
