/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tolerant reader of MIME parameters. What stands between semicolons is read as NAME=VALUE;
 * what is not is passed over.
 */
#include "mail/mimeparam.h"

#include <stdlib.h>
#include <string.h>

/* Parameters after the first so many, and bytes after the first so many, are not looked at. */
#define PARAMETERS_MAX 256
#define LENGTH_MAX     65536

struct scan {
    const char *p, *end;
};

static bool is_blank(char c)
{
    return g_ascii_isspace(c);
}

/* Passes a comment, which may nest, or white space; false if neither is there. */
static bool skip_one(struct scan *scan)
{
    if (scan->p >= scan->end)
        return false;
    if (is_blank(*scan->p)) {
        scan->p++;
        return true;
    }
    if (*scan->p != '(')
        return false;
    for (int depth = 0; scan->p < scan->end; scan->p++) {
        if (*scan->p == '\\' && scan->p + 1 < scan->end)
            scan->p++;
        else if (*scan->p == '(')
            depth++;
        else if (*scan->p == ')' && --depth == 0) {
            scan->p++;
            break;
        }
    }
    return true;
}

static void skip_blank(struct scan *scan)
{
    while (skip_one(scan))
        ;
}

/* Moves behind the next semicolon outside quotes; false at the end. */
static bool next_parameter(struct scan *scan)
{
    bool quoted = false;
    for (; scan->p < scan->end; scan->p++) {
        if (*scan->p == '\\' && quoted && scan->p + 1 < scan->end)
            scan->p++;
        else if (*scan->p == '"')
            quoted = !quoted;
        else if (*scan->p == ';' && !quoted) {
            scan->p++;
            return true;
        }
    }
    return false;
}

static void read_value(struct scan *scan, GString *out)
{
    skip_blank(scan);
    if (scan->p < scan->end && *scan->p == '"') {
        for (scan->p++; scan->p < scan->end && *scan->p != '"'; scan->p++) {
            if (*scan->p == '\\' && scan->p + 1 < scan->end)
                scan->p++;
            if (out->len < MIMEPARAM_VALUE_MAX && *scan->p != '\n')
                g_string_append_c(out, *scan->p);
        }
        return;
    }
    for (; scan->p < scan->end && !is_blank(*scan->p) && !strchr(";(", *scan->p); scan->p++)
        if (out->len < MIMEPARAM_VALUE_MAX)
            g_string_append_c(out, *scan->p);
}

/* What stands between NAME and "=": piece number (-1: none) and whether it is percent-encoded. */
struct suffix {
    int piece;
    bool extended;
};

/* Reads "NAME", "NAME*", "NAME*0", "NAME*0*" and the "=" after it; false if it is another one. */
static bool read_name(struct scan *scan, const char *name, struct suffix *suffix_r)
{
    size_t length = strlen(name);
    *suffix_r = (struct suffix){-1, false};
    skip_blank(scan);
    if ((size_t)(scan->end - scan->p) <= length || g_ascii_strncasecmp(scan->p, name, length) != 0)
        return false;
    scan->p += length;
    if (*scan->p == '*' && scan->p + 1 < scan->end && g_ascii_isdigit(scan->p[1])) {
        int number = 0;
        for (scan->p++; scan->p < scan->end && g_ascii_isdigit(*scan->p); scan->p++)
            number = MIN(number * 10 + (*scan->p - '0'), MIMEPARAM_PIECES_MAX);
        suffix_r->piece = number;
    }
    if (scan->p < scan->end && *scan->p == '*') {
        suffix_r->extended = true;
        scan->p++;
    }
    skip_blank(scan);
    if (scan->p >= scan->end || *scan->p != '=')
        return false;
    scan->p++;
    return true;
}

/* Undoes the percent encoding in place. */
static void decode_percent(GString *text)
{
    size_t to = 0;
    for (size_t i = 0; i < text->len; i++) {
        int high =
            text->str[i] == '%' && i + 2 < text->len ? g_ascii_xdigit_value(text->str[i + 1]) : -1;
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text->str[i + 2]);
        if (low >= 0)
            i += 2;
        text->str[to++] = low >= 0 ? (char)(high * 16 + low) : text->str[i];
    }
    g_string_truncate(text, to);
}

static void finish_piece(GString *text, struct suffix suffix)
{
    if (!suffix.extended)
        return;
    if (suffix.piece <= 0) {
        /* the charset and language before it: "us-ascii'en'" */
        const char *first = strchr(text->str, '\'');
        const char *second = first ? strchr(first + 1, '\'') : NULL;
        if (second)
            g_string_erase(text, 0, second + 1 - text->str);
    }
    decode_percent(text);
}

GPtrArray *mimeparam_all(const char *value, size_t length, const char *name)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    struct scan scan = {value, value + MIN(length, LENGTH_MAX)};
    GString *pieces[MIMEPARAM_PIECES_MAX] = {NULL};
    for (int i = 0; i < PARAMETERS_MAX && next_parameter(&scan); i++) {
        struct scan at = scan;
        struct suffix suffix;
        if (!read_name(&at, name, &suffix) || suffix.piece >= MIMEPARAM_PIECES_MAX ||
            (suffix.piece >= 0 && pieces[suffix.piece]))
            continue;
        GString *piece = g_string_new(NULL);
        read_value(&at, piece);
        finish_piece(piece, suffix);
        if (suffix.piece >= 0)
            pieces[suffix.piece] = piece;
        else
            g_ptr_array_add(values, g_string_free(piece, FALSE));
    }
    GString *joined = pieces[0] ? g_string_new(NULL) : NULL;
    for (int i = 0; i < MIMEPARAM_PIECES_MAX && pieces[i]; i++)
        if (joined->len < MIMEPARAM_VALUE_MAX)
            g_string_append(joined, pieces[i]->str);
    for (int i = 0; i < MIMEPARAM_PIECES_MAX; i++)
        if (pieces[i])
            g_string_free(pieces[i], TRUE);
    if (joined)
        g_ptr_array_add(values, g_string_free(joined, FALSE));
    return values;
}

void mimeparam_type(const char *value, size_t length, GString *out)
{
    struct scan scan = {value, value + length};
    g_string_truncate(out, 0);
    skip_blank(&scan);
    for (; scan.p < scan.end && !strchr(";(\" \t\r\n", *scan.p) && out->len < 128; scan.p++)
        g_string_append_c(out, g_ascii_tolower(*scan.p));
}
