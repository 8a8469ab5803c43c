/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the interfaces.
 */
#include "ownaddress.h"

#include "base/system.h"

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

static void add_address(const struct sockaddr *socket_address, void *data)
{
    GPtrArray *list = data;
    struct ipaddr address;
    if (list->len < OWNADDRESS_MAX && ipaddr_from_sockaddr(socket_address, &address) &&
        !is_link_local(&address))
        g_ptr_array_add(list, g_memdup2(&address, sizeof(address)));
}

GPtrArray *ownaddress_list(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    system_interfaces(add_address, list);
    return list;
}
