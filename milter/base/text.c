/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text helpers. They must know nothing of mail.
 */
#include "base/text.h"

#include <string.h>

static bool is_unsafe(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return true;
    default:
        return false;
    }
}

static void append_escaped(GString *out, gunichar c)
{
    if (c == '\n')
        g_string_append(out, "\\n");
    else if (c == '\r')
        g_string_append(out, "\\r");
    else if (c == '\t')
        g_string_append(out, "\\t");
    else if (c < 0x100)
        g_string_append_printf(out, "\\x%02x", (unsigned)c);
    else
        g_string_append_printf(out, "\\u{%04x}", (unsigned)c);
}

char *text_escape(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    for (const char *p = text; *p;) {
        size_t plain = 0;
        while (p[plain] >= ' ' && p[plain] <= '~' && p[plain] != '\\')
            plain++;
        g_string_append_len(out, p, (gssize)plain);
        p += plain;
        if (*p == '\0')
            break;
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(out, "\\x%02x", (unsigned char)*p++);
            continue;
        }
        const char *next = g_utf8_next_char(p);
        if (c == '\\')
            g_string_append(out, "\\\\");
        else if (is_unsafe(c))
            append_escaped(out, c);
        else
            g_string_append_len(out, p, next - p);
        p = next;
    }
    return g_string_free(out, FALSE);
}

static size_t columns_of(gunichar letter)
{
    return g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
}

size_t text_fit(const char *text, size_t columns)
{
    const char *at = text;
    for (size_t used = 0; *at; at = g_utf8_next_char(at)) {
        used += columns_of(g_utf8_get_char(at));
        if (used > columns)
            break;
    }
    return (size_t)(at - text);
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (; *text; text = g_utf8_next_char(text))
        columns += columns_of(g_utf8_get_char(text));
    return columns;
}

void text_wrap(GString *out, const char *text, size_t indent, size_t columns)
{
    g_autofree char *escaped = text_escape(text);
    const char *rest = escaped;
    for (bool first = true; first || *rest; first = false) {
        size_t cut = text_fit(rest, columns - indent);
        for (size_t at = cut; rest[cut] && at > 0; at--)
            if (rest[at - 1] == ' ' || rest[at - 1] == ',') {
                cut = at;
                break;
            }
        size_t shown = cut; /* the space that a line is broken at stands nowhere */
        while (rest[cut] && shown > 0 && rest[shown - 1] == ' ')
            shown--;
        g_string_append_printf(out, "%*s%.*s\n", first ? 0 : (int)indent, "", (int)shown, rest);
        rest += cut;
    }
}

char *text_reply_safe(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit);
    char *out = g_strndup(text, length);
    for (char *p = out; *p; p++) {
        if (*p == '\t' || *p == '\n' || *p == '\r')
            *p = ' ';
        else if (*p < ' ' || *p > '~')
            *p = '?';
    }
    return out;
}

/* The end of the word that begins at P; NULL when its braces do not match. */
static const char *word_end(const char *p, const char *separators)
{
    unsigned depth = 0;
    for (; *p; p++) {
        if (*p == '{') {
            depth++;
        } else if (*p == '}') {
            if (depth == 0)
                return NULL;
            depth--;
        } else if (depth == 0 && strchr(separators, *p)) {
            break;
        }
    }
    return depth == 0 ? p : NULL;
}

static GPtrArray *split(const char *value, const char *separators, const char **why_r)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    const char *p = value;
    for (;;) {
        p += strspn(p, separators);
        if (*p == '\0')
            return g_steal_pointer(&words);
        const char *end = word_end(p, separators);
        if (!end) {
            if (why_r)
                *why_r = "a brace has no partner";
            return NULL;
        }
        g_ptr_array_add(words, g_strndup(p, (gsize)(end - p)));
        p = end;
    }
}

GPtrArray *text_split_list(const char *value, const char **why_r)
{
    return split(value, ", \t\r\n", why_r);
}

GPtrArray *text_split_words(const char *value, const char **why_r)
{
    return split(value, " \t\r\n", why_r);
}

/* Damerau-Levenshtein distance (optimal string alignment) of two words of at most 63 letters. */
static unsigned distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    unsigned rows[3][LONGEST + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = before[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, last[j] + 1);
            best = MIN(best, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, before[j - 2] + 1);
            now[j] = best;
        }
        unsigned *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[m];
}

/* Whether NAME is KNOWN behind a prefix of its own: postscreen_dnsbl_sites, dnsbl_sites. */
static bool is_prefixed(const char *name, const char *known)
{
    size_t length = strlen(name), tail = strlen(known);
    return length > tail + 1 && name[length - tail - 1] == '_' &&
           strcmp(name + length - tail, known) == 0;
}

const char *text_nearest(const char *name, const char *const *names, size_t count)
{
    g_autofree char *folded = g_ascii_strdown(name, -1);
    const char *best = NULL;
    unsigned least = (unsigned)strlen(name) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned d = is_prefixed(folded, names[i]) ? 1 : distance(folded, names[i]);
        if (d < least || (d == least && !best)) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

bool text_is_number(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool text_has_wide_case(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c > 127 && (g_unichar_tolower(c) != c || g_unichar_toupper(c) != c))
            return true;
    }
    return false;
}
