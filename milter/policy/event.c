/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Permits, of whoever listens to events.
 */
#include "policy/event.h"

const char *permits_main(const struct permits *permits)
{
    const char *main = permits->by[LIST_RELAY];
    for (int kind = 0; !main && kind < LIST_COUNT; kind++)
        main = permits->by[kind];
    return main;
}

const char *permits_list_word(enum restriction_list_kind kind)
{
    static const char *const names[LIST_COUNT] = {
        [LIST_CLIENT] = "client", [LIST_HELO] = "helo",           [LIST_SENDER] = "sender",
        [LIST_RELAY] = "relay",   [LIST_RECIPIENT] = "recipient", [LIST_MESSAGE] = "message",
    };
    return names[kind];
}

char **permits_list(const struct permits *permits)
{
    g_autoptr(GStrvBuilder) list = g_strv_builder_new();
    for (enum restriction_list_kind kind = 0; kind < LIST_COUNT; kind++) {
        if (!permits->by[kind])
            continue;
        g_autofree char *one = g_strconcat(permits_list_word(kind), ":", permits->by[kind], NULL);
        g_strv_builder_add(list, one);
    }
    return g_strv_builder_end(list);
}
