/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The overview and the search.
 */
#include "page.h"

#include <string.h>

#include "answer_lines.h"
#include "config.h"
#include "decisions.h"
#include "hours_seen.h"
#include "html_parts.h"
#include "report/chart.h"

/* Seconds after which a page is loaded anew: when all is well, and when the daemon is away. */
enum { REFRESH = 60, REFRESH_AWAY = 10, QUERY_MAX = 300 };

/* Fields of a "daemon". */
enum {
    DAEMON_VERSION,
    DAEMON_MODE = 2,
    DAEMON_STARTED,
    DAEMON_LOADED,
    DAEMON_RELOAD_FAILED,
    DAEMON_LOG_STALLS = 8
};

/* How all is */

static void put_item(GString *out, unsigned *count, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void put_item(GString *out, unsigned *count, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_string_append(out, "<li>");
    chart_text(out, text);
    g_string_append(out, "</li>");
    ++*count;
}

/* What somebody should look at, worst first. */
static unsigned put_troubles(GString *out, const struct answer *answer)
{
    const struct answer_line *daemon = answer_line(answer, "daemon", 0), *line;
    unsigned count = 0;
    /* After an upgrade one of the two may go on as it was. */
    const char *version = daemon->fields[DAEMON_VERSION];
    if (strcmp(version, GATEPOST_VERSION) != 0 || answer->lacking)
        put_item(out, &count,
                 "gatepost %s answers, and this is gatepost-web %s: what one of them does not know "
                 "is missing here (%u lines are); restart both.",
                 version, GATEPOST_VERSION, answer->lacking);
    if ((line = answer_line(answer, "store", 0)) && answer_number(line, 1) == 0)
        put_item(out, &count, "The store is away, each daemon counts by itself: %s",
                 line->fields[2]);
    if (answer_number(daemon, DAEMON_RELOAD_FAILED))
        put_item(out, &count,
                 "The last reload failed, older settings are in force: "
                 "gatepostctl check says why.");
    if (answer_number(daemon, DAEMON_LOG_STALLS) > 1)
        put_item(out, &count, "Nobody has read the log for %s s.",
                 daemon->fields[DAEMON_LOG_STALLS]);
    for (guint i = 0; (line = answer_line(answer, "list", i)); i++)
        if (answer_number(line, 1) == 0)
            put_item(out, &count, "The list %s is set aside: %s", line->fields[0], line->fields[3]);
    for (guint i = 0; (line = answer_line(answer, "table", i)); i++)
        if (*line->fields[4])
            put_item(out, &count, "The table %s cannot be read again: %s", line->fields[0],
                     line->fields[4]);
    if ((line = answer_line(answer, "limit", 0)) && *line->fields[4])
        put_item(out, &count,
                 "It is not known which keys are near their limits: the store has not "
                 "told all of them.");
    for (guint i = 0; (line = answer_line(answer, "limit", i)); i++)
        if (answer_number(line, 2) > 0)
            put_item(out, &count, "%s %s near the limit %s (%s)", line->fields[2],
                     answer_number(line, 2) == 1 ? "key is" : "keys are", line->fields[0],
                     line->fields[1]);
    return count;
}

static void put_state(GString *out, const struct answer *answer)
{
    g_autoptr(GString) items = g_string_new(NULL);
    unsigned count = put_troubles(items, answer);
    const struct answer_line *daemon = answer_line(answer, "daemon", 0);
    bool monitors = strcmp(daemon->fields[DAEMON_MODE], "monitor") == 0;
    g_string_append_printf(out, "<section class=\"state%s\"><h2>%s</h2>", count ? " ill" : "",
                           count ? "To be looked at" : "All is well");
    if (count)
        g_string_append_printf(out, "<ul>%s</ul>", items->str);
    else
        g_string_append(out, "<p>Lists, tables, limits and the store are as they should be.</p>");
    if (monitors)
        g_string_append(out, "<p><span class=\"badge warn\">mode = monitor</span> Nothing is "
                             "refused: what would have been is only told.</p>");
    g_string_append(out, "</section>\n");
}

/* Plots */

/* Two groups, so that where a row is too short for all it breaks between them. */
static void put_tiles(GString *out, const double *sums)
{
    g_string_append(out, "<div class=\"tiles\"><ul>");
    for (enum fate fate = 0; fate < FATES; fate++) {
        g_autofree char *number = chart_number(sums[fate]);
        if (fate == FATE_DEFERRED)
            g_string_append(out, "</ul><ul>");
        if (fate != FATE_WOULD || sums[fate] > 0)
            g_string_append_printf(out, "<li class=\"f%u\"><b>%s</b><span>%s</span></li>",
                                   (unsigned)fate, number, fate_word(fate));
    }
    g_string_append(out, "</ul></div>");
}

/* The same numbers for those who do not see the plot. */
static void put_numbers(GString *out, const struct chart *chart)
{
    g_string_append(out, "<details><summary>As numbers</summary><table><thead><tr><td></td>");
    for (size_t k = 0; k < chart->series_count; k++)
        g_string_append_printf(out, "<th class=\"n\" scope=\"col\">%s</th>", chart->series[k].name);
    g_string_append(out, "</tr></thead><tbody>");
    for (size_t i = 0; i < chart->count; i++) {
        g_string_append_printf(out, "<tr><th scope=\"row\">%s</th>", chart->labels[i]);
        for (size_t k = 0; k < chart->series_count; k++)
            html_number_cell(out, NULL, chart->series[k].values[i]);
        g_string_append(out, "</tr>");
    }
    g_string_append(out, "</tbody></table></details>");
}

/* VALUES: COUNT for each fate. Twice, since letters must not shrink with the plot. */
static void put_plot(GString *out, const char *title, char *const *labels, const double *values,
                     size_t count)
{
    struct chart_series series[FATES];
    double sums[FATES];
    struct chart chart = {.title = title,
                          .labels = (const char *const *)labels,
                          .count = count,
                          .series = series,
                          .width = 560,
                          .bare = true};
    for (enum fate fate = 0; fate < FATES; fate++) {
        sums[fate] = hours_seen_sum(values + fate * count, (unsigned)count);
        if (sums[fate] > 0 || fate != FATE_WOULD)
            series[chart.series_count++] =
                (struct chart_series){fate_word(fate), fate_colour(fate), values + fate * count};
    }
    g_string_append(out, "<section><h2>");
    chart_text(out, title);
    g_string_append(out, "</h2>");
    put_tiles(out, sums);
    g_string_append(out, "<div class=\"wide\">");
    chart_columns(out, &chart);
    g_string_append(out, "</div><div class=\"narrow\">");
    chart.width = 320;
    chart_columns(out, &chart);
    g_string_append(out, "</div>");
    put_numbers(out, &chart);
    g_string_append(out, "</section>\n");
}

static void put_checks(GString *out, const struct hours_seen *seen)
{
    double most = 1;
    for (guint i = 0; i < seen->checks->len; i++)
        most = MAX(most, ((const struct check_seen *)seen->checks->pdata[i])->month);
    g_string_append(out, "<section><h2>Refused and deferred, by check</h2>");
    if (seen->checks->len == 0)
        g_string_append(out, "<p class=\"dim\">Nothing in the last 30 days.</p>");
    else
        g_string_append(
            out, "<table class=\"checks\"><caption>Recipients and messages: refused (5xx) or, "
                 "where it says so, deferred (4xx)</caption><thead><tr><th scope=\"col\">Check</th>"
                 "<th class=\"n\" scope=\"col\">24 h</th><th class=\"n\" scope=\"col\">30 days"
                 "</th><td></td></tr></thead><tbody>");
    for (guint i = 0; i < seen->checks->len; i++) {
        const struct check_seen *check = seen->checks->pdata[i];
        g_string_append(out, "<tr><th scope=\"row\">");
        chart_text(out, check->name);
        g_string_append_printf(out, " <span class=\"dim\">%s</span></th>",
                               check->fate == FATE_REFUSED ? "" : fate_word(check->fate));
        html_number_cell(out, NULL, check->day);
        html_number_cell(out, NULL, check->month);
        g_string_append(out, "<td>");
        html_bar(out, check->month / most, fate_colour(check->fate));
        g_string_append(out, "</td></tr>");
    }
    g_string_append(out, seen->checks->len ? "</tbody></table></section>\n" : "</section>\n");
}

/* Lists, limits, tables */

static void put_milliseconds(GString *out, const char *label, int64_t us)
{
    if (us < 0)
        g_string_append(out, "<td class=\"n none\">-</td>");
    else
        g_string_append_printf(out, "<td class=\"n\" data-l=\"%s\">%.1f ms</td>", label,
                               (double)us / 1000);
}

static void put_lists(GString *out, const struct answer *answer)
{
    const struct answer_line *line;
    if (!answer_line(answer, "list", 0))
        return;
    g_string_append(out,
                    "<section><h2>DNS lists</h2><table class=\"rows\"><caption>Answers since the "
                    "daemon was started, and the time of those from the network</caption>"
                    "<thead><tr><th scope=\"col\">List</th><th scope=\"col\">State</th>"
                    "<th class=\"n\" scope=\"col\">Asked</th><th class=\"n\" scope=\"col\">Listed"
                    "</th><th class=\"n\" scope=\"col\">No answer</th>"
                    "<th class=\"n\" scope=\"col\">Median</th><th class=\"n\" scope=\"col\">99 %"
                    "</th></tr></thead><tbody>");
    for (guint i = 0; (line = answer_line(answer, "list", i)); i++) {
        g_string_append(out, "<tr><th scope=\"row\">");
        chart_text(out, line->fields[0]);
        g_string_append_printf(out, "</th><td class=\"said %s\">",
                               answer_number(line, 1) ? "good" : "bad");
        chart_text(out, line->fields[2]);
        if (*line->fields[3]) {
            g_string_append(out, ": ");
            chart_text(out, line->fields[3]);
        }
        g_string_append(out, "</td>");
        html_number_cell(out, "asked", (double)answer_number(line, 4));
        html_number_cell(out, "listed", (double)answer_number(line, 5));
        html_number_cell(out, "no answer",
                         (double)(answer_number(line, 6) + answer_number(line, 7)));
        put_milliseconds(out, "median", answer_number(line, 8));
        put_milliseconds(out, "99 %", answer_number(line, 9));
        g_string_append(out, "</tr>");
    }
    g_string_append(out, "</tbody></table></section>\n");
}

/* NEAR: lines of keys; NULL: they are not for this reader. INSTEAD: what there is to say instead.
 */
static void put_limits(GString *out, const struct answer *answer, const struct answer *near,
                       const GString *instead)
{
    const struct answer_line *line;
    if (!answer_line(answer, "limit", 0))
        return;
    g_string_append(out,
                    "<section><h2>Limits</h2><table class=\"rows\"><caption>Keys that have used "
                    "limit_warn of what they may; refusals since the daemon was started</caption>"
                    "<thead><tr><th scope=\"col\">Limit</th><th scope=\"col\">At most</th>"
                    "<th class=\"n\" scope=\"col\">Keys near it</th>"
                    "<th class=\"n\" scope=\"col\">Refused</th></tr></thead><tbody>");
    for (guint i = 0; (line = answer_line(answer, "limit", i)); i++) {
        g_string_append(out, "<tr><th scope=\"row\">");
        chart_text(out, line->fields[0]);
        g_string_append(out, "</th>");
        html_cell(out, "at most", line->fields[1]);
        g_autofree char *near_it = chart_number((double)answer_number(line, 2));
        g_string_append_printf(out, "<td class=\"n\" data-l=\"keys near it\">%s%s</td>",
                               *line->fields[4] ? "at least " : "", near_it);
        html_number_cell(out, "refused", (double)answer_number(line, 3));
        g_string_append(out, "</tr>");
    }
    g_string_append(out, "</tbody></table>");
    g_string_append_len(out, instead->str, (gssize)instead->len);
    if (near && answer_line(near, "near", 0)) {
        g_string_append(out, "<table><caption>Near their end, the nearest first</caption><tbody>");
        for (guint i = 0; (line = answer_line(near, "near", i)); i++) {
            double used = (double)answer_number(line, 2), max = (double)answer_number(line, 3);
            g_autofree char *used_text = chart_number(used), *max_text = chart_number(max);
            g_string_append(out, "<tr><th scope=\"row\">");
            chart_text(out, line->fields[1]);
            g_string_append(out, " <span class=\"dim\">");
            chart_text(out, line->fields[0]);
            g_string_append_printf(out, "</span></th><td class=\"n\">%s of %s</td><td>", used_text,
                                   max_text);
            html_bar(out, max > 0 ? used / max : 1, used >= max ? "#d2524a" : "#e0a030");
            g_string_append(out, "</td></tr>");
        }
        g_string_append(out, "</tbody></table>");
    }
    g_string_append(out, "</section>\n");
}

static void put_greylisting(GString *out, const struct answer *answer)
{
    const struct answer_line *line;
    if (!answer_line(answer, "greylist", 0))
        return;
    g_string_append(out, "<section><h2>Greylisting <span class=\"dim\">since the start</span></h2>"
                         "<div class=\"tiles\"><ul>");
    for (guint i = 0; (line = answer_line(answer, "greylist", i)); i++) {
        g_autofree char *number = chart_number((double)answer_number(line, 1));
        g_string_append_printf(out, "<li class=\"f2\"><b>%s</b><span>", number);
        chart_text(out, line->fields[0]);
        g_string_append(out, "</span></li>");
    }
    g_string_append(out, "</ul></div></section>\n");
}

static void put_tables(GString *out, const struct answer *answer)
{
    const struct answer_line *line;
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    if (!answer_line(answer, "table", 0))
        return;
    g_string_append(out,
                    "<section><h2>Tables</h2><table class=\"rows\"><caption>Lookup tables and "
                    "lists of the settings; who changes a file need not reload</caption><thead><tr>"
                    "<th scope=\"col\">Table</th><th class=\"n\" scope=\"col\">Entries</th>"
                    "<th scope=\"col\">Read</th><th scope=\"col\">State</th></tr></thead><tbody>");
    for (guint i = 0; (line = answer_line(answer, "table", i)); i++) {
        int64_t read = answer_number(line, 2), warnings = answer_number(line, 3);
        g_autofree char *age = read ? html_duration(now - read) : NULL;
        g_string_append(out, "<tr><th scope=\"row\">");
        chart_text(out, line->fields[0]);
        g_string_append(out, "</th>");
        html_number_cell(out, "entries", (double)answer_number(line, 1));
        g_string_append_printf(
            out, "<td data-l=\"read\"><span class=\"age\">%s%s</span></td><td class=\"said %s\">",
            age ? age : "with the settings", age ? " ago" : "",
            *line->fields[4] ? "bad"
            : warnings       ? "warn"
                             : "good");
        if (*line->fields[4])
            chart_text(out, line->fields[4]);
        else if (warnings)
            g_string_append_printf(out, "%d lines warned of", (int)warnings);
        else
            g_string_append(out, "well");
        g_string_append(out, "</td></tr>");
    }
    g_string_append(out, "</tbody></table></section>\n");
}

static void put_store(GString *out, const struct answer *answer)
{
    const struct answer_line *line = answer_line(answer, "store", 0);
    if (!line)
        return;
    bool up = answer_number(line, 1) != 0;
    g_autofree char *records = chart_number((double)answer_number(line, 3));
    g_string_append(out, "<section><h2>Store</h2><p>");
    chart_text(out, line->fields[0]);
    g_string_append_printf(out, ": <span class=\"%s\">%s</span> ", up ? "good" : "bad",
                           up ? "up" : "away");
    chart_text(out, line->fields[2]);
    g_string_append_printf(out,
                           "</p><p class=\"dim\">%s counters and marks in memory; %d questions "
                           "not answered in time, %d with an error</p></section>\n",
                           records, (int)answer_number(line, 4), (int)answer_number(line, 5));
}

/* Asks for lines; what there is to say instead is put as a note. */
static enum web_asked ask_for(const struct web_site *site, const char *request,
                              struct answer *answer_r, GString *out)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *why = NULL;
    enum web_asked asked = site->ask(site->data, request, text, &why);
    answer_parse(asked == WEB_ANSWERED ? text->str : "", answer_r);
    if (asked == WEB_ANSWERED)
        return asked;
    g_string_append(out, "<p class=\"warn\">");
    chart_text(out, why);
    g_string_append(out, "</p>");
    return asked;
}

