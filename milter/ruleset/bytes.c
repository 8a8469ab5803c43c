/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets of bytes.
 */
#include "bytes.h"

#include <math.h>
#include <string.h>

#include "prefilter.h"

void bytes_add(guint8 *set, unsigned first, unsigned last)
{
    for (unsigned c = first; c <= last && c < 256; c++)
        set[c / 8] |= (guint8)(1u << c % 8);
}

bool bytes_has(const guint8 *set, unsigned c)
{
    return set[c / 8] & (1u << c % 8);
}

unsigned bytes_count(const guint8 *set)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 32; i++)
        for (unsigned rest = set[i]; rest; rest &= rest - 1)
            count++;
    return count;
}

unsigned bytes_next(const guint8 *set, unsigned from)
{
    while (from < 256 && !(set[from / 8] >> from % 8))
        from = (from | 7) + 1;
    return from < 256 ? from + (unsigned)__builtin_ctz(set[from / 8] >> from % 8) : from;
}

void bytes_add_other_case(guint8 *set)
{
    guint8 given[32];
    memcpy(given, set, sizeof given);
    for (unsigned c = 0; c < 256; c++) {
        unsigned lower = prefilter_fold((unsigned char)c);
        if (lower != c && (bytes_has(given, c) || bytes_has(given, lower))) {
            bytes_add(set, c, c);
            bytes_add(set, lower, lower);
        }
    }
}

static void add_all_but(guint8 *set, const guint8 *but)
{
    for (unsigned i = 0; i < 32; i++)
        set[i] |= (guint8)~but[i];
}

/* How often a byte stands in headers, as far as it matters: of some 1000, by ranks. Bytes above 127
 * are rare. */
static double weight(unsigned c)
{
    static const double of_rank[] = {1, 6, 10, 16, 18, 26, 60};
    static const char ranks[] = "00000000013000000000000000000000"
                                "60000000110013314444444444311310"
                                "11111111111111111111111111100001"
                                "05222522252222552255522222200000";
    return of_rank[c < 128 ? ranks[c] - '0' : 0];
}

double bytes_rarity(const guint8 *set)
{
    static const double all = 1102;
    double in = 0;
    for (unsigned c = bytes_next(set, 0); c < 256; c = bytes_next(set, c + 1))
        in += weight(c);
    return in > 0 ? log2(all / in) : 0;
}

static bool read_hex(const char **p, guint8 *set)
{
    unsigned value = 0, digits = 0;
    bool braces = **p == '{';
    *p += braces;
    for (; g_ascii_isxdigit(**p) && digits < 2; ++*p, digits++)
        value = value * 16 + (unsigned)g_ascii_xdigit_value(**p);
    if (braces && **p != '}')
        return false;
    *p += braces;
    bytes_add(set, value, value);
    return true;
}

static void add_word(guint8 *set)
{
    bytes_add(set, '0', '9');
    bytes_add(set, 'A', 'Z');
    bytes_add(set, 'a', 'z');
    bytes_add(set, '_', '_');
}

/* The classes that have a letter; what a locale may add, bytes above 127, is in each of them. */
static bool add_lettered(guint8 *set, char c)
{
    guint8 class[32] = {0};
    switch (g_ascii_tolower(c)) {
    case 'w':
        add_word(class);
        break;
    case 'd':
        bytes_add(class, '0', '9');
        break;
    case 's':
        bytes_add(class, '\t', '\r');
        bytes_add(class, ' ', ' ');
        break;
    case 'h':
        bytes_add(class, '\t', '\t');
        bytes_add(class, ' ', ' ');
        break;
    case 'v':
        bytes_add(class, '\n', '\r');
        break;
    case 'n': /* \N: all but a line end */
        break;
    default:
        return false;
    }
    if (g_ascii_isupper(c))
        add_all_but(set, class);
    else
        for (unsigned i = 0; i < 32; i++)
            set[i] |= class[i];
    bytes_add(set, 128, 255);
    return true;
}

bool bytes_escape(const char **p, guint8 *set)
{
    static const char controls[] = "tnrfae", values[] = "\t\n\r\f\a\033";
    char c = **p;
    if (!c)
        return false;
    ++*p;
    const char *control = strchr(controls, c);
    if (c == 'x')
        return read_hex(p, set);
    if (control)
        bytes_add(set, (unsigned char)values[control - controls],
                  (unsigned char)values[control - controls]);
    else if (!g_ascii_isalnum(c))
        bytes_add(set, (unsigned char)c, (unsigned char)c);
    else
        return add_lettered(set, c);
    return true;
}

/* One member of a class that may begin a range: *VALUE_R is its byte, or -1 if it is a set, which
 * was added. false: what it means is not known. */
static bool read_member(const char **p, guint8 *set, int *value_r)
{
    guint8 member[32] = {0};
    *value_r = (unsigned char)**p;
    if (**p == '[' && (*p)[1] != '\0' && strchr(":.=", (*p)[1]))
        return false;
    if (*(*p)++ != '\\')
        return true;
    if (!bytes_escape(p, member))
        return false;
    *value_r = bytes_count(member) == 1 ? (int)bytes_next(member, 0) : -1;
    for (unsigned i = 0; i < 32; i++)
        set[i] |= member[i];
    return true;
}

size_t bytes_class_name(const char *p)
{
    if (p[0] != '[' || p[1] != ':')
        return 0;
    size_t length = 2 + strspn(p + 2, "^abcdefghijklmnopqrstuvwxyz");
    return g_str_has_prefix(p + length, ":]") ? length + 2 : 0;
}

/* Passes a class of which it is not known what it means; at P, behind its bracket. Where a bracket
 * may not end it, after \c and \Q and in what only looks like the name of a class, it gives up. */
static bool skip_class(const char **p)
{
    *p += **p == '^';
    *p += **p == ']';
    for (; **p && **p != ']'; ++*p) {
        if (**p == '\\') {
            if (!*++*p || **p == 'c' || **p == 'Q' || **p == 'E')
                return false;
        } else if (**p == '[' && (*p)[1] == ':') {
            size_t name = bytes_class_name(*p);
            if (name == 0)
                return false;
            *p += name - 1;
        }
    }
    return *(*p)++ == ']';
}

bool bytes_class(const char **p, guint8 *set)
{
    const char *begin = *p;
    guint8 class[32] = {0};
    bool negated = **p == '^', known = true;
    *p += negated;
    const char *first = *p;
    while (known && **p && (**p != ']' || *p == first)) {
        int low, high;
        known = read_member(p, class, &low);
        if (!known || low < 0 || **p != '-' || (*p)[1] == ']' || (*p)[1] == '\0') {
            if (known && low >= 0)
                bytes_add(class, (unsigned)low, (unsigned)low);
            continue;
        }
        ++*p;
        known = read_member(p, class, &high) && high >= low;
        if (known)
            bytes_add(class, (unsigned)low, (unsigned)high);
    }
    if (!known || **p != ']') {
        bytes_add(set, 0, 255);
        *p = begin;
        return skip_class(p);
    }
    ++*p;
    /* Of bytes above 127 a set may hold more than is meant, so that it must not be turned round. */
    if (negated) {
        add_all_but(set, class);
        bytes_add(set, 128, 255);
    } else {
        for (unsigned i = 0; i < 32; i++)
            set[i] |= class[i];
    }
    return true;
}
