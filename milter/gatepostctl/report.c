/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl report: what the filter did, counted from its history.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/when.h"
#include "base/wholefile.h"
#include "command.h"
#include "history/history_reader.h"
#include "report/summary_report.h"

#define SINCE_DEFAULT "7d"

static bool add_row(void *data, const struct history_row *row)
{
    report_maker_add(data, row);
    return true;
}

/* NULL: it was told why, and *CODE_R says it. */
static struct summary_report *make(const struct invocation *invocation, int64_t since, int64_t now,
                                   enum exit_code *code_r)
{
    g_autofree char *path = invocation_history(invocation, NULL, code_r), *why = NULL;
    struct snapshot *snapshot = path ? invocation_load(invocation) : NULL;
    if (!snapshot)
        return NULL;
    struct summary_report *report = NULL;
    struct history_reader *reader = history_reader_open(path, &why);
    *code_r = CODE_UNAVAILABLE;
    if (reader) {
        struct report_maker *maker = report_maker_new(snapshot, since);
        bool read = history_scan(reader, since, now, add_row, maker, &why);
        report = report_maker_finish(maker, now);
        if (!read)
            g_clear_pointer(&report, summary_report_free);
        else if (history_reader_broken(reader) > 0)
            complain("%s: %" G_GUINT64_FORMAT " decisions cannot be read", path,
                     history_reader_broken(reader));
    }
    if (!report)
        complain("%s", why);
    history_reader_close(reader);
    snapshot_unref(snapshot);
    return report;
}

/* The page has logins and domains in it: nobody but the owner reads it, until he says so. */
static enum exit_code write_page(const char *file, const struct summary_report *report)
{
    g_autoptr(GString) page = g_string_new(NULL);
    summary_report_html(report, page);
    if (strcmp(file, "-") == 0)
        return fputs(page->str, stdout) >= 0 ? CODE_FINE : CODE_UNAVAILABLE;
    g_autofree char *why = whole_file_replace(file, page->str, page->len, 0600);
    if (why)
        complain("%s", why);
    return why ? CODE_USAGE : CODE_FINE;
}

enum exit_code command_report(struct invocation *invocation)
{
    gboolean json = FALSE;
    g_autofree char *since = NULL, *html = NULL;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {"html", 0, 0, G_OPTION_ARG_FILENAME, &html, NULL, NULL},
                                    {"since", 0, 0, G_OPTION_ARG_STRING, &since, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    int64_t now = g_get_real_time(), begin;
    enum exit_code code;
    enum parse_result parsed = invocation_parse(invocation, entries, 0, 0);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (json && html)
        return usage_error(invocation, "--json or --html, not both");
    if (!when_parse(since ? since : SINCE_DEFAULT, now, WHEN_SINCE, &begin))
        return usage_error(invocation, "\"%s\" is no time; " WHEN_FORMS, since);
    struct summary_report *report = make(invocation, begin, now, &code);
    if (!report)
        return code;
    g_autoptr(GString) out = g_string_new(NULL);
    code = CODE_FINE;
    if (html) {
        code = write_page(html, report);
    } else {
        (json ? summary_report_json : summary_report_text)(report, out);
        fputs(out->str, stdout);
    }
    summary_report_free(report);
    return code;
}