static void put_decisions(GString *out, const struct web_site *site)
{
    struct answer answer;
    g_string_append(out, "<section><h2>The last decisions</h2>");
    if (ask_for(site, "decisions", &answer, out) == WEB_ANSWERED) {
        if (answer_line(&answer, "decision", 0))
            decisions_table(out, &answer);
        else
            g_string_append(out, "<p class=\"dim\">None yet.</p>");
    }
    answer_clear(&answer);
    g_string_append(out, "</section>\n");
}

static void put_away(GString *out, const char *why)
{
    html_begin(out,
               &(struct html_head){.title = "gatepost does not answer", .refresh = REFRESH_AWAY});
    g_string_append(out, "<section class=\"state ill\"><h2>The daemon does not answer</h2><p>");
    chart_text(out, why);
    g_string_append(out,
                    "</p><p class=\"dim\">Mail: see what the MTA does without its milter "
                    "(milter_default_action). This page tries again by itself.</p></section>\n");
    html_end(out);
}

bool page_overview(const struct web_site *site, bool personal, GString *out)
{
    struct answer answer, near = {0};
    struct hours_seen seen;
    g_autoptr(GString) text = g_string_new(NULL), no_keys = g_string_new(NULL);
    g_autofree char *why = NULL;
    bool asked = site->ask(site->data, "overview", text, &why) == WEB_ANSWERED;
    answer_parse(asked ? text->str : "", &answer);
    const struct answer_line *daemon = answer_line(&answer, "daemon", 0);
    if (!daemon) {
        put_away(out, asked ? "What it says is no answer to gatepost-web " GATEPOST_VERSION
                              ": is the daemon of another version? Restart both."
                            : why);
        answer_clear(&answer);
        return false;
    }
    if (personal)
        (void)ask_for(site, "near", &near, no_keys);
    html_begin(out, &(struct html_head){.title = "gatepost",
                                        .refresh = REFRESH,
                                        .daemon = daemon,
                                        .query = personal ? "" : NULL,
                                        .may_sign_in = site->token && !personal});
    put_state(out, &answer);
    hours_seen_fill(&answer, g_get_real_time() / G_USEC_PER_SEC, &seen);
    g_string_append(out, "<div class=\"columns\">");
    put_plot(out, "The last 24 hours", seen.hour_labels, &seen.hours[0][0], SEEN_HOURS);
    put_plot(out, "The last 30 days", seen.day_labels, &seen.days[0][0], SEEN_DAYS);
    g_string_append(out, "</div>");
    g_string_append(out, "<div class=\"columns\">");
    put_checks(out, &seen);
    put_limits(out, &answer, personal ? &near : NULL, no_keys);
    put_greylisting(out, &answer);
    put_store(out, &answer);
    put_tables(out, &answer);
    g_string_append(out, "</div>");
    put_lists(out, &answer);
    if (personal)
        put_decisions(out, site);
    html_end(out);
    hours_seen_clear(&seen);
    answer_clear(&answer);
    if (personal)
        answer_clear(&near);
    return true;
}

