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
    return (tagged || !strchr(inner, ':')) && ipaddr_parse(inner, address_r);
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
