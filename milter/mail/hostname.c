/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Host names and address literals.
 */
#include "mail/hostname.h"

#include <glib.h>
#include <string.h>

enum { LABEL_MAX = 63, NAME_MAX_ = 255, UTF8_NAME_MAX = 4 * NAME_MAX_ };

static bool label_byte(unsigned char c, bool utf8)
{
    return g_ascii_isalnum((char)c) || c == '-' || c == '_' || (utf8 && c >= 0x80);
}

static bool label_valid(const char *label, size_t length, bool utf8)
{
    if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!label_byte((unsigned char)label[i], utf8))
            return false;
    return true;
}

static bool name_valid(const char *name, bool utf8)
{
    if (strlen(name) > NAME_MAX_ || name[strspn(name, "0123456789.")] == '\0')
        return false;
    for (const char *p = name;;) {
        size_t length = strcspn(p, ".");
        if (!label_valid(p, length, utf8))
            return false;
        if (p[length] == '\0')
            return true;
        p += length + 1;
    }
}

bool hostname_valid(const char *name)
{
    return name_valid(name, false);
}

bool hostname_valid_utf8(const char *name)
{
    return g_utf8_validate(name, -1, NULL) && name_valid(name, true);
}

char *hostname_to_ascii(const char *name)
{
    if (g_str_is_ascii(name))
        return g_strdup(name);
    if (strlen(name) > UTF8_NAME_MAX || !g_utf8_validate(name, -1, NULL))
        return NULL;
    return g_hostname_to_ascii(name);
}

bool hostname_address_literal(const char *text, struct ipaddr *address_r)
{
    size_t length = strlen(text);
    char inner[64];
    if (length < 3 || length - 2 >= sizeof inner || text[0] != '[' || text[length - 1] != ']')
        return false;
    memcpy(inner, text + 1, length - 2);
    inner[length - 2] = '\0';
    bool tagged = g_ascii_strncasecmp(inner, "IPv6:", 5) == 0;
    /* RFC 5321 4.1.3: an IPv6 literal must have its tag */
    return (tagged || !strchr(inner, ':')) && ipaddr_parse_written(inner, address_r);
}

/* Four numbers up to 255, whatever zeros stand before them; the first may be 0 in 0.0.0.0 alone. */
static bool is_ipv4(const char *text)
{
    unsigned parts = 0;
    for (const char *p = text;; p++) {
        unsigned value = 0;
        if (!g_ascii_isdigit(*p))
            return false;
        for (; g_ascii_isdigit(*p); p++)
            if ((value = value * 10 + (unsigned)(*p - '0')) > 255)
                return false;
        if (++parts == 1 && value == 0 && text[strspn(text, "0.")] != '\0')
            return false;
        if (*p != '.')
            return *p == '\0' && parts == 4;
    }
}

/* Fields of one to four hexadecimal digits between colons, "::" once, an IPv4 address at the end
 * perhaps. Postfix counts that there are no more than eight, and at least two colons, not that the
 * fields are eight where no "::" stands for the others. */
static bool is_ipv6(const char *text)
{
    unsigned colons = 0, gap = 0;
    size_t digits = 0;
    for (const char *p = text; *p;) {
        if (*p == '.')
            return colons >= 2 && colons <= 6 && is_ipv4(p - digits);
        if (*p != ':') {
            digits = strspn(p, "0123456789abcdefABCDEF");
            if (digits == 0 || digits > 4)
                return false;
            p += digits;
            continue;
        }
        if ((p == text && p[1] != ':') || ++colons > 7)
            return false;
        p++;
        digits = 0;
        if (*p == ':') {
            if (gap)
                return false;
            gap = colons;
        }
    }
    return colons >= 2 && (digits > 0 || gap == colons - 1);
}

bool hostname_is_address(const char *text)
{
    return strchr(text, ':') ? is_ipv6(text) : is_ipv4(text);
}

bool hostname_is_literal(const char *text)
{
    size_t length = strlen(text);
    if (length < 3 || length - 2 >= 46 || text[0] != '[' || strcspn(text, "]") != length - 1)
        return false;
    g_autofree char *inner = g_strndup(text + 1, length - 2);
    return g_ascii_strncasecmp(inner, "IPv6:", 5) == 0 ? is_ipv6(inner + 5) : is_ipv4(inner);
}

bool hostname_ends_in_number(const char *name)
{
    size_t length = strlen(name);
    while (length > 0 && name[length - 1] == '.')
        length--;
    size_t start = length;
    while (start > 0 && name[start - 1] != '.')
        start--;
    if (start == length)
        return false;
    for (size_t i = start; i < length; i++)
        if (!g_ascii_isdigit(name[i]))
            return false;
    return true;
}