/* How much was found, before it: nobody reads to the end to learn that there is more. */
static void put_found(GString *out, const struct answer *answer)
{
    const struct answer_line *more = answer_line(answer, "more", 0);
    unsigned count = decisions_count(answer);
    if (count == 0) {
        g_string_append(out,
                        "<section><p>Nothing is known of it.</p><p class=\"dim\">What has been "
                        "decided is kept for history_keep, and an address is found as it was "
                        "given or as the MTA took it; a part of one is not.</p></section>");
        return;
    }
    g_autofree char *zone = html_zone();
    g_string_append_printf(out, "<p class=\"found\">%u %s, the oldest first, times in ", count,
                           count == 1 ? "decision" : "decisions");
    chart_text(out, zone);
    g_string_append(out, ".");
    if (more) {
        g_string_append(out, " <strong>");
        chart_text(out, more->fields[0]);
        g_string_append(out, "</strong> <code>gatepostctl trace</code> tells all.");
    }
    g_string_append(out, "</p>");
}

/* What became of the search is put, and returned. */
static enum web_asked put_findings(const struct web_site *site, const char *query, GString *out)
{
    struct answer answer;
    g_autofree char *word = g_uri_escape_string(query, "@", FALSE);
    g_autofree char *request = g_strconcat("search ", word, NULL);
    g_string_append(out, "<h2>Decisions about ");
    chart_text(out, query);
    g_string_append(out, "</h2>");
    enum web_asked asked = ask_for(site, request, &answer, out);
    if (asked == WEB_ANSWERED)
        put_found(out, &answer);
    decisions_whole(out, &answer);
    answer_clear(&answer);
    return asked;
}

