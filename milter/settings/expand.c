/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expansion of $name. What the names stand for is the caller's business; so are circles.
 */
#include "expand.h"

#include <string.h>

#include "settings/settings.h"

static bool is_name_char(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    while (is_name_char(text[length]))
        length++;
    return length;
}

/* Finds the name after a `$`: in P itself or within its parentheses. Returns what follows it, or
 * NULL with *WHY_R. */
static const char *find_name(const char *p, char **name_r, char **why_r)
{
    char close = *p == '{' ? '}' : *p == '(' ? ')' : '\0';
    if (close)
        p++;
    size_t length = name_length(p);
    const char *after = p + length;
    if (length == 0 && !close) {
        *why_r = g_strdup("a \"$\" stands alone; write $$ for a dollar sign");
        return NULL;
    }
    if (close && (length == 0 || *after != close)) {
        const char *hint = *after == '?' || *after == ':'
                               ? "; ${name?value} and ${name:value} are not available"
                               : "";
        *why_r = g_strdup_printf("no name in parentheses follows a \"$\"%s", hint);
        return NULL;
    }
    *name_r = g_strndup(p, length);
    return close ? after + 1 : after;
}

static bool append(const struct expansion *expansion, GString *out, const char *text, size_t length,
                   char **why_r)
{
    if (length > expansion->limit || out->len > expansion->limit - length) {
        *why_r = g_strdup_printf("the value grows beyond %d bytes (or those of all parameters "
                                 "beyond %d) when names are expanded",
                                 SETTINGS_VALUE_MAX, SETTINGS_EXPANDED_MAX);
        return false;
    }
    g_string_append_len(out, text, (gssize)length);
    return true;
}

/* Expands the `$` that *PP points to and moves *PP behind it. */
static bool expand_dollar(const struct expansion *expansion, const char **pp, GString *out,
                          char **why_r)
{
    const char *p = *pp + 1;
    if (*p == '$' || g_ascii_isdigit(*p)) {
        *pp = *p == '$' ? p + 1 : p;
        return append(expansion, out, "$", 1, why_r);
    }
    g_autofree char *name = NULL;
    *pp = find_name(p, &name, why_r);
    if (!*pp)
        return false;
    const char *value = expansion->value_of(expansion->context, name);
    return value && append(expansion, out, value, strlen(value), why_r);
}

bool expand(const struct expansion *expansion, const char *text, GString *out, char **why_r)
{
    *why_r = NULL;
    for (const char *p = text; *p;) {
        if (*p == '$') {
            if (!expand_dollar(expansion, &p, out, why_r))
                return false;
            continue;
        }
        size_t length = strcspn(p, "$");
        if (!append(expansion, out, p, length, why_r))
            return false;
        p += length;
    }
    return true;
}
