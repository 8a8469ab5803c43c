/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reply filters as sets of bits.
 */
#include "dns/dnsbl_filter.h"

#include <glib.h>
#include <string.h>

/* A number of 0..255 at *P, which moves past it; -1 if there is none. Leading zeros are allowed. */
static int read_octet(const char **p)
{
    int value = 0;
    if (!g_ascii_isdigit(**p))
        return -1;
    for (; g_ascii_isdigit(**p); (*p)++) {
        value = value * 10 + (**p - '0');
        if (value > 255)
            return -1;
    }
    return value;
}

static void add_range(uint64_t octet[4], int first, int last)
{
    for (int i = first; i <= last; i++)
        octet[i / 64] |= UINT64_C(1) << (i % 64);
}

/* "N" or "N..N" within brackets */
static const char *read_member(const char **p, uint64_t octet[4])
{
    int first = read_octet(p), last = first;
    if (first < 0)
        return "a number of 0 to 255 is expected";
    if (**p == '.') {
        if ((*p)[1] != '.')
            return "a range is written N..N";
        *p += 2;
        last = read_octet(p);
        if (last < 0)
            return "a number of 0 to 255 is expected";
        if (last < first)
            return "the range is the wrong way round";
    }
    add_range(octet, first, last);
    return NULL;
}

static const char *read_set(const char **p, uint64_t octet[4])
{
    for (;;) {
        const char *why = read_member(p, octet);
        if (why)
            return why;
        char next = *(*p)++;
        if (next == ']')
            return NULL;
        if (next != ';') {
            (*p)--;
            return "\";\" or \"]\" is expected";
        }
    }
}

static const char *read_field(const char **p, uint64_t octet[4])
{
    if (**p == '[') {
        (*p)++;
        return read_set(p, octet);
    }
    int value = read_octet(p);
    if (value < 0)
        return "a number of 0 to 255 or \"[\" is expected";
    add_range(octet, value, value);
    return NULL;
}

static const char *read_fields(const char **p, struct dnsbl_filter *filter)
{
    for (unsigned i = 0; i < 4; i++) {
        const char *why = read_field(p, filter->octets[i]);
        if (why)
            return why;
        if (i == 3)
            break;
        if (**p != '.')
            return "four fields with \".\" between them are expected";
        (*p)++;
    }
    return **p ? "nothing more is expected" : NULL;
}

/* Brackets around the whole: the partner of the first one is the last character. */
static char *strip_brackets(const char *text)
{
    size_t length = strlen(text);
    int depth = 0;
    for (size_t i = 0; text[0] == '[' && i < length; i++) {
        depth += (text[i] == '[') - (text[i] == ']');
        if (depth == 0 && i + 1 == length)
            return g_strndup(text + 1, length - 2);
        if (depth == 0)
            break;
    }
    return g_strdup(text);
}

bool dnsbl_filter_parse(const char *text, struct dnsbl_filter *filter_r, char **why_r)
{
    g_autofree char *bare = strip_brackets(text);
    const char *p = bare;
    *filter_r = (struct dnsbl_filter){0};
    const char *why = *p ? read_fields(&p, filter_r) : "the filter is empty";
    if (!why)
        return true;
    if (why_r)
        *why_r = *bare ? g_strdup_printf("%s at \"%.*s>%s\"", why, (int)(p - bare), bare, p)
                       : g_strdup(why);
    return false;
}

bool dnsbl_filter_match(const struct dnsbl_filter *filter, const struct ipaddr *address)
{
    if (address->family != IP_V4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = address->bytes[i];
        if (!(filter->octets[i][value / 64] >> (value % 64) & 1))
            return false;
    }
    return true;
}
