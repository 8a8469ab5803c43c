/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Decisions.
 */
#include "decisions.h"

#include <string.h>

#include "html_parts.h"
#include "report/chart.h"

/* Fields of a "decision". */
enum {
    WHEN,
    ACTION,
    STAGE,
    CHECK,
    REPLY,
    CLIENT,
    NAME,
    FROM,
    TO,
    LOGIN,
    SESSION,
    QUEUE_ID,
    MONITOR,
    TEXT,
};

static void put_link(GString *out, const char *query, const char *text)
{
    g_autofree char *escaped = g_uri_escape_string(query, NULL, FALSE);
    g_string_append_printf(out, "<a href=\"/search?q=%s\">", escaped);
    chart_text(out, text);
    g_string_append(out, "</a>");
}

void decisions_table(GString *out, const struct answer *answer)
{
    const struct answer_line *line;
    g_autofree char *zone = html_zone();
    g_string_append(out, "<table class=\"rows decisions\"><caption>The newest first, times in ");
    chart_text(out, zone);
    g_string_append(out, "; each leads to all that was decided in its session</caption><thead><tr>"
                         "<th scope=\"col\">When</th><th scope=\"col\">What</th>"
                         "<th scope=\"col\">Client</th><th scope=\"col\">From</th>"
                         "<th scope=\"col\">To</th><th scope=\"col\">Why</th></tr></thead><tbody>");
    for (guint i = 0; (line = answer_line(answer, "decision", i)); i++) {
        g_autofree char *when = html_time(answer_number(line, WHEN) / 1000000);
        g_string_append(out, "<tr><td>");
        put_link(out, line->fields[SESSION], when);
        g_string_append(out, "</td><td>");
        html_action(out, line->fields[ACTION], *line->fields[MONITOR] != '\0');
        g_string_append(out, "</td><td data-l=\"client\"><span class=\"addr\">");
        chart_text(out, line->fields[CLIENT]);
        g_string_append(out, "</span></td>");
        html_address_cell(out, "from", line->fields[FROM]);
        html_address_cell(out, "to", line->fields[TO]);
        g_string_append(out, "<td class=\"said\">");
        chart_text(out, line->fields[CHECK]);
        if (*line->fields[REPLY]) {
            g_string_append(out, "<br><span class=\"dim\">");
            chart_text(out, line->fields[REPLY]);
            g_string_append(out, "</span>");
        }
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</tbody></table>\n");
}

static void put_fact(GString *out, const char *key, const char *value)
{
    if (*value == '\0')
        return;
    g_string_append(out, "<dt>");
    chart_text(out, key);
    g_string_append(out, "</dt><dd>");
    chart_text(out, value);
    g_string_append(out, "</dd>");
}

static void begin_decision(GString *out, const struct answer_line *line)
{
    static const struct {
        const char *key;
        unsigned field;
    } rows[] = {{"reply", REPLY},   {"decided by", CHECK}, {"why", TEXT},    {"stage", STAGE},
                {"client", CLIENT}, {"name", NAME},        {"login", LOGIN}, {"from", FROM},
                {"to", TO},         {"queue id", QUEUE_ID}};
    g_autofree char *when = html_time(answer_number(line, WHEN) / 1000000);
    g_string_append(out, "<article><header><h3>");
    html_action(out, line->fields[ACTION], *line->fields[MONITOR] != '\0');
    g_string_append_printf(out, " %s</h3><span class=\"dim\">session ", when);
    put_link(out, line->fields[SESSION], line->fields[SESSION]);
    g_string_append(out, "</span></header><dl>");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        put_fact(out, rows[i].key, line->fields[rows[i].field]);
}

unsigned decisions_whole(GString *out, const struct answer *answer)
{
    unsigned count = 0;
    for (guint i = 0; i < answer->lines->len; i++) {
        const struct answer_line *line = &g_array_index(answer->lines, struct answer_line, i);
        if (strcmp(line->kind, "decision") == 0) {
            if (count++ > 0)
                g_string_append(out, "</dl></article>\n");
            begin_decision(out, line);
        } else if (strcmp(line->kind, "fact") == 0 && count > 0) {
            put_fact(out, line->fields[0], line->fields[1]);
        }
    }
    if (count > 0)
        g_string_append(out, "</dl></article>\n");
    return count;
}
