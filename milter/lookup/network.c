/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks with a hint for the commonest mistake.
 */
#include "network.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"

/* Nobody means so large a network when the address says more; a hint must open nothing. */
enum { HINT_PREFIX_LEAST = 8 };

/* "x/n" for "y/n" where y has bits outside the prefix; NULL if that is not what is wrong, or the
 * length cannot be read. */
static char *suggest(const char *text)
{
    char buffer[IPADDR_TEXT_MAX];
    struct ipnet net;
    const char *slash = strchr(text, '/');
    if (!slash || !text_is_number(slash + 1) || strlen(slash) > 4)
        return NULL;
    g_autofree char *address = g_strndup(text, (gsize)(slash - text));
    if (!ipnet_parse(address, &net, NULL))
        return NULL;
    unsigned prefix = (unsigned)g_ascii_strtoull(slash + 1, NULL, 10);
    if (prefix > net.prefix || prefix < HINT_PREFIX_LEAST)
        return NULL;
    unsigned longest = net.address.family == IP_V4 ? 32 : 128;
    for (unsigned bit = prefix; bit < longest; bit++)
        net.address.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    ipaddr_format(&net.address, buffer);
    bool brackets = *address == '[';
    return g_strdup_printf("%s%s%s/%u", brackets ? "[" : "", buffer, brackets ? "]" : "", prefix);
}

static char *parse(const char *text, struct ipnet *net_r)
{
    const char *why = NULL;
    if (ipnet_parse(text, net_r, &why))
        return NULL;
    g_autofree char *hint = suggest(text);
    struct ipnet hinted;
    if (hint && ipnet_parse(hint, &hinted, NULL))
        return g_strdup_printf("\"%s\": %s; did you mean %s?", text, why, hint);
    return g_strdup_printf("\"%s\": %s", text, why);
}

char *network_parse(const char *text, struct ipnet *net_r)
{
    size_t length = strlen(text);
    if (length < 2 || text[0] != '[' || text[length - 1] != ']')
        return parse(text, net_r);
    g_autofree char *inner = g_strndup(text + 1, length - 2);
    if (strpbrk(inner, "[]"))
        return g_strdup_printf("\"%s\": not an IP address or network", text);
    return parse(inner, net_r);
}
