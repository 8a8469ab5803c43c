/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The report as a page: plots and tables, no script, nothing from elsewhere. Each number that a
 * plot shows stands in a table, too, for who sees no colours or no plots.
 */
#include "report/summary_report.h"

#include "base/when.h"
#include "checks/check.h"
#include "report/chart.h"

enum { ROWS_SHOWN = 50, NAMES_SHOWN = 200, LINES_SHOWN = 50, NAME_CHARACTERS = 100 };

/* They differ in lightness as well, and stand out from white and from near black. */
static const char *const colours[REPORT_OUTCOMES] = {"#4f9d69", "#e0b43c", "#7a6fb0", "#4a90c2",
                                                     "#b5403a"};

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:62em;padding:0 1em;"
    "color:#1c1c1c;background:#fff}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:right;padding:.2em .5em;"
    "border-bottom:1px solid #8884;white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;"
    "min-width:9em}"
    ".plot "
    "svg{max-width:100%;height:auto}.narrow{display:none}.wide{overflow-x:auto}.numbers{display:"
    "flex;flex-wrap:wrap;"
    "gap:.5em 2em;padding:0;list-style:none}.numbers b{font-size:1.6em;display:block}"
    ".numbers i{display:inline-block;width:.8em;height:.8em;margin-right:.4em}"
    "small{opacity:.75}.names{overflow-wrap:anywhere}"
    "summary{cursor:pointer}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}}"
    "@media(max-width:50em){.plot .whole{display:none}.narrow{display:block}"
    ".narrow svg{width:100%}}"
    "@media(max-width:40em){body{margin:1em auto;font-size:14px}table{font-size:12px}"
    "td,th{padding:.2em .15em}th:first-child,td:first-child{min-width:6em}"
    ".bars td:last-child,.bars th:last-child{display:none}}";

static char *time_text(int64_t when)
{
    return when_text(when / G_USEC_PER_SEC, "%Y-%m-%d %H:%M");
}

/* Twice, since letters must not shrink with the plot. What colours mean stands above all plots. */
static void put_plot(GString *out, const char *title, const GPtrArray *rows)
{
    guint count = rows->len;
    g_autofree double *values = g_new0(double, REPORT_OUTCOMES *MAX(count, 1));
    g_autofree const char **labels = g_new0(const char *, MAX(count, 1));
    struct chart_series series[REPORT_OUTCOMES];
    for (guint i = 0; i < count; i++) {
        const struct report_row *row = rows->pdata[i];
        labels[i] = row->name;
        for (int j = 0; j < REPORT_OUTCOMES; j++)
            values[(guint)j * count + i] = (double)row->counts[j];
    }
    for (int j = 0; j < REPORT_OUTCOMES; j++)
        series[j] =
            (struct chart_series){report_outcome_words[j], colours[j], values + (guint)j * count};
    struct chart chart = {.title = title,
                          .labels = labels,
                          .count = count,
                          .series = series,
                          .series_count = REPORT_OUTCOMES};
    g_string_append(out, "<div class=\"plot\"><div class=\"whole\">");
    chart_columns(out, &chart);
    g_string_append(out, "</div><div class=\"narrow\"><h3>");
    chart_text(out, title);
    g_string_append(out, "</h3>");
    chart.width = 340;
    chart.bare = true;
    chart_columns(out, &chart);
    g_string_append(out, "</div></div>\n");
}

/* A small bar of a row's parts, as long as it is to the LARGEST. */
static void put_bar(GString *out, const struct report_row *row, uint64_t largest)
{
    double x = 0;
    g_string_append(out, "<td><svg viewBox=\"0 0 100 12\" width=\"100\" height=\"12\" role=\"img\">"
                         "<title>");
    for (int i = 0; i < REPORT_OUTCOMES; i++)
        if (row->counts[i] > 0)
            g_string_append_printf(out, "%" G_GUINT64_FORMAT " %s ", row->counts[i],
                                   report_outcome_words[i]);
    g_string_append(out, "</title>");
    for (int i = REPORT_OUTCOMES; i-- > 0;) {
        char from[G_ASCII_DTOSTR_BUF_SIZE], width[G_ASCII_DTOSTR_BUF_SIZE];
        double part = 100.0 * (double)row->counts[i] / (double)MAX(largest, 1);
        g_ascii_formatd(from, sizeof from, "%.2f", x);
        g_ascii_formatd(width, sizeof width, "%.2f", part);
        if (row->counts[i] > 0)
            g_string_append_printf(
                out, "<rect x=\"%s\" y=\"1\" width=\"%s\" height=\"10\" fill=\"%s\"/>", from, width,
                colours[i]);
        x += part;
    }
    g_string_append(out, "</svg></td>");
}

