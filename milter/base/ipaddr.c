/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IP addresses and networks.
 */
#include "base/ipaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_v4(struct ipaddr *address, const void *bytes)
{
    *address = (struct ipaddr){.family = IP_V4};
    memcpy(address->bytes, bytes, 4);
}

static void set_v6(struct ipaddr *address, const void *bytes)
{
    if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        set_v4(address, (const uint8_t *)bytes + sizeof mapped_prefix);
        return;
    }
    *address = (struct ipaddr){.family = IP_V6};
    memcpy(address->bytes, bytes, 16);
}

bool ipaddr_parse_written(const char *text, struct ipaddr *address_r)
{
    uint8_t bytes[16];
    bool tagged = strncasecmp(text, "IPv6:", 5) == 0;
    if (!tagged && inet_pton(AF_INET, text, bytes) == 1) {
        set_v4(address_r, bytes);
        return true;
    }
    if (inet_pton(AF_INET6, tagged ? text + 5 : text, bytes) != 1)
        return false;
    *address_r = (struct ipaddr){.family = IP_V6};
    memcpy(address_r->bytes, bytes, sizeof bytes);
    return true;
}

bool ipaddr_parse(const char *text, struct ipaddr *address_r)
{
    struct ipaddr written;
    if (!ipaddr_parse_written(text, &written))
        return false;
    if (written.family == IP_V6)
        set_v6(address_r, written.bytes);
    else
        *address_r = written;
    return true;
}

bool ipaddr_from_sockaddr(const struct sockaddr *sockaddr, struct ipaddr *address_r)
{
    if (sockaddr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sockaddr, sizeof in);
        set_v4(address_r, &in.sin_addr);
        return true;
    }
    if (sockaddr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sockaddr, sizeof in6);
        set_v6(address_r, &in6.sin6_addr);
        return true;
    }
    return false;
}

const char *ipaddr_format(const struct ipaddr *address, char buffer[IPADDR_TEXT_MAX])
{
    char *end = buffer;
    if (address->family == IP_V6)
        inet_ntop(AF_INET6, address->bytes, buffer, IPADDR_TEXT_MAX);
    if (address->family == IP_V6)
        return buffer;
    /* each message's: inet_ntop goes through printf */
    for (int i = 0; address->family == IP_V4 && i < 4; i++) {
        unsigned byte = address->bytes[i];
        if (i > 0)
            *end++ = '.';
        if (byte >= 100)
            *end++ = (char)('0' + byte / 100);
        if (byte >= 10)
            *end++ = (char)('0' + byte / 10 % 10);
        *end++ = (char)('0' + byte % 10);
    }
    *end = '\0';
    return buffer;
}

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool in_any(const struct ipaddr *address, const char *const *nets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ipnet net;
        if (ipnet_parse(nets[i], &net, NULL) && ipnet_contains(&net, address))
            return true;
    }
    return false;
}

bool ipaddr_is_loopback(const struct ipaddr *address)
{
    if (address->family == IP_V4)
        return address->bytes[0] == 127;
    static const uint8_t one[16] = {[15] = 1};
    return address->family == IP_V6 && memcmp(address->bytes, one, sizeof one) == 0;
}

bool ipaddr_is_private(const struct ipaddr *address)
{
    static const char *const nets[] = {
        "0.0.0.0/8",     "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",   "::/127",      "fc00::/7",
        "fe80::/10",     "fec0::/10",      "ff00::/8",
    };
    return address->family == IP_NONE || in_any(address, nets, sizeof nets / sizeof nets[0]);
}

static bool bit_is_set(const struct ipaddr *address, unsigned bit)
{
    return address->bytes[bit / 8] & (0x80u >> (bit % 8));
}

/* Cuts up "ADDR/N", "[ADDR]/N" or "[ADDR/N]", in place: the address, and N, NULL if there is none.
 * NULL for brackets that have no partner or stand elsewhere. */
static const char *split_net(char *text, const char **bits_r)
{
    char *slash = strchr(text, '/');
    *bits_r = slash ? slash + 1 : NULL;
    if (*text == '[') {
        char *end = strchr(++text, ']');
        if (!end || (end[1] != '\0' && slash != end + 1))
            return NULL;
        *end = '\0';
    }
    if (slash)
        *slash = '\0';
    return text;
}

static const char *parse_net(const char *text, struct ipnet *net)
{
    char copy[64];
    size_t size = strlen(text) + 1;
    const char *bits,
        *address = size <= sizeof copy ? split_net(memcpy(copy, text, size), &bits) : NULL;
    if (!address || !ipaddr_parse_written(address, &net->address))
        return "not an IP address or network";
    unsigned longest = net->address.family == IP_V4 ? 32 : 128;
    net->prefix = longest;
    if (!bits)
        return NULL;
    if (!text_is_number(bits) || strlen(bits) > 3)
        return "the prefix length is not a number";
    unsigned given = 0;
    for (const char *p = bits; *p; p++)
        given = given * 10 + (unsigned)(*p - '0');
    if (given > longest)
        return "the prefix length is too large";
    net->prefix = given;
    for (unsigned bit = given; bit < longest; bit++)
        if (bit_is_set(&net->address, bit))
            return "bits outside the prefix are not zero";
    return NULL;
}

bool ipnet_parse(const char *text, struct ipnet *net_r, const char **why_r)
{
    const char *why = parse_net(text, net_r);
    if (why && why_r)
        *why_r = why;
    return !why;
}

bool ipnet_contains(const struct ipnet *net, const struct ipaddr *address)
{
    if (net->address.family != address->family)
        return false;
    unsigned whole = net->prefix / 8, rest = net->prefix % 8;
    if (memcmp(net->address.bytes, address->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return ((net->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}