enum web_asked page_search(const struct web_site *site, const char *query, GString *out)
{
    struct answer about;
    enum web_asked asked;
    g_autofree char *trimmed = g_strstrip(g_strndup(query, QUERY_MAX));
    g_autoptr(GString) body = g_string_new(NULL);
    /* at once, where a search would be waited for: whether the daemon is there at all */
    asked = ask_for(site, "about", &about, body);
    if (asked == WEB_ANSWERED && strlen(query) > QUERY_MAX)
        asked = WEB_NO_SUCH;
    else if (asked == WEB_ANSWERED && *trimmed)
        asked = put_findings(site, trimmed, body);
    g_autofree char *title = g_strconcat("gatepost: ", *trimmed ? trimmed : "search", NULL);
    html_begin(out, &(struct html_head){.title = title,
                                        .daemon = answer_line(&about, "daemon", 0),
                                        .query = trimmed});
    if (asked == WEB_NO_SUCH || *trimmed == '\0')
        g_string_append(out,
                        "<section><h2>Search</h2><p>For all that was decided about an address, "
                        "a domain, an IP address, a login, a queue id or a session: one of "
                        "them, whole, of 300 bytes at most.</p></section>");
    g_string_append_len(out, body->str, (gssize)body->len);
    html_end(out);
    answer_clear(&about);
    return asked;
}
