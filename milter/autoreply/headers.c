/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Header values for the guard: unfolded, decoded, bounded.
 */
#include "autoreply/headers.h"

#include <glib.h>
#include <string.h>

#include "mail/mimeword.h"

/* Longest text of a decoded value: no subject that people read is longer. */
enum { TEXT_MAX = 4096 };

char *autoreply_header_line(const struct autoreply_headers *headers, const char *name,
                            unsigned index)
{
    const char *value =
        index < AUTOREPLY_FIELDS_MAX ? headers->get(headers->context, name, index) : NULL;
    if (!value)
        return NULL;
    size_t length = strnlen(value, AUTOREPLY_VALUE_MAX);
    char *line = g_malloc(length + 1); /* not g_strndup: that fills up to its limit with zeros */
    memcpy(line, value, length);
    line[length] = '\0';
    /* unfolding takes the line end away alone; the white space that follows it is the value's */
    char *out = line;
    for (const char *p = line; *p; p++)
        if (*p != '\r' && *p != '\n')
            *out++ = *p;
    *out = '\0';
    return g_strstrip(line);
}

char *autoreply_header_text(const struct autoreply_headers *headers, const char *name,
                            unsigned index)
{
    g_autofree char *line = autoreply_header_line(headers, name, index);
    if (!line)
        return NULL;
    g_autoptr(GString) decoded = g_string_new(NULL);
    mimeword_decode_field(name, line, MIN(strlen(line), TEXT_MAX), decoded);
    char *valid = g_utf8_make_valid(decoded->str, -1);
    if (strlen(valid) > TEXT_MAX)
        *g_utf8_find_prev_char(valid, valid + TEXT_MAX + 1) = '\0';
    return g_strstrip(valid);
}
