/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Logical lines. They must know nothing of what a line means, but warn when a line that continues
 * another looks as if it was meant as a parameter.
 */
#include "setting_lines.h"

#include <string.h>

#include "settings/settings_table.h"

struct span {
    const char *start;
    size_t length;
    bool is_indented;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void settings_lines_init(struct setting_lines *lines, const char *text, size_t length,
                         const char *file, struct problems *problems)
{
    *lines = (struct setting_lines){
        .rest = text, .end = text + length, .file = file, .problems = problems};
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        lines->rest += 3;
}

/* Takes the next physical line from the rest, without its line end and the white space around it;
 * false at the end of the text. */
static bool take(struct setting_lines *lines, struct span *span_r)
{
    size_t left = (size_t)(lines->end - lines->rest);
    if (left == 0)
        return false;
    const char *newline = memchr(lines->rest, '\n', left);
    const char *start = lines->rest, *end = newline ? newline : lines->end;
    lines->rest = newline ? newline + 1 : lines->end;
    lines->number++;
    if (end > start && end[-1] == '\r')
        end--;
    span_r->is_indented = start < end && is_blank(*start);
    while (start < end && is_blank(*start))
        start++;
    while (start < end && is_blank(end[-1]))
        end--;
    span_r->start = start;
    span_r->length = (size_t)(end - start);
    return true;
}

static bool has_control(const struct span *span)
{
    for (size_t i = 0; i < span->length; i++) {
        unsigned char c = (unsigned char)span->start[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* What makes the bytes of a line unfit; NULL if nothing does. A comment may be in any charset. */
static const char *fault(const struct span *span)
{
    if (memchr(span->start, '\0', span->length))
        return "the line holds a NUL byte";
    if (span->start[0] == '#')
        return NULL;
    if (!g_utf8_validate_len(span->start, span->length, NULL))
        return "the line is not valid UTF-8";
    if (has_control(span))
        return "the line holds a control character";
    return NULL;
}

/* Whether a line cannot continue the one before (or begin one); says so. */
static bool refused(struct setting_lines *lines, const struct span *span, const GString *out)
{
    const char *why = fault(span);
    if (why) {
        problems_error(lines->problems, lines->file, lines->number, "%s", why);
        lines->is_broken = lines->is_broken || !span->is_indented;
        return true;
    }
    if (!span->is_indented)
        return false;
    if (lines->is_broken)
        return true;
    if (out->len == 0)
        problems_error(lines->problems, lines->file, lines->number,
                       "a line that begins with white space continues the one before, and there "
                       "is none; begin it in the first column");
    else if (out->str[0] == '[')
        problems_error(lines->problems, lines->file, lines->number,
                       "a line that begins with white space continues the one before, and %.80s "
                       "cannot be continued; begin it in the first column",
                       out->str);
    else
        return false;
    return true;
}

/* A parameter that was indented for its looks has become part of the value above it. */
static void warn_if_parameter(struct setting_lines *lines, const struct span *span)
{
    size_t length = 0;
    while (length < span->length &&
           (g_ascii_isalnum(span->start[length]) || span->start[length] == '_'))
        length++;
    size_t equals = length;
    while (equals < span->length && is_blank(span->start[equals]))
        equals++;
    if (length == 0 || equals == span->length || span->start[equals] != '=')
        return;
    g_autofree char *name = g_strndup(span->start, length);
    enum setting setting;
    if (setting_find(name, SECTION_MAIN, &setting))
        problems_warning(lines->problems, lines->file, lines->number,
                         "this line begins with white space and so continues the one before; "
                         "begin it in the first column if it is to set %s",
                         name);
}

bool settings_lines_next(struct setting_lines *lines, GString *out, unsigned *number_r)
{
    g_string_truncate(out, 0);
    lines->brace_depth = 0;
    struct setting_lines before = *lines;
    for (struct span span; take(lines, &span); before = *lines) {
        if (span.length == 0)
            continue;
        if (out->len > 0 && !span.is_indented && span.start[0] != '#') {
            *lines = before; /* it belongs to the next logical line */
            return true;
        }
        if (refused(lines, &span, out) || span.start[0] == '#')
            continue;
        if (out->len == 0) {
            lines->is_broken = false;
            *number_r = lines->number;
        }
        if (out->len > 0) {
            if (lines->brace_depth == 0)
                warn_if_parameter(lines, &span);
            g_string_append_c(out, ' ');
        }
        g_string_append_len(out, span.start, (gssize)span.length);
        for (size_t i = 0; i < span.length; i++) {
            if (span.start[i] == '{')
                lines->brace_depth++;
            else if (span.start[i] == '}' && lines->brace_depth > 0)
                lines->brace_depth--;
        }
    }
    return out->len > 0;
}
