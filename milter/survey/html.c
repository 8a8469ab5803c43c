/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The page: what the last run found, what changed since the one before, and plots over the last
 * year of weekly runs. Whatever a server said is escaped.
 */
#include "html.h"

#include <string.h>

#include "diff.h"
#include "report/chart.h"
#include "summary.h"

/* Runs that plots go back. */
enum { RUNS_MAX = 52 };

/* What a server came to, from bad to good; the colours stand out from white and from near black. */
static const struct {
    const char *words, *colour;
} levels[] = {{"not known", "#9e9e9e"}, {"not encrypted", "#c62828"}, {"TLS 1.0", "#ef8a00"},
              {"TLS 1.1", "#f4b942"},   {"TLS 1.2", "#5aa469"},       {"TLS 1.3", "#22824a"}};
enum { LEVELS = G_N_ELEMENTS(levels) };

static unsigned level_of(const struct finding *finding)
{
    for (unsigned i = 2; i < LEVELS; i++)
        if (g_strcmp0(finding->tls_version, levels[i].words) == 0)
            return i;
    return finding_is_definite(finding) ? 1 : 0;
}

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;"
    "color:#1c1c1c;background:#fff}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
    "padding:.25em .6em;border-bottom:1px solid #8884}"
    ".chart{max-width:100%}.wide,.plot{overflow-x:auto}.plot "
    "svg{min-width:34em}.key{margin-right:1em;white-space:nowrap}"
    "small{opacity:.75}code{overflow-wrap:anywhere}"
    "summary{cursor:pointer}.alarm{color:#c62828;font-weight:bold}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}"
    ".alarm{color:#ff8a80}}"
    /* on a telephone the cells of a row stand below each other, and lists of servers scroll */
    "@media(max-width:40em){body{margin:1em auto}"
    ".rows,.rows>tbody,.rows>tbody>tr,.rows>tbody>tr>td{display:block}"
    ".rows>tbody>tr>th{display:none}.rows>tbody>tr>td{border:0;padding:.1em 0}"
    ".rows>tbody>tr>td:first-child{font-weight:bold;padding-top:.6em}"
    ".rows>tbody>tr>td:last-child{padding-bottom:.6em;border-bottom:1px solid #8884}"
    "td>svg{max-width:100%;height:auto}details table{width:52em}}";

static char *format_time(int64_t seconds, const char *format)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(seconds);
    return date ? g_date_time_format(date, format) : g_strdup("?");
}

/* ---- plots ---- */

/* Counts of levels in each of the last runs, over all domains. */
static void plot_versions(GString *out, struct history *history, const GArray *runs)
{
    guint count = MIN(runs->len, RUNS_MAX), first = runs->len - count;
    g_autofree double *values = g_new0(double, LEVELS *count);
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    struct chart_series series[LEVELS];
    for (guint i = 0; i < count; i++) {
        const struct history_run *run = &g_array_index(runs, struct history_run, first + i);
        g_autoptr(GPtrArray) domains = history_domains(history, run->id);
        g_ptr_array_add(labels, format_time(run->started, "%Y-%m-%d"));
        for (guint j = 0; j < domains->len; j++) {
            g_autoptr(GPtrArray) sightings = history_sightings(history, domains->pdata[j], run->id);
            g_autoptr(GPtrArray) now = history_at(sightings, run->id);
            for (guint k = 0; k < now->len; k++)
                if (((struct finding *)now->pdata[k])->address)
                    values[level_of(now->pdata[k]) * count + i] += 1;
        }
    }
    for (unsigned i = 0; i < LEVELS; i++)
        series[i] = (struct chart_series){levels[i].words, levels[i].colour, values + i * count};
    chart_columns(out, &(struct chart){"Servers by TLS version", (const char **)labels->pdata,
                                       count, series, LEVELS, 0, false, true});
}

