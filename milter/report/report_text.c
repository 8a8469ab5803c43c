/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The report for persons at a terminal, and for programs.
 */
#include "report/summary_report.h"

#include "base/text.h"
#include "base/when.h"
#include "checks/check.h"
#include "report/json.h"

enum {
    NAME_WIDTH = 30,
    BAR_WIDTH = 17,
    ROWS_SHOWN = 10, /* of those that have no end */
    NAMES_SHOWN = 40,
    LINES_SHOWN = 5, /* of a table */
};

/* What a bar is made of, by outcome. */
static const char marks[REPORT_OUTCOMES + 1] = ".t+-#";

static char *time_text(int64_t when)
{
    return when_text(when / G_USEC_PER_SEC, "%Y-%m-%d %H:%M");
}

/* NAME in so many columns, padded, made safe. */
static void put_name(GString *out, const char *name)
{
    g_autofree char *safe = text_escape(name);
    size_t columns = text_columns(safe);
    if (columns > NAME_WIDTH) {
        safe[text_fit(safe, NAME_WIDTH - 3)] = '\0';
        columns = text_columns(safe) + 3;
        g_string_append_printf(out, "%s...", safe);
    } else {
        g_string_append(out, safe);
    }
    g_string_append_printf(out, "%*s", NAME_WIDTH - (int)columns, "");
}

/* A bar as long as the row is to the LARGEST, made of its parts: none is lost to rounding. */
static void put_bar(GString *out, const struct report_row *row, uint64_t largest)
{
    uint64_t below = 0;
    int drawn = 0;
    g_string_append_c(out, ' ');
    for (int i = REPORT_OUTCOMES; i-- > 0;) {
        below += row->counts[i];
        int end = (int)((double)below / (double)MAX(largest, 1) * BAR_WIDTH + 0.5);
        if (row->counts[i] > 0 && end <= drawn && drawn < BAR_WIDTH)
            end = drawn + 1;
        for (; drawn < MIN(end, BAR_WIDTH); drawn++)
            g_string_append_c(out, marks[i]);
    }
}

static void put_rows(GString *out, const char *title, const GPtrArray *rows, guint most)
{
    uint64_t largest = 0;
    if (rows->len == 0)
        return;
    g_string_append_c(out, '\n');
    put_name(out, title);
    g_string_append_printf(out, "%7s%6s%6s%6s%7s\n", "passed", "tag", "held", "defer", "refuse");
    for (guint i = 0; i < rows->len; i++)
        largest = MAX(largest, report_row_total(rows->pdata[i]));
    for (guint i = 0; i < MIN(rows->len, most); i++) {
        const struct report_row *row = rows->pdata[i];
        put_name(out, row->name);
        for (int j = 0; j < REPORT_OUTCOMES; j++)
            g_string_append_printf(out, "%*" G_GUINT64_FORMAT,
                                   j == REPORT_PASSED || j == REPORT_REFUSED ? 7 : 6,
                                   row->counts[j]);
        put_bar(out, row, largest);
        g_string_append_c(out, '\n');
    }
    if (rows->len > most)
        g_string_append_printf(out, "and %u more\n", rows->len - most);
}

static void put_lists(GString *out, const GPtrArray *lists)
{
    if (lists->len == 0)
        return;
    g_string_append_c(out, '\n');
    put_name(out, "DNS list");
    g_string_append_printf(out, "%10s%10s%10s%10s\n", "answered", "listed", "refused", "alone");
    for (guint i = 0; i < lists->len; i++) {
        const struct report_list *list = lists->pdata[i];
        put_name(out, list->zone);
        g_string_append_printf(out,
                               "%10" G_GUINT64_FORMAT "%10" G_GUINT64_FORMAT "%10" G_GUINT64_FORMAT
                               "%10" G_GUINT64_FORMAT "\n",
                               list->asked, list->listed, list->refused, list->alone);
    }
}

/* "TITLE: A, B" in lines of 80 columns. */
static void put_names(GString *out, const char *title, const GPtrArray *names)
{
    size_t column = 0;
    if (names->len == 0)
        return;
    g_string_append_printf(out, "%s (%u):\n", title, names->len);
    for (guint i = 0; i < MIN(names->len, NAMES_SHOWN); i++) {
        g_autofree char *safe = text_escape(names->pdata[i]);
        safe[text_fit(safe, 76)] = '\0';
        size_t length = text_columns(safe);
        if (column > 0 && column + length + 2 > 78) {
            g_string_append_c(out, '\n');
            column = 0;
        }
        g_string_append_printf(out, "%s%s", column == 0 ? "  " : " ", safe);
        column += length + (column == 0 ? 2 : 1);
    }
    if (names->len > NAMES_SHOWN)
        g_string_append_printf(out, "\n  and %u more", names->len - NAMES_SHOWN);
    g_string_append_c(out, '\n');
}

static void put_tables(GString *out, const struct summary_report *report)
{
    for (guint i = 0; i < report->idle_tables->len; i++) {
        const struct report_table *table = report->idle_tables->pdata[i];
        g_autofree char *name = text_escape(table->name), *since = time_text(table->since);
        g_string_append_printf(out,
                               "%s:\n  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                               " entries found nothing since %s%s\n",
                               name, table->unused, table->entries, since,
                               table->since > report->since ? ", when it was changed" : "");
        for (guint j = 0; j < MIN(table->lines->len, LINES_SHOWN); j++) {
            g_autofree char *line = text_escape(table->lines->pdata[j]);
            g_string_append_printf(out, "    %.*s\n", (int)text_fit(line, 74), line);
        }
        if (table->unused > LINES_SHOWN)
            g_string_append_printf(out, "    and %" G_GUINT64_FORMAT " more\n",
                                   table->unused - LINES_SHOWN);
    }
}