static void put_table(GString *out, const char *title, const GPtrArray *rows, guint most)
{
    uint64_t largest = 0;
    for (guint i = 0; i < rows->len; i++)
        largest = MAX(largest, report_row_total(rows->pdata[i]));
    g_string_append(out, "<div class=\"wide\"><table class=\"bars\"><tr><th scope=\"col\">");
    chart_text(out, title);
    g_string_append(out, "</th>");
    for (int j = 0; j < REPORT_OUTCOMES; j++)
        g_string_append_printf(out, "<th scope=\"col\">%s</th>", report_outcome_words[j]);
    g_string_append(out, "<th></th></tr>\n");
    for (guint i = 0; i < MIN(rows->len, most); i++) {
        const struct report_row *row = rows->pdata[i];
        g_string_append(out, "<tr><td>");
        /* Of a stranger's making, it may be as long as he likes. */
        g_autofree char *valid = g_utf8_make_valid(row->name, -1);
        bool whole = g_utf8_strlen(valid, -1) <= NAME_CHARACTERS;
        g_autofree char *begin = whole ? NULL : g_utf8_substring(valid, 0, NAME_CHARACTERS);
        chart_text(out, whole ? valid : begin);
        if (!whole)
            g_string_append(out, "&hellip;");
        g_string_append(out, "</td>");
        for (int j = 0; j < REPORT_OUTCOMES; j++)
            g_string_append_printf(out, "<td>%" G_GUINT64_FORMAT "</td>", row->counts[j]);
        put_bar(out, row, largest);
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</table></div>\n");
    if (rows->len > most)
        g_string_append_printf(out, "<p><small>and %u more</small></p>\n", rows->len - most);
}

static void put_lists(GString *out, const struct summary_report *report)
{
    const GPtrArray *lists = report->lists;
    if (lists->len == 0)
        return;
    g_string_append(out, "<h2>DNS lists</h2>\n<p><small>alone: what would have passed DNS lists "
                         "without this one</small></p>\n<div class=\"wide\"><table><tr>"
                         "<th scope=\"col\">list</th><th scope=\"col\">answered</th>"
                         "<th scope=\"col\">listed</th><th scope=\"col\">refused</th>"
                         "<th scope=\"col\">alone</th></tr>\n");
    for (guint i = 0; i < lists->len; i++) {
        const struct report_list *list = lists->pdata[i];
        g_string_append(out, "<tr><td>");
        chart_text(out, list->zone);
        g_string_append_printf(out,
                               "</td><td>%" G_GUINT64_FORMAT "</td><td>%" G_GUINT64_FORMAT
                               "</td><td>%" G_GUINT64_FORMAT "</td><td>%" G_GUINT64_FORMAT
                               "</td></tr>\n",
                               list->asked, list->listed, list->refused, list->alone);
    }
    g_string_append(out, "</table></div>\n");
    if (report->rows[REPORT_BY_LIST]->len == 0)
        return;
    g_string_append(out, "<p><small>what became of what each of them had, whoever decided it"
                         "</small></p>\n");
    put_table(out, "list", report->rows[REPORT_BY_LIST], ROWS_SHOWN);
}

static void put_names(GString *out, const char *title, const GPtrArray *names)
{
    if (names->len == 0)
        return;
    g_string_append_printf(out, "<details><summary>%s: %u</summary><p class=\"names\">", title,
                           names->len);
    for (guint i = 0; i < MIN(names->len, NAMES_SHOWN); i++) {
        g_string_append(out, i > 0 ? ", " : "");
        chart_text(out, names->pdata[i]);
    }
    if (names->len > NAMES_SHOWN)
        g_string_append_printf(out, " and %u more", names->len - NAMES_SHOWN);
    g_string_append(out, "</p></details>\n");
}

static void put_idle(GString *out, const struct summary_report *report)
{
    g_string_append(out, "<h2>In force, and nothing came of it</h2>\n");
    put_names(out, "Restrictions that refused nothing", report->idle_checks);
    put_names(out, "DNS lists that had nothing", report->idle_lists);
    put_names(out, "Rules that hit nothing", report->idle_rules);
    for (guint i = 0; i < report->idle_tables->len; i++) {
        const struct report_table *table = report->idle_tables->pdata[i];
        g_autofree char *since = time_text(table->since);
        g_autoptr(GString) title = g_string_new("of ");
        g_string_append_printf(title, "%" G_GUINT64_FORMAT " entries of ", table->entries);
        chart_text(title, table->name);
        g_string_append_printf(title, " found nothing since %s", since);
        g_string_append_printf(
            out, "<details><summary>%" G_GUINT64_FORMAT " %s</summary><p class=\"names\">",
            table->unused, title->str);
        guint shown = MIN(table->lines->len, LINES_SHOWN);
        for (guint j = 0; j < shown; j++) {
            chart_text(out, table->lines->pdata[j]);
            g_string_append(out, "<br>");
        }
        if (table->unused > shown)
            g_string_append_printf(out, "and %" G_GUINT64_FORMAT " more", table->unused - shown);
        g_string_append(out, "</p></details>\n");
    }
    if (report->idle_tables->len > 0 && report->entries_cut > 0)
        g_string_append_printf(out,
                               "<p>%" G_GUINT64_FORMAT " decisions found more entries than are "
                               "kept (%u): some of these may have been among them.</p>\n",
                               report->entries_cut, CHECK_ENTRIES_MAX);
}

void summary_report_html(const struct summary_report *report, GString *out)
{
    static const struct {
        enum report_kind kind;
        const char *heading, *title;
    } parts[] = {
        {REPORT_BY_CHECK, "Restrictions", "check"},       {REPORT_BY_RULE, "Rules", "rule"},
        {REPORT_BY_LISTENER, "Listeners", "listener"},    {REPORT_BY_LOGIN, "Logins", "login"},
        {REPORT_BY_DOMAIN, "Senders' domains", "domain"},
    };
    g_autofree char *since = time_text(report->since), *until = time_text(report->until);
    g_string_append_printf(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<meta name=\"color-scheme\" content=\"light dark\">"
        "<title>gatepost, %s to %s</title><style>%s</style></head><body>\n"
        "<h1>What gatepost did</h1>\n<p>%s to %s: %" G_GUINT64_FORMAT " decisions%s</p>\n"
        "<ul class=\"numbers\">",
        since, until, style, since, until, report->decisions,
        report->monitored > 0 ? ", those of monitor mode among them, which were only told" : "");
    for (int i = 0; i < REPORT_OUTCOMES; i++)
        g_string_append_printf(out,
                               "<li><b>%" G_GUINT64_FORMAT "</b><i style=\"background:%s\"></i>"
                               "%s</li>",
                               report->totals[i], colours[i], report_outcome_words[i]);
    g_string_append(out, "</ul>\n");
    put_plot(out, "Decisions by day", report->rows[REPORT_BY_DAY]);
    put_plot(out, "Decisions by hour of the day", report->rows[REPORT_BY_HOUR]);
    g_string_append(out, "<details><summary>The numbers of both plots</summary>\n");
    put_table(out, "day", report->rows[REPORT_BY_DAY], G_MAXUINT);
    put_table(out, "hour", report->rows[REPORT_BY_HOUR], G_MAXUINT);
    g_string_append(out, "</details>\n");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (report->rows[parts[i].kind]->len > 0) {
            g_string_append_printf(out, "<h2>%s</h2>\n", parts[i].heading);
            put_table(out, parts[i].title, report->rows[parts[i].kind], ROWS_SHOWN);
        }
        if (parts[i].kind == REPORT_BY_CHECK)
            put_lists(out, report);
    }
    put_idle(out, report);
    g_string_append(out, "</body></html>\n");
}
