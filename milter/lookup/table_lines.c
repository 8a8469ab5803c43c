/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Logical lines, joined in place so that a large file is held once.
 */
#include "table_lines.h"

#include <string.h>

bool lines_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char *lines_trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && lines_is_space(text[length - 1]))
        length--;
    text[length] = '\0';
    while (lines_is_space(*text))
        text++;
    return text;
}

char *lines_key_end(char *key, char stop)
{
    bool quoted = false;
    char *p = key;
    for (; *p; p++) {
        if (*p == '\\') {
            if (*++p == '\0')
                break;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (!quoted && (*p == stop || lines_is_space(*p))) {
            break;
        }
    }
    return quoted ? NULL : p;
}

static bool is_blank_or_comment(const char *p, const char *end)
{
    while (p < end && lines_is_space(*p))
        p++;
    return p == end || *p == '#';
}

/* Whether what follows may still belong to the line before. */
static bool may_continue(const struct table_lines *lines)
{
    if (lines->position >= lines->length)
        return false;
    char c = lines->text[lines->position];
    return c == '#' || lines_is_space(c);
}

static char *next_physical(struct table_lines *lines, char **end_r)
{
    char *start = lines->text + lines->position;
    size_t rest = lines->length - lines->position;
    char *end = memchr(start, '\n', rest);
    *end_r = end ? end : start + rest;
    lines->position = (size_t)(*end_r - lines->text) + (end ? 1 : 0);
    lines->line++;
    return start;
}

static char *join(struct table_lines *lines, unsigned *line_r)
{
    char *line = NULL, *line_end = NULL;
    while (lines->position < lines->length) {
        char *end, *start = next_physical(lines, &end);
        if (!is_blank_or_comment(start, end)) {
            if (!line) {
                line = line_end = start;
                *line_r = lines->line;
            }
            memmove(line_end, start, (size_t)(end - start));
            line_end += end - start;
        }
        if (line && !may_continue(lines))
            break;
    }
    if (!line)
        return NULL;
    *line_end = '\0';
    if (memchr(line, '\0', (size_t)(line_end - line)))
        problems_warning(lines->problems, lines->file, *line_r,
                         "the line holds a null byte; what follows it is ignored");
    return line;
}

char *lines_next(struct table_lines *lines, unsigned *line_r)
{
    for (;;) {
        char *line = join(lines, line_r);
        if (!line || !lines_is_space(*line))
            return line;
        problems_warning(lines->problems, lines->file, *line_r,
                         "a line that begins with white space continues the one before, but there "
                         "is none; ignored");
    }
}
