/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A pattern's ends. It is gone through sign by sign, as far as escapes, classes and groups need it.
 */
#include "pattern_ends.h"

#include <string.h>

#include "lookup/table.h"

/* Behind the atom at P, which is not at the end: an escape, a class, a group, one sign. */
static const char *skip_atom(const char *p, const char *end)
{
    unsigned depth = 0;
    do {
        if (*p == '\\' && p + 1 < end) {
            p++;
        } else if (*p == '[') {
            p += 1 + (p + 1 < end && p[1] == '^');
            p += p < end && *p == ']';
            while (p < end && *p != ']')
                p += *p == '\\' && p + 1 < end ? 2 : 1;
        } else if (*p == '(') {
            depth++;
        } else if (*p == ')' && depth > 0) {
            depth--;
        }
        p++;
    } while (p < end && depth > 0);
    return MIN(p, end);
}

/* Whether the atom at P is one of the ONES, which are escaped ("\\.") or single signs. */
static bool is_one_of(const char *p, const char *end, const char *const *ones)
{
    for (; *ones; ones++)
        if ((size_t)(end - p) >= strlen(*ones) && strncmp(p, *ones, strlen(*ones)) == 0)
            return true;
    return false;
}

static unsigned ends_of(const char *p, const char *end);

/* The inside of a group at P, without "?:" and the like. */
static const char *inside(const char *p)
{
    p++;
    if (*p == '?')
        p += strcspn(p, ":") + 1;
    return p;
}

/* Nothing stands behind it that could be taken for a letter of its own: a wildcard of "anything".
 */
static const char *skip_wildcard(const char *p, const char *end)
{
    if (end - p >= 2 && p[0] == '.' && strchr("*+", p[1]))
        p += 2;
    return p;
}

/* Behind classes ("\\w+", "\\d") before which nothing stands: what they take is not said, and what
 * is said begins behind them. */
static const char *skip_classes(const char *p, const char *end)
{
    while (end - p >= 2 && p[0] == '\\' && strchr("wdSD", p[1])) {
        p += 2;
        if (p < end && *p == '{')
            while (p < end && *p++ != '}')
                ;
        while (p < end && strchr("*+?", *p))
            p++;
    }
    return p;
}

static bool has_text(const char *p, const char *end)
{
    for (; p < end; p = skip_atom(p, end))
        if (g_ascii_isalnum(*p) || *p == '(')
            return true;
    return false;
}

/* Of one alternative, from P to END. */
static unsigned ends_of_one(const char *p, const char *end)
{
    static const char *const begin[] = {"^", "\\A", "@", "\\.", "[", "\\b", "\\<", "\\W", NULL};
    static const char *const finish[] = {"$", "\\z", "\\Z", "@", "\\b", "\\>", "[", "\\W", NULL};
    if (!has_text(p, end))
        return 0;
    if (*p == '(' && skip_atom(p, end) == end && end[-1] == ')')
        return ends_of(inside(p), end - 1);
    unsigned open = 0;
    const char *first = skip_wildcard(p + (*p == '^'), end), *last = p;
    if (*p != '^')
        first = skip_classes(first, end);
    bool anything = first > p + (*p == '^');
    for (const char *q = p; q < end; q = skip_atom(q, end))
        last = q;
    bool is_quantified = strchr("*+?}", *last) != NULL && *last != '\\';
    bool has_at = memchr(p, '@', (size_t)(end - p)) != NULL;
    const char *start = anything ? first : p;
    unsigned inner = 0; /* of the group at START; looked at once, or nests would cost their power */
    if (start < end && *start == '(')
        inner = ends_of(inside(start), skip_atom(start, end) - 1);
    if (start < end && !is_one_of(start, end, begin)) {
        bool group_closes = *start == '(' && !(inner & TABLE_OPEN_LEFT);
        const char *behind = skip_atom(start, end);
        /* what may be left out begins nothing */
        if (group_closes && behind < end && strchr("?*", *behind))
            group_closes = is_one_of(behind + 1, end, begin);
        if (!group_closes && !(anything && has_at))
            open |= has_at ? TABLE_OPEN_LOCAL : TABLE_OPEN_LEFT;
    }
    if (is_quantified || is_one_of(last, end, finish))
        return open;
    if (*last == '(' && last != start)
        inner = ends_of(inside(last), end - 1);
    bool closes = *last == '(' && !(inner & TABLE_OPEN_RIGHT);
    return closes ? open : open | TABLE_OPEN_RIGHT;
}

/* Of all alternatives from P to END together. */
static unsigned ends_of(const char *p, const char *end)
{
    unsigned open = 0;
    const char *begin = p;
    while (p < end) {
        if (*p == '|') {
            open |= ends_of_one(begin, p);
            begin = p + 1;
        }
        p = skip_atom(p, end);
    }
    return open | ends_of_one(begin, end);
}

unsigned pattern_open_ends(const char *pattern)
{
    static const char insensitive[] = "(?i)";
    /* blanks and comments may count for nothing (flag x), \Q and the verbs change what signs mean
     */
    if (strpbrk(pattern, " \t#") || strstr(pattern, "\\Q") || strstr(pattern, "(*"))
        return 0;
    if (g_str_has_prefix(pattern, insensitive))
        pattern += strlen(insensitive);
    return ends_of(pattern, pattern + strlen(pattern));
}
