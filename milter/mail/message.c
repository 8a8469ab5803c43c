/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Splitting a message into header fields and body.
 */
#include "mail/message.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* Length of the line at P up to END, its line end included. */
static size_t line_length(const char *p, const char *end)
{
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    return newline ? (size_t)(newline + 1 - p) : (size_t)(end - p);
}

static bool line_is_empty(const char *p, size_t length)
{
    return (length == 1 && p[0] == '\n') || (length == 2 && p[0] == '\r' && p[1] == '\n');
}

/* Length of the field name at P, or 0 if the line is no field; *COLON_R is where the value's
 * colon stands. White space before it is the obsolete syntax of RFC 5322 4.5.8. */
static size_t field_name(const char *p, size_t length, size_t *colon_r)
{
    size_t name = 0;
    while (name < length && p[name] > 32 && p[name] < 127 && p[name] != ':')
        name++;
    size_t colon = name;
    while (colon < length && (p[colon] == ' ' || p[colon] == '\t'))
        colon++;
    *colon_r = colon;
    return name > 0 && colon < length && p[colon] == ':' ? name : 0;
}

/* Gathers the value that begins at P with its continuation lines; returns what follows it. */
static const char *read_value(const char *p, const char *end, GString *value)
{
    g_string_truncate(value, 0);
    do {
        size_t length = line_length(p, end);
        if (length >= 2 && p[length - 1] == '\n' && p[length - 2] == '\r') {
            g_string_append_len(value, p, (gssize)(length - 2));
            g_string_append_c(value, '\n'); /* for CR LF */
        } else {
            g_string_append_len(value, p, (gssize)length);
        }
        p += length;
    } while (p < end && (*p == ' ' || *p == '\t'));
    if (value->len > 0 && value->str[value->len - 1] == '\n')
        g_string_truncate(value, value->len - 1);
    return p;
}

size_t message_parse(const char *data, size_t size, struct header_list *headers)
{
    const char *p = data, *end = data + size;
    g_autoptr(GString) value = g_string_new(NULL);
    if (size >= 5 && memcmp(p, "From ", 5) == 0)
        p += line_length(p, end);
    while (p < end) {
        size_t colon, length = line_length(p, end);
        if (line_is_empty(p, length))
            return (size_t)(p + length - data);
        size_t name = field_name(p, length, &colon);
        if (name == 0)
            break;
        const char *next = read_value(p + colon + 1, end, value);
        header_list_add(headers, p, name, value->str, value->len);
        p = next;
    }
    return (size_t)(p - data);
}
