/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lookup tables, for people and programs.
 */
#include "status_tables.h"

#include <string.h>

#include "base/text.h"
#include "lookup/tablestatus.h"
#include "report/json.h"

/* A name is shown to people up to here: inline: tables stand in theirs. */
enum { NAME_WIDTH = 50 };

static char *shown_name(const struct table_status *table)
{
    char *name = text_escape(table->name);
    glong length = g_utf8_strlen(name, -1);
    if (length <= NAME_WIDTH)
        return name;
    g_autofree char *cut = g_utf8_substring(name, 0, NAME_WIDTH - 3);
    g_free(name);
    return g_strconcat(cut, "...", NULL);
}

static int widest(const GPtrArray *tables)
{
    glong width = (glong)strlen("table");
    for (guint i = 0; i < tables->len; i++) {
        g_autofree char *name = shown_name(tables->pdata[i]);
        width = MAX(width, g_utf8_strlen(name, -1));
    }
    return (int)width;
}

static char *age_text(gint64 since, gint64 now)
{
    static const struct {
        gint64 seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    gint64 age = MAX(now - since, 0);
    size_t i = 0;
    if (since == 0)
        return g_strdup("-");
    while (i + 1 < G_N_ELEMENTS(units) && age < 2 * units[i].seconds)
        i++;
    return g_strdup_printf("%" G_GINT64_FORMAT "%c", age / units[i].seconds, units[i].unit);
}

/* "well", "3 lines warned of", "cannot be read again since 5m: No such file or directory" */
static char *state_text(const struct table_status *table, gint64 now)
{
    g_autofree char *since = age_text(table->trouble_at, now);
    if (table->trouble)
        return g_strdup_printf("cannot be read again since %s: %s", since, table->trouble);
    if (table->warnings == 0)
        return g_strdup("well");
    return g_strdup_printf("%u line%s warned of", table->warnings, table->warnings == 1 ? "" : "s");
}

void status_tables_write_text(const GPtrArray *tables, gint64 now, GString *out)
{
    if (tables->len == 0)
        return;
    int wide = widest(tables);
    g_string_append_printf(out, "\n%-*s  %9s %5s  %s\n", wide, "table", "entries", "age", "state");
    for (guint i = 0; i < tables->len; i++) {
        const struct table_status *table = tables->pdata[i];
        g_autofree char *name = shown_name(table);
        g_autofree char *age = age_text(table->read_at, now);
        g_autofree char *state = state_text(table, now);
        int padding = wide - (int)g_utf8_strlen(name, -1);
        g_string_append_printf(out, "%s%*s  %9zu %5s  %s\n", name, padding, "", table->entries, age,
                               state);
    }
}

static void put_seconds(GString *out, const char *key, gint64 since, gint64 now)
{
    if (since == 0)
        json_string(out, key, NULL);
    else
        json_integer(out, key, MAX(now - since, 0));
}

void status_tables_write_json(const GPtrArray *tables, gint64 now, GString *out)
{
    json_open(out, "tables", '[');
    for (guint i = 0; i < tables->len; i++) {
        const struct table_status *table = tables->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "name", table->name);
        json_integer(out, "entries", (gint64)table->entries);
        put_seconds(out, "age", table->read_at, now);
        json_integer(out, "warnings", table->warnings);
        json_string(out, "error", table->trouble);
        put_seconds(out, "error_age", table->trouble ? table->trouble_at : 0, now);
        json_close(out, '}');
    }
    json_close(out, ']');
}
