/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Findings, and how they are written.
 */
#include "finding.h"

#include <stddef.h>
#include <string.h>

#include "report/json.h"
#include "smtp_talk.h"

const struct finding_row finding_rows[] = {
#define FINDING(member, name, kind, traits)                                                        \
    {#member, name, FINDING_##kind, FINDING_##traits, offsetof(struct finding, member)},
#include "finding_rows.h"
#undef FINDING
};
const size_t finding_row_count = G_N_ELEMENTS(finding_rows);

bool finding_row_is_text(const struct finding_row *row)
{
    return row->kind == FINDING_TEXT || row->kind == FINDING_LIST;
}

char **finding_text(struct finding *finding, const struct finding_row *row)
{
    return (char **)((char *)finding + row->offset);
}

int64_t *finding_number(struct finding *finding, const struct finding_row *row)
{
    return (int64_t *)((char *)finding + row->offset);
}

struct finding *finding_new(void)
{
    struct finding *finding = g_new0(struct finding, 1);
    for (size_t i = 0; i < finding_row_count; i++)
        if (!finding_row_is_text(&finding_rows[i]))
            *finding_number(finding, &finding_rows[i]) = -1;
    return finding;
}

void finding_free(struct finding *finding)
{
    for (size_t i = 0; finding && i < finding_row_count; i++)
        if (finding_row_is_text(&finding_rows[i]))
            g_free(*finding_text(finding, &finding_rows[i]));
    g_free(finding);
}

static void free_element(void *data)
{
    finding_free(data);
}

GPtrArray *finding_list_new(void)
{
    return g_ptr_array_new_with_free_func(free_element);
}

void finding_set(char **member, const char *text)
{
    char *copy = g_strdup(text);
    g_free(*member);
    *member = copy;
}

const struct finding_row *finding_differ(const struct finding *a, const struct finding *b,
                                         unsigned traits)
{
    struct finding *left = (struct finding *)a, *right = (struct finding *)b;
    for (size_t i = 0; i < finding_row_count; i++) {
        const struct finding_row *row = &finding_rows[i];
        if (row->traits & traits)
            continue;
        bool same = finding_row_is_text(row)
                        ? g_strcmp0(*finding_text(left, row), *finding_text(right, row)) == 0
                        : *finding_number(left, row) == *finding_number(right, row);
        if (!same)
            return row;
    }
    return NULL;
}

bool finding_is_definite(const struct finding *finding)
{
    return smtp_state_definite(finding->state, finding->reply, (int)finding->tries);
}

/* ---- JSON ---- */

static char *time_text(int64_t seconds)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);
    return date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

static void put_value(GString *out, const char *key, struct finding *finding,
                      const struct finding_row *row)
{
    int64_t number = finding_row_is_text(row) ? 0 : *finding_number(finding, row);
    char *text = finding_row_is_text(row) ? *finding_text(finding, row) : NULL;
    if (row->kind == FINDING_LIST && text) {
        g_auto(GStrv) words = g_strsplit(text, " ", -1);
        json_open(out, key, '[');
        for (size_t i = 0; words[i]; i++)
            if (*words[i])
                json_string(out, NULL, words[i]);
        json_close(out, ']');
    } else if (finding_row_is_text(row) || number < 0) {
        json_string(out, key, text);
    } else if (row->kind == FINDING_BOOL) {
        json_bool(out, key, number);
    } else if (row->kind == FINDING_TIME) {
        g_autofree char *time = time_text(number);
        json_string(out, key, time);
    } else {
        json_integer(out, key, number);
    }
}

void finding_json(GString *out, struct finding *finding)
{
    g_autofree char *open = NULL;
    GString *line = g_string_new(NULL);
    json_open(line, NULL, '{');
    json_integer(line, "schema", 1);
    for (size_t i = 0; i < finding_row_count; i++) {
        const struct finding_row *row = &finding_rows[i];
        const char *point = strchr(row->name, '.');
        g_autofree char *object = point ? g_strndup(row->name, (gsize)(point - row->name)) : NULL;
        if (open && g_strcmp0(open, object) != 0)
            json_close(line, '}');
        if (object && g_strcmp0(open, object) != 0)
            json_open(line, object, '{');
        g_free(open);
        open = g_steal_pointer(&object);
        put_value(line, point ? point + 1 : row->name, finding, row);
    }
    if (open)
        json_close(line, '}');
    json_close(line, '}');
    g_string_append_printf(out, "%s\n", line->str);
    g_string_free(line, TRUE);
}

/* ---- CSV ---- */

static void put_cell(GString *out, const char *text, bool first)
{
    g_string_append_printf(out, "%s\"", first ? "" : ",");
    if (text && *text && strchr("=+-@\t\r", *text))
        g_string_append_c(out, '\'');
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '"')
            g_string_append_c(out, '"');
        bool control = (unsigned char)*p < ' ' || *p == 0x7f;
        g_string_append_c(out, control ? ' ' : *p);
    }
    g_string_append_c(out, '"');
}

static char *cell_text(struct finding *finding, const struct finding_row *row)
{
    if (finding_row_is_text(row)) {
        const char *text = *finding_text(finding, row);
        return text ? g_utf8_make_valid(text, -1) : NULL;
    }
    int64_t number = *finding_number(finding, row);
    if (number < 0)
        return NULL;
    if (row->kind == FINDING_TIME)
        return time_text(number);
    if (row->kind == FINDING_BOOL)
        return g_strdup(number ? "yes" : "no");
    return g_strdup_printf("%" G_GINT64_FORMAT, number);
}

void finding_csv(GString *out, struct finding *finding)
{
    for (size_t i = 0; i < finding_row_count; i++) {
        g_autofree char *text =
            finding ? cell_text(finding, &finding_rows[i]) : g_strdup(finding_rows[i].name);
        put_cell(out, text, i == 0);
    }
    g_string_append(out, "\r\n");
}
