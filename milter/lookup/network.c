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
    bool brackets = *text == '[';
    g_autofree char *bare = g_strdup(text + brackets);
    char *end = strchr(bare, ']');
    if (end)
        memmove(end, end + 1, strlen(end));
    char *slash = strchr(bare, '/');
    if (!slash || !text_is_number(slash + 1) || strlen(slash) > 4)
        return NULL;
    *slash = '\0';
    if (!ipnet_parse(bare, &net, NULL))
        return NULL;
    unsigned prefix = (unsigned)g_ascii_strtoull(slash + 1, NULL, 10);
    if (prefix > net.prefix || prefix < HINT_PREFIX_LEAST)
        return NULL;
    unsigned longest = net.address.family == IP_V4 ? 32 : 128;
    for (unsigned bit = prefix; bit < longest; bit++)
        net.address.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    ipaddr_format(&net.address, buffer);
    return g_strdup_printf("%s%s%s/%u", brackets ? "[" : "", buffer, brackets ? "]" : "", prefix);
}

char *network_parse(const char *text, struct ipnet *net_r)
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
