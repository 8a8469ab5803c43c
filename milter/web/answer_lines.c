/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of the daemon's answer.
 */
#include "answer_lines.h"

#include <string.h>

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
    for (char *rest = answer_r->text; *rest;) {
        char *line_text = (char *)next_field(&rest, '\n');
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
