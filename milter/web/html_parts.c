/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of pages.
 */
#include "html_parts.h"

#include <string.h>

#include "base/when.h"
#include "report/chart.h"

char *html_duration(int64_t seconds)
{
    seconds = MAX(seconds, 0);
    if (seconds >= 86400)
        return g_strdup_printf("%d d %d h", (int)(seconds / 86400), (int)(seconds / 3600 % 24));
    if (seconds >= 3600)
        return g_strdup_printf("%d h %d min", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    if (seconds >= 60)
        return g_strdup_printf("%d min", (int)(seconds / 60));
    return g_strdup_printf("%d s", (int)seconds);
}

char *html_time(int64_t seconds)
{
    return when_text(seconds, "%Y-%m-%d %H:%M:%S");
}

char *html_zone(void)
{
    return when_text(g_get_real_time() / G_USEC_PER_SEC, "%Z");
}

void html_cell(GString *out, const char *label, const char *text)
{
    if (label)
        g_string_append_printf(out, "<td data-l=\"%s\">", label);
    else
        g_string_append(out, "<td>");
    chart_text(out, text);
    g_string_append(out, "</td>");
}

void html_address_cell(GString *out, const char *label, const char *address)
{
    g_auto(GStrv) parts = g_strsplit(address, "@", 2);
    g_string_append_printf(out, "<td data-l=\"%s\">", label);
    for (unsigned i = 0; parts[i]; i++) {
        g_string_append(out, i ? "@<wbr>" : "");
        chart_text(out, parts[i]);
    }
    g_string_append(out, "</td>");
}

void html_number_cell(GString *out, const char *label, double number)
{
    g_autofree char *text = chart_number(number);
    if (label)
        g_string_append_printf(out, "<td class=\"n\" data-l=\"%s\">%s</td>", label, text);
    else
        g_string_append_printf(out, "<td class=\"n\">%s</td>", text);
}

void html_action(GString *out, const char *action, bool monitor)
{
    static const struct {
        const char *action, *class, *words;
    } rows[] = {{"accept", "good", "passed"},
                {"hold", "warn", "held"},
                {"tempfail", "warn", "deferred"},
                {"reject", "bad", "refused"}};
    const char *class = "dim", *words = action;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].action, action) == 0) {
            class = rows[i].class;
            words = rows[i].words;
        }
    g_string_append_printf(out, "<span class=\"badge %s\">", class);
    chart_text(out, words);
    g_string_append(out, monitor ? " (only told)</span>" : "</span>");
}

void html_bar(GString *out, double share, const char *colour)
{
    char width[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(width, sizeof width, "%.2f", CLAMP(share, 0, 1) * 100);
    g_string_append_printf(out,
                           "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
                           "aria-hidden=\"true\"><rect width=\"100\" height=\"8\" rx=\"2\" "
                           "fill=\"currentColor\" fill-opacity=\"0.1\"/><rect width=\"%s\" "
                           "height=\"8\" rx=\"2\" fill=\"%s\"/></svg>",
                           width, colour);
}

void html_begin(GString *out, const struct html_head *head)
{
    g_string_append(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width\">"
                         "<meta name=\"color-scheme\" content=\"light dark\">");
    if (head->refresh)
        g_string_append_printf(out, "<meta http-equiv=\"refresh\" content=\"%u\">", head->refresh);
    g_string_append(out, "<link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" "
                         "href=\"/style.css\"><title>");
    chart_text(out, head->title);
    g_string_append(out, "</title></head><body>\n<a class=\"skip\" href=\"#main\">To what "
                         "there is</a><header><h1><a href=\"/\">gatepost</a></h1><p>");
    if (head->daemon) {
        int64_t now = g_get_real_time() / G_USEC_PER_SEC;
        g_autofree char *up = html_duration(now - answer_number(head->daemon, 3));
        g_autofree char *read = html_time(answer_number(head->daemon, 4));
        g_autofree char *zone = html_zone();
        g_string_append(out, "<span class=\"host\">");
        chart_text(out, g_get_host_name());
        g_string_append(out, "</span> &middot; version ");
        chart_text(out, head->daemon->fields[0]);
        g_string_append(out, " (");
        chart_text(out, head->daemon->fields[1]);
        g_string_append_printf(out, ") &middot; up %s &middot; settings read %s ", up, read);
        chart_text(out, zone);
    }
    g_string_append(out, "</p>");
    if (head->query) {
        g_string_append(out, "<form action=\"/search\" role=\"search\"><input type=\"search\" "
                             "name=\"q\" maxlength=\"300\" aria-label=\"Search decisions\" "
                             "placeholder=\"address, domain, IP, login, queue id\" value=\"");
        chart_text(out, head->query);
        g_string_append(out, "\"><button>Search</button></form>");
    } else if (head->may_sign_in) {
        g_string_append(out, "<a href=\"/login\">Show decisions</a>");
    }
    g_string_append(out, "</header>\n<main id=\"main\" tabindex=\"-1\">\n");
}

void html_end(GString *out)
{
    g_autofree char *now = html_time(g_get_real_time() / G_USEC_PER_SEC), *zone = html_zone();
    g_string_append_printf(out, "</main>\n<footer><p>%s ", now);
    chart_text(out, zone);
    g_string_append(out, " &middot; <a href=\"/metrics\">metrics</a> for Prometheus</p></footer>\n"
                         "</body></html>\n");
}