static void plot_expiry(GString *out, const GPtrArray *findings)
{
    static const char *const labels[] = {"expired", "7 days", "14",       "30",
                                         "60",      "90",     "180 days", "more"};
    static const int64_t ends[] = {0, 7, 14, 30, 60, 90, 180};
    double values[G_N_ELEMENTS(labels)] = {0};
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < findings->len; i++) {
        const struct finding *finding = findings->pdata[i];
        size_t place = 0;
        if (!finding->sha256 || !g_hash_table_add(told, finding->sha256))
            continue;
        while (place < G_N_ELEMENTS(ends) && finding->not_after - now > ends[place] * 86400)
            place++;
        values[place] += 1;
    }
    struct chart_series series = {"certificates", "#3f6fb5", values};
    chart_columns(out, &(struct chart){"Certificates by the time that is left to them", labels,
                                       G_N_ELEMENTS(labels), &series, 1, 0, false, false});
}

/* A domain is as good as its worst server: that is where mail goes when it is pushed there. */
static void plot_domain(GString *out, struct history *history, const char *domain)
{
    g_autoptr(GPtrArray) sightings = history_sightings(history, domain, G_MAXINT64);
    g_autoptr(GArray) runs = history_runs_of(history, domain, G_MAXINT64);
    g_autoptr(GArray) cells = g_array_new(FALSE, FALSE, sizeof(struct chart_cell));
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    for (guint i = runs->len - MIN(runs->len, RUNS_MAX); i < runs->len; i++) {
        const struct history_run *run = &g_array_index(runs, struct history_run, i);
        g_autoptr(GPtrArray) then = history_at(sightings, run->id);
        g_autofree char *day = format_time(run->started, "%Y-%m-%d");
        g_autofree char *line = then->len > 0 ? summary_line(then) : g_strdup("nothing");
        unsigned worst = 0;
        for (guint j = 0; j < then->len; j++) {
            unsigned level = level_of(then->pdata[j]);
            worst = level > 0 && (worst == 0 || level < worst) ? level : worst;
        }
        g_ptr_array_add(words, g_strdup_printf("%s: %s", day, line));
        struct chart_cell cell = {levels[worst].colour, words->pdata[words->len - 1]};
        g_array_append_val(cells, cell);
    }
    chart_strip(out, (const struct chart_cell *)cells->data, cells->len);
}

/* ---- tables ---- */

static void put_cell(GString *out, const char *text)
{
    g_string_append(out, "<td>");
    chart_text(out, text);
    g_string_append(out, "</td>");
}

static void put_server(GString *out, const struct finding *f)
{
    g_autofree char *until =
        f->not_after >= 0 ? format_time(f->not_after, "until %Y-%m-%d") : g_strdup("");
    g_autofree char *certificate = f->sha256
                                       ? g_strdup_printf("%s; %s; %s; issued by %s; %s", f->subject,
                                                         f->key, f->chain, f->issuer, until)
                                       : g_strdup("");
    g_autofree char *where =
        f->address ? g_strdup_printf("%s [%s]", f->mx, f->address) : g_strdup(f->mx);
    const char *why = f->tls_error ? f->tls_error : f->reply;
    g_autofree char *outcome =
        why && strcmp(f->state, "ok") != 0
            ? g_strdup_printf("%s: %s", summary_outcome(f), why)
            : g_strdup_printf("%s %s", summary_outcome(f), f->tls_cipher ? f->tls_cipher : "");
    g_string_append(out, "<tr>");
    put_cell(out, where);
    put_cell(out, outcome);
    put_cell(out, certificate);
    put_cell(out, f->dane ? f->dane : f->dane_reason);
    put_cell(out, f->banner);
    g_string_append(out, "</tr>\n");
}

static void put_domain(GString *out, struct history *history, const GPtrArray *findings)
{
    const struct finding *first = findings->pdata[0];
    g_autofree char *line = summary_line(findings);
    g_string_append(out, "<tr><td>");
    chart_text(out, first->domain);
    g_string_append(out, "</td><td>");
    if (first->mx)
        g_string_append(out, "<details><summary>");
    chart_text(out, line + strlen(first->domain) + 2);
    if (first->mx) {
        g_string_append(out, "</summary><div class=\"wide\"><table><tr><th>server</th><th>TLS</th>"
                             "<th>certificate</th><th>DANE</th><th>banner</th></tr>\n");
        for (guint i = 0; i < findings->len; i++)
            put_server(out, findings->pdata[i]);
        g_string_append(out, "</table></div></details>");
    }
    g_string_append(out, "</td><td>");
    plot_domain(out, history, first->domain);
    g_string_append(out, "</td></tr>\n");
}

