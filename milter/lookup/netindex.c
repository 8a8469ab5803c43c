/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks by prefix.
 */
#include "netindex.h"

#include <glib.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128 };

struct netindex {
    GHashTable *places;                    /* struct ipnet (borrowed) -> its place + 1 */
    bool v4[V4_BITS + 1], v6[V6_BITS + 1]; /* lengths that occur */
};

static guint net_hash(gconstpointer key)
{
    const struct ipnet *net = key;
    uint64_t words[2];
    memcpy(words, net->address.bytes, sizeof words);
    uint64_t hash = (words[0] ^ (words[1] * UINT64_C(0x9e3779b97f4a7c15))) + net->prefix;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (guint)(hash >> 32);
}

static gboolean net_equal(gconstpointer a, gconstpointer b)
{
    const struct ipnet *x = a, *y = b;
    return x->prefix == y->prefix && ipaddr_equal(&x->address, &y->address);
}

struct netindex *netindex_new(void)
{
    struct netindex *index = g_new0(struct netindex, 1);
    index->places = g_hash_table_new(net_hash, net_equal);
    return index;
}

void netindex_free(struct netindex *index)
{
    if (!index)
        return;
    g_hash_table_unref(index->places);
    g_free(index);
}

void netindex_add(struct netindex *index, const struct ipnet *net, uint32_t place)
{
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(index->places, net));
    (net->address.family == IP_V4 ? index->v4 : index->v6)[net->prefix] = true;
    if (known == 0 || known - 1 > place)
        g_hash_table_replace(index->places, (gpointer)(uintptr_t)net, GUINT_TO_POINTER(place + 1));
}

uint32_t netindex_first(const struct netindex *index, const struct ipaddr *address)
{
    if (address->family == IP_NONE)
        return NETINDEX_NONE;
    unsigned longest = address->family == IP_V4 ? V4_BITS : V6_BITS;
    const bool *occurs = address->family == IP_V4 ? index->v4 : index->v6;
    struct ipnet net = {.address = *address};
    uint32_t first = NETINDEX_NONE;
    for (unsigned prefix = longest;; prefix--) {
        if (prefix < longest) /* one bit fewer counts */
            net.address.bytes[prefix / 8] &= (uint8_t) ~(0x80u >> (prefix % 8));
        net.prefix = prefix;
        guint place =
            occurs[prefix] ? GPOINTER_TO_UINT(g_hash_table_lookup(index->places, &net)) : 0;
        if (place > 0 && place - 1 < first)
            first = place - 1;
        if (prefix == 0)
            return first;
    }
}
