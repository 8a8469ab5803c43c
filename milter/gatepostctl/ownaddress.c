/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the interfaces.
 */
#include "ownaddress.h"

#include <ifaddrs.h>
#include <net/if.h>

char *ownaddress_literal(const struct ipaddr *address)
{
    char text[IPADDR_TEXT_MAX];
    return g_strdup_printf(address->family == IP_V6 ? "[IPv6:%s]" : "[%s]",
                           ipaddr_format(address, text));
}

/* fe80::/10: it means nothing without its interface. */
static bool is_link_local(const struct ipaddr *address)
{
    return address->family == IP_V6 && address->bytes[0] == 0xfe &&
           (address->bytes[1] & 0xc0) == 0x80;
}

GPtrArray *ownaddress_list(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return list;
    for (const struct ifaddrs *one = all; one && list->len < OWNADDRESS_MAX; one = one->ifa_next) {
        struct ipaddr address;
        if (!(one->ifa_flags & IFF_UP) || !one->ifa_addr ||
            !ipaddr_from_sockaddr(one->ifa_addr, &address) || is_link_local(&address))
            continue;
        g_ptr_array_add(list, g_memdup2(&address, sizeof(address)));
    }
    freeifaddrs(all);
    return list;
}