static void put_changes(GString *out, struct history *history, const GArray *runs)
{
    if (runs->len < 2)
        return;
    int64_t a = g_array_index(runs, struct history_run, runs->len - 2).id;
    int64_t b = g_array_index(runs, struct history_run, runs->len - 1).id;
    g_autofree char *since =
        format_time(g_array_index(runs, struct history_run, runs->len - 2).started, "%Y-%m-%d");
    g_autoptr(GPtrArray) differences = diff_runs(history, a, b);
    g_string_append_printf(out, "<h2>Changed since %s</h2>\n", since);
    if (differences->len == 0) {
        g_string_append(out, "<p>Nothing.</p>\n");
        return;
    }
    g_string_append(out, "<div class=\"wide\"><table class=\"rows\">\n");
    for (guint i = 0; i < differences->len; i++) {
        const struct difference *one = differences->pdata[i];
        const char *class = diff_class_text(one->class);
        g_autofree char *where = g_strdup_printf(
            "%s%s%s%s%s%s", one->domain, one->mx ? " " : "", one->mx ? one->mx : "",
            one->address ? " [" : "", one->address ? one->address : "", one->address ? "]" : "");
        g_string_append_printf(out, "<tr><td class=\"%s\">%s</td>", class, class);
        put_cell(out, where);
        put_cell(out, one->text);
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</table></div>\n");
}

bool html_page(GString *out, struct history *history)
{
    g_autoptr(GArray) runs = history_runs(history);
    if (runs->len == 0)
        return false;
    const struct history_run *last = &g_array_index(runs, struct history_run, runs->len - 1);
    g_autofree char *when = format_time(last->started, "%Y-%m-%d %H:%M");
    g_autoptr(GPtrArray) domains = history_domains(history, last->id);
    g_autoptr(GPtrArray) stories =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_string_append_printf(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
        "'none'; style-src 'unsafe-inline'\">"
        "<title>Survey of %s</title><style>%s</style></head><body>\n"
        "<h1>How they take mail</h1>\n<p>Survey of %s: %u domains, run %" G_GINT64_FORMAT
        " of %u.</p>\n",
        when, style, when, domains->len, last->id, runs->len);
    GString *table = g_string_new("<h2>Domains</h2>\n");
    /* Beside the history's colours, which no axis explains. */
    g_string_append(table, "<p>A domain's history shows its worst server in each run, the "
                           "latest at the right: ");
    for (unsigned i = LEVELS; i-- > 0;)
        g_string_append_printf(
            table, "<span class=\"key\"><span style=\"color:%s\">\342\226\240</span> %s</span> ",
            levels[i].colour, levels[i].words);
    g_string_append(table, "</p>\n");
    g_string_append(table, "<div class=\"wide\"><table class=\"rows\">\n<tr><th>domain</th>"
                           "<th>found</th><th>history</th></tr>\n");
    for (guint i = 0; i < domains->len; i++) {
        GPtrArray *sightings = history_sightings(history, domains->pdata[i], last->id);
        g_autoptr(GPtrArray) now = history_at(sightings, last->id);
        g_ptr_array_add(stories, sightings);
        for (guint j = 0; j < now->len; j++)
            g_ptr_array_add(all, now->pdata[j]);
        if (now->len > 0)
            put_domain(table, history, now);
    }
    g_string_append(out, "<div class=\"plot\">");
    plot_versions(out, history, runs);
    g_string_append(out, "</div>\n<div class=\"plot\">");
    plot_expiry(out, all);
    g_string_append(out, "</div>\n");
    put_changes(out, history, runs);
    g_string_append(out, table->str);
    g_string_append(out, "</table></div>\n</body></html>\n");
    g_string_free(table, TRUE);
    return true;
}
