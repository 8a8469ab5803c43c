/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The writers of the table of metrics.
 */
#include "report/metrics.h"

#include <math.h>

#include "base/text.h"
#include "report/json.h"

struct metric_sink {
    const struct metric_row *row;
    enum metrics_format format;
    GString *out;
};

/* Names are what they are on the page and in the log, where signs that are not seen are escaped: of
 * the exposition format that leaves the backslash and the quote. */
static void put_label(GString *out, const char *name, const char *value)
{
    g_autofree char *shown = text_escape(value);
    g_string_append_printf(out, "%s=\"", name);
    for (const char *p = shown; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_printf(out, "\\%c", *p);
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

/* NAME SUFFIX {LABELS, LE} VALUE; LE NULL: no bucket. */
static void put_sample(struct metric_sink *sink, const char *suffix, const char *const *labels,
                       const char *le, double value)
{
    const struct metric_row *row = sink->row;
    g_string_append_printf(sink->out, "%s%s", row->name, suffix);
    char before = '{';
    for (size_t i = 0; i < TALLY_LABELS_MAX && row->labels[i]; i++, before = ',') {
        g_string_append_c(sink->out, before);
        put_label(sink->out, row->labels[i], labels[i]);
    }
    if (le) {
        g_string_append_c(sink->out, before);
        put_label(sink->out, "le", le);
        before = ',';
    }
    g_string_append(sink->out, before == ',' ? "} " : " ");
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    bool whole = isfinite(value) && floor(value) == value && fabs(value) < 9e15;
    g_string_append(sink->out, g_ascii_formatd(text, sizeof text, whole ? "%.0f" : "%.9g", value));
    g_string_append_c(sink->out, '\n');
}

void metric_put(struct metric_sink *sink, double value, const char *const *labels)
{
    if (sink->format == METRICS_TEXT && value == 0 && sink->row->rare)
        return;
    if (sink->format == METRICS_TEXT)
        g_string_append_printf(sink->out, "%10.0f  %s\n", value, sink->row->words);
    else if (sink->format == METRICS_JSON)
        json_integer(sink->out, sink->row->key, (gint64)value);
    else
        put_sample(sink, "", labels, NULL, value);
}

/* The counts are read one after another while others are added to: the last is made of the others,
 * so that they agree. */
void metric_put_histogram(struct metric_sink *sink, const struct histogram *histogram,
                          const char *const *labels)
{
    double count = 0;
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        char bound[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(bound, sizeof bound, "%g", (double)histogram_bounds[i] / 1e6);
        count += (double)histogram->buckets[i];
        put_sample(sink, "_bucket", labels, bound, count);
    }
    count += (double)histogram->buckets[HISTOGRAM_BOUNDS];
    put_sample(sink, "_bucket", labels, "+Inf", count);
    put_sample(sink, "_sum", labels, NULL, (double)histogram->sum / 1e6);
    put_sample(sink, "_count", labels, NULL, count);
}

static void put_counter(void *data, const char *const *labels, uint64_t count)
{
    metric_put(data, (double)count, labels);
}

void metric_put_tally(struct metric_sink *sink, const struct tally *tally)
{
    tally_foreach(tally, put_counter, sink);
}

void metrics_write(const struct metric_row *rows, size_t count, enum metrics_format format,
                   const void *data, GString *out)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    for (size_t i = 0; i < count; i++) {
        struct metric_sink sink = {&rows[i], format, out};
        if (format == METRICS_PROMETHEUS ? !rows[i].name : !rows[i].key)
            continue;
        if (format == METRICS_PROMETHEUS)
            g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[i].name, rows[i].help,
                                   rows[i].name, kinds[rows[i].kind]);
        rows[i].put(data, &sink);
    }
}
