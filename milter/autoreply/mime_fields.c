/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lenient reading of two fields.
 */
#include "mime_fields.h"

#include <stdbool.h>
#include <string.h>

/* Past the quoted string or comment (RFC 5322 3.2.2; they nest) that begins at P. */
static const char *skip_enclosed(const char *p)
{
    bool quoted = *p == '"';
    unsigned depth = 1;
    for (p++; *p && depth > 0; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == (quoted ? '"' : ')'))
            depth--;
        else if (!quoted && *p == '(')
            depth++;
    }
    return p;
}

static const char *skip_comments(const char *p)
{
    while (g_ascii_isspace(*p) || *p == '(')
        p = *p == '(' ? skip_enclosed(p) : p + 1;
    return p;
}

static size_t token_length(const char *p)
{
    size_t length = 0;
    while (p[length] > ' ' && p[length] < 0x7f && !strchr("()<>@,;:\\\"/[]?=", p[length]))
        length++;
    return length;
}

/* The parameters: from the first ; on that stands in no comment or quoted string. An opening that
 * is never closed encloses nothing. */
static const char *parameters(const char *p)
{
    const char *whole = p;
    while (*p && *p != ';') {
        const char *next = *p == '(' || *p == '"' ? skip_enclosed(p) : p + 1;
        if (!*next && *p != next[-1] && next > p + 1)
            return strchr(whole, ';') ? strchr(whole, ';') : next;
        p = next;
    }
    return p;
}

static void add_type(GPtrArray *types, char *type)
{
    for (guint i = 0; i < types->len; i++)
        if (g_ascii_strcasecmp(types->pdata[i], type) == 0) {
            g_free(type);
            return;
        }
    g_ptr_array_add(types, type);
}

void mime_fields_type(GPtrArray *types, const char *value)
{
    const char *type = skip_comments(value);
    bool quoted = *type == '"';
    type += quoted;
    size_t type_length = token_length(type);
    const char *slash = skip_comments(type + type_length);
    const char *subtype = *slash == '/' ? skip_comments(slash + 1) : slash;
    size_t subtype_length = *slash == '/' ? token_length(subtype) : 0;
    if (type_length > 0 && subtype_length > 0) {
        const char *rest = subtype + subtype_length;
        bool plain = type == value && slash == type + type_length && subtype == slash + 1;
        add_type(types, plain && (!*rest || strchr("; \t", *rest))
                            ? g_strdup(value)
                            : g_strdup_printf(
                                  "%.*s/%.*s%s", (int)type_length, type, (int)subtype_length,
                                  subtype, parameters(quoted && *rest == '"' ? rest + 1 : rest)));
        return;
    }
    const char *rest = parameters(value);
    add_type(types, g_strconcat("text/plain", rest, NULL));
    g_autofree char *folded = g_ascii_strdown(value, -1);
    if (type_length == 9 && g_ascii_strncasecmp(type, "multipart", 9) == 0 &&
        strstr(folded, "boundary"))
        add_type(types, g_strconcat("multipart/mixed", rest, NULL));
}

unsigned mime_fields_encoding(const char *value)
{
    static const struct {
        const char *name;
        enum mime_encoding encoding;
    } names[] = {
        {"base64", MIME_BASE64},       {"quoted-printable", MIME_QUOTED_PRINTABLE},
        {"x-uuencode", MIME_UUENCODE}, {"uuencode", MIME_UUENCODE},
        {"x-uue", MIME_UUENCODE},      {"uue", MIME_UUENCODE},
        {"7bit", MIME_IDENTITY},       {"8bit", MIME_IDENTITY},
        {"binary", MIME_IDENTITY},
    };
    unsigned found = 0;
    for (const char *p = skip_comments(value); *p; p = skip_comments(p)) {
        size_t length = token_length(p);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
            if (strlen(names[i].name) == length &&
                g_ascii_strncasecmp(p, names[i].name, length) == 0)
                found |= names[i].encoding;
        p += MAX(length, 1);
    }
    return found ? found : MIME_IDENTITY;
}
