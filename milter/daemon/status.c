/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The status, as text and as JSON: the table of numbers, and what is more than a number.
 */
#include "status.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/text.h"
#include "base/when.h"
#include "config.h"
#include "mta/mta.h"
#include "report/json.h"
#include "status_dns.h"
#include "status_rows.h"
#include "status_history.h"
#include "status_store.h"
#include "status_tables.h"

/* A line of the log that takes so long, in microseconds, waits for a reader that stands still. */
enum { LOG_STALLS = 2 * G_USEC_PER_SEC };

static char *duration_text(gint64 seconds)
{
    gint64 days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
    if (days > 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "d %" G_GINT64_FORMAT "h", days, hours);
    if (hours > 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "h %" G_GINT64_FORMAT "m", hours, minutes);
    return g_strdup_printf("%" G_GINT64_FORMAT "m %" G_GINT64_FORMAT "s", minutes, seconds % 60);
}

static gint64 uptime(const struct status *status)
{
    return MAX(g_get_real_time() / G_USEC_PER_SEC - status->started, 0);
}

/* Seconds that whoever reads the log stands still. */
static gint64 log_stalls(const struct status *status)
{
    return status->log.writing < LOG_STALLS ? 0 : status->log.writing / G_USEC_PER_SEC;
}

static void write_text(const struct status *status, GString *out)
{
    g_autofree char *library = mta_library_version();
    bool ours = strcmp(mta_engine_name(), "native") == 0;
    g_autofree char *up = duration_text(uptime(status));
    g_autofree char *loaded = when_text(status->loaded, "%Y-%m-%d %H:%M:%S");
    g_string_append_printf(out, "gatepost %s (%s%s), process %ld, up %s, mode %s\n",
                           GATEPOST_VERSION, ours ? "native engine" : "libmilter ",
                           ours ? "" : library, (long)getpid(), up, status->mode);
    g_string_append_printf(out, "%s, read %s%s\n", status->path, loaded,
                           status->reload_failed ? "; the last reload FAILED, see the log" : "");
    for (guint i = 0; status->newer && i < status->newer->len; i++) {
        g_autofree char *line = text_escape(status->newer->pdata[i]);
        g_string_append_printf(out, "NOT IN FORCE YET: %s\n", line);
    }
    if (log_stalls(status))
        g_string_append_printf(out,
                               "the log STANDS STILL: nobody has read it for %" G_GINT64_FORMAT
                               " s; mail goes on, and what is refused is kept longest\n",
                               log_stalls(status));
    metrics_write(status_rows, status_row_count, METRICS_TEXT, status, out);
    status_store_write_text(&status->store, out);
    status_history_write_text(status->history_path, &status->history, out);
    status_dns_write_text(&status->dns, out);
    status_tables_write_text(status->tables, g_get_real_time() / G_USEC_PER_SEC, out);
}

static void write_json(const struct status *status, GString *out)
{
    g_autofree char *library = mta_library_version();
    g_autofree char *loaded = when_text(status->loaded, "%Y-%m-%dT%H:%M:%S%:z");
    json_open(out, NULL, '{');
    json_string(out, "version", GATEPOST_VERSION);
    json_string(out, "libmilter", library);
    json_string(out, "milter_engine", mta_engine_name());
    json_integer(out, "pid", getpid());
    json_integer(out, "uptime", uptime(status));
    json_string(out, "mode", status->mode);
    json_string(out, "config", status->path);
    json_string(out, "loaded", loaded);
    json_bool(out, "reload_failed", status->reload_failed);
    json_open(out, "not_in_force", '[');
    for (guint i = 0; status->newer && i < status->newer->len; i++)
        json_string(out, NULL, status->newer->pdata[i]);
    json_close(out, ']');
    metrics_write(status_rows, status_row_count, METRICS_JSON, status, out);
    json_integer(out, "log_stalls", log_stalls(status));
    status_store_write_json(&status->store, out);
    status_history_write_json(status->history_path, &status->history, out);
    status_dns_write_json(&status->dns, out);
    status_tables_write_json(status->tables, g_get_real_time() / G_USEC_PER_SEC, out);
    json_close(out, '}');
    g_string_append_c(out, '\n');
}

void status_write_metrics(const struct status *status, GString *out)
{
    metrics_write(status_rows, status_row_count, METRICS_PROMETHEUS, status, out);
}

int status_write(const struct status *status, const char *const *words, GString *out)
{
    bool json = words[0] && strcmp(words[0], "--json") == 0;
    if (words[0] && (!json || words[1])) {
        g_string_append(out, "usage: status [--json]\n");
        return EX_USAGE;
    }
    (json ? write_json : write_text)(status, out);
    return EX_OK;
}
