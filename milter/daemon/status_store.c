/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said of the store.
 */
#include "status_store.h"

#include "checks/limit.h"
#include "report/json.h"

void status_store_write_text(const struct store_status *store, GString *out)
{
    g_string_append_printf(out, "store %s%s%s: %s%s%s\n", store->kind, store->place ? " " : "",
                           store->place ? store->place : "", store->up ? "up" : "DOWN",
                           store->fault ? ", " : "", store->fault ? store->fault : "");
    g_string_append_printf(out, "%10" G_GUINT64_FORMAT "  counters and marks in memory\n",
                           store->records);
    g_string_append_printf(out, "%10" G_GUINT64_FORMAT "  questions to the store\n", store->asked);
    if (limit_keys_missing())
        g_string_append_printf(out,
                               "%10" G_GUINT64_FORMAT
                               "  times a limit did not apply, as a part of its key was missing\n",
                               limit_keys_missing());
    if (store->late || store->failed || store->own)
        g_string_append_printf(out,
                               "%10" G_GUINT64_FORMAT
                               "  of these not answered in time, %" G_GUINT64_FORMAT
                               " answered with an error, %" G_GUINT64_FORMAT " judged without it\n",
                               store->late, store->failed, store->own);
    if (store->forgotten)
        g_string_append_printf(out,
                               "%10" G_GUINT64_FORMAT "  counters and marks had to make room\n",
                               store->forgotten);
}

void status_store_write_json(const struct store_status *store, GString *out)
{
    json_open(out, "store", '{');
    json_string(out, "kind", store->kind);
    json_string(out, "place", store->place);
    json_bool(out, "up", store->up);
    json_string(out, "fault", store->fault);
    json_integer(out, "since", store->since / 1000);
    json_integer(out, "records", (gint64)store->records);
    json_integer(out, "forgotten", (gint64)store->forgotten);
    json_integer(out, "asked", (gint64)store->asked);
    json_integer(out, "late", (gint64)store->late);
    json_integer(out, "failed", (gint64)store->failed);
    json_integer(out, "own", (gint64)store->own);
    json_integer(out, "keys_missing", (gint64)limit_keys_missing());
    json_close(out, '}');
}
