/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said of the history.
 */
#include "status_history.h"

#include "report/json.h"

void status_history_write_text(const char *place, const struct history_state *history, GString *out)
{
    if (!place) {
        g_string_append(out, "no history is kept (history is empty)\n");
        return;
    }
    g_string_append_printf(out, "history %s%s\n", place,
                           history->failing_since ? ": it CANNOT BE WRITTEN, see the log" : "");
    g_string_append_printf(out,
                           "%10" G_GUINT64_FORMAT
                           "  decisions written since the start, %" G_GUINT64_FORMAT " kB in all\n",
                           history->written, history->bytes / 1024);
    if (history->waiting || history->dropped)
        g_string_append_printf(
            out, "%10u  decisions wait to be written, %" G_GUINT64_FORMAT " are lost\n",
            history->waiting, history->dropped);
}

void status_history_write_json(const char *place, const struct history_state *history, GString *out)
{
    json_open(out, "history", '{');
    json_string(out, "place", place);
    json_bool(out, "up", place && history->failing_since == 0);
    json_integer(out, "failing_since", history->failing_since / G_USEC_PER_SEC);
    json_integer(out, "written", (gint64)history->written);
    json_integer(out, "dropped", (gint64)history->dropped);
    json_integer(out, "evicted", (gint64)history->evicted);
    json_integer(out, "waiting", history->waiting);
    json_integer(out, "bytes", (gint64)history->bytes);
    json_integer(out, "cpu_us", history->thread_us);
    json_close(out, '}');
}
