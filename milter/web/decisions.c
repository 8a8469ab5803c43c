/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Decisions.
 */
#include "decisions.h"

#include <string.h>

#include "html_parts.h"
#include "report/chart.h"

/* So many decisions are shown whole; of more, each by a click. */
enum { OPEN_AT_ONCE = 3 };

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

/* The value of a FACT of the same key as the one before has no key of its own. */
static void put_fact(GString *out, const char *key, const char *value, bool leads)
{
    if (*value == '\0')
        return;
    if (*key) {
        g_string_append(out, "<dt>");
        chart_text(out, key);
        g_string_append(out, "</dt>");
    }
    g_string_append(out, "<dd>");
    /* of what is escaped here the history has another spelling */
    if (leads && !strpbrk(value, " <\\"))
        put_link(out, value, value);
    else
        chart_text(out, value);
    g_string_append(out, "</dd>");
}

/* What is read before it is opened: what became of whose mail, and why. */
static void begin_decision(GString *out, const struct answer_line *line, bool open)
{
    static const struct {
        const char *key;
        unsigned field;
        bool leads; /* to what is known of it */
    } rows[] = {{"reply", REPLY, false},    {"decided by", CHECK, false}, {"why", TEXT, false},
                {"stage", STAGE, false},    {"client", CLIENT, true},     {"name", NAME, false},
                {"login", LOGIN, true},     {"from", FROM, true},         {"to", TO, true},
                {"session", SESSION, true}, {"queue id", QUEUE_ID, true}};
    g_autofree char *when = html_time(answer_number(line, WHEN) / 1000000);
    g_string_append_printf(out, "<details class=\"one\"%s><summary><h3>", open ? " open" : "");
    html_action(out, line->fields[ACTION], *line->fields[MONITOR] != '\0');
    g_string_append_printf(out, " %s ", when);
    chart_text(out, *line->fields[FROM] ? line->fields[FROM] : line->fields[CLIENT]);
    if (*line->fields[TO]) {
        g_string_append(out, " &rarr; ");
        chart_text(out, line->fields[TO]);
    }
    g_string_append(out, " <span class=\"dim\">");
    chart_text(out, line->fields[CHECK]);
    g_string_append(out, "</span></h3></summary><div><dl>");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        put_fact(out, rows[i].key, line->fields[rows[i].field], rows[i].leads);
}

unsigned decisions_count(const struct answer *answer)
{
    unsigned count = 0;
    while (answer_line(answer, "decision", count))
        count++;
    return count;
}

void decisions_whole(GString *out, const struct answer *answer)
{
    static const char end[] = "</dl></div></details>\n";
    bool open = decisions_count(answer) <= OPEN_AT_ONCE, any = false;
    for (guint i = 0; i < answer->lines->len; i++) {
        const struct answer_line *line = &g_array_index(answer->lines, struct answer_line, i);
        if (strcmp(line->kind, "decision") == 0) {
            g_string_append(out, any ? end : "");
            begin_decision(out, line, open);
            any = true;
        } else if (strcmp(line->kind, "fact") == 0 && any) {
            put_fact(out, line->fields[0], line->fields[1], false);
        }
    }
    g_string_append(out, any ? end : "");
}
