/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of the daemon's answer.
 */
#include "answer_lines.h"

#include <stdbool.h>
#include <string.h>

/* How many fields are read of each kind. */
static const struct {
    const char *kind;
    unsigned fields;
} kinds[] = {{"daemon", 9}, {"store", 6},     {"list", 10},    {"table", 5},
             {"limit", 5},  {"near", 4},      {"greylist", 2}, {"hour", 3},
             {"fact", 2},   {"decision", 14}, {"more", 1}};

/* Of LINE, which begins with its kind. */
static bool is_whole(const char *line)
{
    unsigned tabs = 0;
    for (const char *p = line; *p; p++)
        tabs += *p == '\t';
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strncmp(line, kinds[i].kind, strcspn(line, "\t")) == 0 &&
            strlen(kinds[i].kind) == strcspn(line, "\t"))
            return tabs >= kinds[i].fields;
    return true;
}

/* Takes the next field from *TEXT_R, which is cut behind it; "" when there is none left. */
static const char *next_field(char **text_r, char end)
{
    char *field = *text_r, *stop = strchr(field, end);
    *text_r = stop ? stop + 1 : field + strlen(field);
    if (stop)
        *stop = '\0';
    return field;
}

void answer_parse(const char *text, struct answer *answer_r)
{
    answer_r->lines = g_array_new(FALSE, FALSE, sizeof(struct answer_line));
    answer_r->text = g_utf8_make_valid(text, -1);
    answer_r->lacking = 0;
    for (char *rest = answer_r->text; *rest;) {
        char *line_text = (char *)next_field(&rest, '\n');
        if (!is_whole(line_text)) {
            answer_r->lacking++;
            continue;
        }
        struct answer_line line = {.kind = next_field(&line_text, '\t')};
        for (unsigned i = 0; i < ANSWER_FIELDS; i++)
            line.fields[i] = next_field(&line_text, '\t');
        g_array_append_val(answer_r->lines, line);
    }
}

void answer_clear(struct answer *answer)
{
    if (answer->lines)
        g_array_unref(answer->lines);
    g_free(answer->text);
    *answer = (struct answer){0};
}

const struct answer_line *answer_line(const struct answer *answer, const char *kind, guint index)
{
    for (guint i = 0; i < answer->lines->len; i++) {
        const struct answer_line *line = &g_array_index(answer->lines, struct answer_line, i);
        if (strcmp(line->kind, kind) == 0 && index-- == 0)
            return line;
    }
    return NULL;
}

int64_t answer_number(const struct answer_line *line, unsigned index)
{
    return g_ascii_strtoll(line->fields[index], NULL, 10);
}
