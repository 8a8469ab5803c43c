/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 8259, word by word, without a thought of speed.
 */
#include "json_check.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

static bool skip_value(const char **text, int depth);

static void skip_space(const char **text)
{
    *text += strspn(*text, " \t\r\n");
}

static bool skip_char(const char **text, char c)
{
    skip_space(text);
    if (**text != c)
        return false;
    ++*text;
    return true;
}

static bool skip_escape(const char **text)
{
    const char *p = *text;
    if (*p == 'u' && strspn(p + 1, "0123456789abcdefABCDEF") >= 4)
        *text += 5;
    else if (*p && strchr("\"\\/bfnrt", *p))
        *text += 1;
    else
        return false;
    return true;
}

static bool skip_string(const char **text)
{
    if (!skip_char(text, '"'))
        return false;
    while (**text != '"') {
        unsigned char c = (unsigned char)*(*text)++;
        if (c < ' ' || (c == '\\' && !skip_escape(text)))
            return false;
    }
    ++*text;
    return true;
}

static bool skip_digits(const char **text)
{
    size_t count = strspn(*text, "0123456789");
    *text += count;
    return count > 0;
}

static bool skip_number(const char **text)
{
    *text += **text == '-';
    if (**text == '0')
        ++*text;
    else if (!skip_digits(text))
        return false;
    if (**text == '.' && (++*text, !skip_digits(text)))
        return false;
    if (**text != 'e' && **text != 'E')
        return true;
    ++*text;
    *text += **text == '-' || **text == '+';
    return skip_digits(text);
}

static bool skip_members(const char **text, char end, int depth)
{
    bool object = end == '}';
    if (skip_char(text, end))
        return true;
    do {
        if (object && !(skip_string(text) && skip_char(text, ':')))
            return false;
        if (!skip_value(text, depth))
            return false;
    } while (skip_char(text, ','));
    return skip_char(text, end);
}

static bool skip_value(const char **text, int depth)
{
    static const char *const words[] = {"true", "false", "null"};
    skip_space(text);
    if (**text == '"')
        return skip_string(text);
    if (**text == '{' || **text == '[') {
        char end = *(*text)++ == '{' ? '}' : ']';
        return depth < DEPTH_MAX && skip_members(text, end, depth + 1);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if (strncmp(*text, words[i], length) != 0)
            continue;
        *text += length;
        return true;
    }
    return skip_number(text);
}

bool json_check(const char *text)
{
    if (!skip_value(&text, 0))
        return false;
    skip_space(&text);
    return *text == '\0';
}