void summary_report_text(const struct summary_report *report, GString *out)
{
    static const struct {
        enum report_kind kind;
        const char *title;
        guint most;
    } parts[] = {
        {REPORT_BY_DAY, "day", G_MAXUINT},
        {REPORT_BY_HOUR, "hour", G_MAXUINT},
        {REPORT_BY_CHECK, "check", G_MAXUINT},
        {REPORT_BY_RULE, "rule", 2 * ROWS_SHOWN},
        {REPORT_BY_LISTENER, "listener", G_MAXUINT},
        {REPORT_BY_LOGIN, "login", ROWS_SHOWN},
        {REPORT_BY_DOMAIN, "sender's domain", ROWS_SHOWN},
    };
    g_autofree char *since = time_text(report->since), *until = time_text(report->until);
    g_string_append_printf(out, "%s to %s: %" G_GUINT64_FORMAT " decisions\n", since, until,
                           report->decisions);
    for (int i = 0; i < REPORT_OUTCOMES; i++)
        g_string_append_printf(out, "%10" G_GUINT64_FORMAT " %-9s %c\n", report->totals[i],
                               report_outcome_words[i], marks[i]);
    if (report->monitored > 0)
        g_string_append_printf(
            out, "of these %" G_GUINT64_FORMAT " in monitor mode: told, and all of it passed on\n",
            report->monitored);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        put_rows(out, parts[i].title, report->rows[parts[i].kind], parts[i].most);
        if (parts[i].kind == REPORT_BY_CHECK) {
            put_lists(out, report->lists);
            put_rows(out, "what a DNS list had", report->rows[REPORT_BY_LIST], G_MAXUINT);
        }
    }
    g_string_append(out, "\nIn force, and nothing came of it\n");
    put_names(out, "restrictions that refused nothing", report->idle_checks);
    put_names(out, "DNS lists that had nothing", report->idle_lists);
    put_names(out, "rules that hit nothing", report->idle_rules);
    put_tables(out, report);
    if (report->idle_tables->len > 0 && report->entries_cut > 0)
        g_string_append_printf(out,
                               "%" G_GUINT64_FORMAT " decisions found more entries than are kept "
                               "(%u): some of these may\nhave been among them\n",
                               report->entries_cut, CHECK_ENTRIES_MAX);
}

/* JSON */

static void json_rows(GString *out, const char *key, const GPtrArray *rows)
{
    json_open(out, key, '[');
    for (guint i = 0; i < rows->len; i++) {
        const struct report_row *row = rows->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "name", row->name);
        for (int j = 0; j < REPORT_OUTCOMES; j++)
            json_integer(out, report_outcome_words[j], (gint64)row->counts[j]);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void json_names(GString *out, const char *key, const GPtrArray *names)
{
    json_open(out, key, '[');
    for (guint i = 0; i < names->len; i++)
        json_string(out, NULL, names->pdata[i]);
    json_close(out, ']');
}

static void json_idle(GString *out, const struct summary_report *report)
{
    json_open(out, "idle", '{');
    json_names(out, "checks", report->idle_checks);
    json_names(out, "lists", report->idle_lists);
    json_names(out, "rules", report->idle_rules);
    json_integer(out, "entries_cut", (gint64)report->entries_cut);
    json_open(out, "tables", '[');
    for (guint i = 0; i < report->idle_tables->len; i++) {
        const struct report_table *table = report->idle_tables->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "name", table->name);
        json_time(out, "since", table->since);
        json_integer(out, "entries", (gint64)table->entries);
        json_integer(out, "unused", (gint64)table->unused);
        json_names(out, "lines", table->lines);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

void summary_report_json(const struct summary_report *report, GString *out)
{
    static const char *const keys[REPORT_KINDS] = {
        [REPORT_BY_DAY] = "days",
        [REPORT_BY_HOUR] = "hours",
        [REPORT_BY_CHECK] = "checks",
        [REPORT_BY_RULE] = "rules",
        [REPORT_BY_LISTENER] = "listeners",
        [REPORT_BY_LOGIN] = "logins",
        [REPORT_BY_DOMAIN] = "sender_domains",
        [REPORT_BY_LIST] = "listed",
    };
    json_open(out, NULL, '{');
    json_time(out, "since", report->since);
    json_time(out, "until", report->until);
    json_integer(out, "decisions", (gint64)report->decisions);
    json_integer(out, "monitored", (gint64)report->monitored);
    for (int i = 0; i < REPORT_OUTCOMES; i++)
        json_integer(out, report_outcome_words[i], (gint64)report->totals[i]);
    for (int kind = 0; kind < REPORT_KINDS; kind++)
        json_rows(out, keys[kind], report->rows[kind]);
    json_open(out, "lists", '[');
    for (guint i = 0; i < report->lists->len; i++) {
        const struct report_list *list = report->lists->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "zone", list->zone);
        json_integer(out, "answered", (gint64)list->asked);
        json_integer(out, "listed", (gint64)list->listed);
        json_integer(out, "refused", (gint64)list->refused);
        json_integer(out, "alone", (gint64)list->alone);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_idle(out, report);
    json_close(out, '}');
    g_string_append_c(out, '\n');
}
