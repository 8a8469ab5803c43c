/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Permits, of whoever listens to events.
 */
#include "policy/event.h"

void permits_add(struct permits *into, const struct permits *from)
{
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        if (into->by[kind])
            continue;
        into->by[kind] = from->by[kind];
        into->entry[kind] = g_strdup(from->entry[kind]);
    }
}

void permits_clear(struct permits *permits)
{
    for (int kind = 0; kind < LIST_COUNT; kind++)
        g_free(permits->entry[kind]);
    *permits = (struct permits){0};
}

/* The list whose permit is the main one; LIST_COUNT: none was ended. */
static int main_list(const struct permits *permits)
{
    int kind = 0;
    if (permits->by[LIST_RELAY])
        return LIST_RELAY;
    while (kind < LIST_COUNT && !permits->by[kind])
        kind++;
    return kind;
}

const char *permits_main(const struct permits *permits)
{
    int kind = main_list(permits);
    return kind < LIST_COUNT ? permits->by[kind] : NULL;
}

const char *permits_main_entry(const struct permits *permits)
{
    int kind = main_list(permits);
    return kind < LIST_COUNT ? permits->entry[kind] : NULL;
}

unsigned permits_count(const struct permits *permits)
{
    unsigned count = 0;
    for (int kind = 0; kind < LIST_COUNT; kind++)
        count += permits->by[kind] ? 1 : 0;
    return count;
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
