/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values with groups in them, as pcre_table(5) has them.
 */
#include "template.h"

#include <string.h>

enum part { PART_END, PART_TEXT, PART_NAME, PART_BAD };

static char closing_of(char opening)
{
    return opening == '(' ? ')' : '}';
}

/* Takes the reference at *P, which is behind the "$". */
static enum part take_name(const char **p, const char **start_r, size_t *length_r)
{
    const char *start = *p, *end;
    if (*start == '{' || *start == '(') {
        end = strchr(start + 1, closing_of(*start));
        if (!end)
            return PART_BAD;
        *p = end + 1;
        start++;
    } else {
        for (end = start; g_ascii_isalnum(*end) || *end == '_';)
            end++;
        *p = end;
    }
    *start_r = start;
    *length_r = (size_t)(end - start);
    return PART_NAME;
}

/* Takes the next part of the text at *P. */
static enum part next_part(const char **p, const char **start_r, size_t *length_r)
{
    if (**p == '\0')
        return PART_END;
    if ((*p)[0] == '$' && (*p)[1] != '$') {
        ++*p;
        return take_name(p, start_r, length_r);
    }
    if ((*p)[0] == '$') {
        *start_r = *p;
        *length_r = 1;
        *p += 2;
        return PART_TEXT;
    }
    *start_r = *p;
    *length_r = strcspn(*p, "$");
    *p += *length_r;
    return PART_TEXT;
}

/* The number that NAME is; 0 if it is none that could be a group. */
static unsigned group_number(const char *name, size_t length)
{
    unsigned number = 0;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(name[i]))
            return 0;
        number = number * 10 + (unsigned)(name[i] - '0');
        if (number > TEMPLATE_GROUP_MAX)
            return 0;
    }
    return number;
}

int template_check(const char *text, const char **why_r)
{
    const char *start;
    size_t length;
    unsigned highest = 0;
    for (;;) {
        enum part part = next_part(&text, &start, &length);
        if (part == PART_END)
            return (int)highest;
        unsigned number = part == PART_NAME ? group_number(start, length) : 0;
        if (part == PART_BAD || (part == PART_NAME && number == 0)) {
            *why_r = part == PART_BAD ? "a ${ or $( in the value is not closed"
                                      : "$ in the value is not followed by the number of a group "
                                        "($1, ${1}); write $$ for a dollar sign";
            return -1;
        }
        highest = MAX(highest, number);
    }
}

void template_expand(const char *text, const char *key, const struct span *spans, GString *out)
{
    const char *start;
    size_t length;
    for (;;) {
        switch (next_part(&text, &start, &length)) {
        case PART_TEXT:
            g_string_append_len(out, start, (gssize)length);
            break;
        case PART_NAME: {
            const struct span *span = &spans[group_number(start, length)];
            g_string_append_len(out, key + span->start, (gssize)(span->end - span->start));
            break;
        }
        default:
            return;
        }
    }
}
