/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Slots. The script of the Redis store (redis_scripts.c) does the same in Lua.
 */
#include "store/counter.h"

#include <glib.h>
#include <stdlib.h>

void counter_clear(struct counter *counter)
{
    g_free(counter->slots);
    *counter = (struct counter){0};
}

/* Rounded up, so that 24 of them are no less than the window. */
static int64_t slot_length(const struct store_window *window)
{
    return (window->length + COUNTER_SLOTS - 1) / COUNTER_SLOTS;
}

/* The slot under way at NOW. */
static uint32_t slot_at(const struct store_window *window, int64_t now)
{
    return window->length ? (uint32_t)(MAX(now, 0) / slot_length(window)) : window->date;
}

int64_t counter_lifetime(const struct store_window *window)
{
    static const int64_t longest_month_twice = 62LL * 86400 * 1000;
    return window->length ? slot_length(window) * (COUNTER_SLOTS + 1) : longest_month_twice;
}

/* The first slot that counts while SLOT is under way. */
static uint32_t oldest(const struct store_window *window, uint32_t slot)
{
    return window->length && slot >= COUNTER_SLOTS ? slot - COUNTER_SLOTS
           : window->length                        ? 0
                                                   : slot;
}

/* Whether a slot behind that of DATE may be right at NOW, by somebody's clock, and stays where it
 * is. Whoever comes long after his window's end does not know which ones have begun since. */
static bool is_right(const struct store_window *window, uint32_t slot, int64_t now)
{
    static const int64_t overlap = 2LL * 3600 * 1000; /* END is known to an hour */
    return window->end && now >= window->end - overlap &&
           (slot == window->next || now >= window->end + overlap);
}

static struct counter_slot *find_slot(const struct counter *counter, uint32_t slot)
{
    for (uint32_t i = 0; i < counter->count; i++)
        if (counter->slots[i].slot == slot)
            return &counter->slots[i];
    return NULL;
}

static struct counter_slot *find_network(const struct counter *counter, uint64_t network)
{
    for (uint32_t i = 0; i < counter->count; i++)
        if (counter->slots[i].value == network)
            return &counter->slots[i];
    return NULL;
}

static uint64_t saturated_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The first slot that is not forgotten while FIRST is the first that counts. Of the calendar's
 * windows that are over the last one stays: by another clock it may be under way. */
static uint32_t oldest_kept(const struct counter *counter, const struct store_window *window,
                            uint32_t first)
{
    uint32_t kept = 0;
    if (window->length)
        return first;
    for (uint32_t i = 0; i < counter->count; i++)
        if (counter->slots[i].slot < first)
            kept = MAX(kept, counter->slots[i].slot);
    return kept;
}

static void settle(struct counter *counter, const struct store_window *window, int64_t now)
{
    uint32_t slot = slot_at(window, now);
    uint32_t first = oldest_kept(counter, window, oldest(window, slot));
    uint32_t kept = 0;
    uint64_t future = 0;
    for (uint32_t i = 0; i < counter->count; i++) {
        struct counter_slot one = counter->slots[i];
        if (one.slot < first)
            continue;
        if (one.slot > slot && !is_right(window, one.slot, now)) {
            if (!counter->networks) {
                future = saturated_sum(future, one.value);
                continue;
            }
            one.slot = slot;
        }
        counter->slots[kept++] = one;
    }
    counter->count = kept;
    if (future > 0)
        counter_add(counter, window, now, future, &slot);
}

static struct counter_slot *new_slot(struct counter *counter, uint32_t slot)
{
    if (counter->count == counter->room) {
        counter->room = counter->room ? counter->room * 2 : 1;
        counter->slots = g_renew(struct counter_slot, counter->slots, counter->room);
    }
    struct counter_slot *one = &counter->slots[counter->count++];
    *one = (struct counter_slot){.slot = slot};
    return one;
}

uint64_t counter_used(struct counter *counter, const struct store_window *window, int64_t now)
{
    uint32_t first = oldest(window, slot_at(window, now));
    uint64_t sum = 0;
    settle(counter, window, now);
    for (uint32_t i = 0; i < counter->count; i++)
        if (counter->slots[i].slot >= first)
            sum = saturated_sum(sum, counter->networks ? 1 : counter->slots[i].value);
    return sum;
}

void counter_add(struct counter *counter, const struct store_window *window, int64_t now,
                 uint64_t n, uint32_t *slot_r)
{
    *slot_r = slot_at(window, now);
    struct counter_slot *one = find_slot(counter, *slot_r);
    if (!one)
        one = new_slot(counter, *slot_r);
    one->value = saturated_sum(one->value, n);
}

bool counter_knows(struct counter *counter, const struct store_window *window, int64_t now,
                   uint64_t network)
{
    settle(counter, window, now);
    const struct counter_slot *one = find_network(counter, network);
    return one && one->slot >= oldest(window, slot_at(window, now));
}

static void remove_slot(struct counter *counter, struct counter_slot *one)
{
    *one = counter->slots[--counter->count];
}

/* Any slot before FIRST; NULL: there is none. */
static struct counter_slot *find_older(const struct counter *counter, uint32_t first)
{
    for (uint32_t i = 0; i < counter->count; i++)
        if (counter->slots[i].slot < first)
            return &counter->slots[i];
    return NULL;
}

bool counter_add_network(struct counter *counter, const struct store_window *window, int64_t now,
                         uint64_t network, uint32_t *slot_r)
{
    *slot_r = slot_at(window, now);
    uint32_t first = oldest(window, *slot_r);
    struct counter_slot *one = find_network(counter, network);
    if (!one && counter->count >= COUNTER_NETWORKS_MAX) {
        struct counter_slot *older = find_older(counter, first);
        if (!older)
            return false;
        remove_slot(counter, older);
    }
    if (!one) {
        one = new_slot(counter, *slot_r);
        one->value = network;
    }
    if (one->slot < first)
        one->uses = 0;
    one->slot = MAX(one->slot, *slot_r);
    one->uses += one->uses < UINT32_MAX;
    return true;
}

void counter_take_back(struct counter *counter, uint32_t slot, uint64_t n)
{
    struct counter_slot *one = find_slot(counter, slot);
    if (!one)
        return;
    one->value -= MIN(one->value, n);
    if (one->value == 0)
        remove_slot(counter, one);
}

void counter_take_back_network(struct counter *counter, uint64_t network)
{
    struct counter_slot *one = find_network(counter, network);
    if (one && (one->uses == 0 || --one->uses == 0))
        remove_slot(counter, one);
}

void counter_merge(struct counter *counter, const struct counter *other)
{
    for (uint32_t i = 0; i < other->count; i++) {
        const struct counter_slot *from = &other->slots[i];
        struct counter_slot *one =
            counter->networks ? find_network(counter, from->value) : find_slot(counter, from->slot);
        if (!one && counter->count >= COUNTER_NETWORKS_MAX)
            continue;
        if (!one) {
            *new_slot(counter, from->slot) = *from;
        } else if (counter->networks) {
            one->slot = MAX(one->slot, from->slot);
            one->uses = (uint32_t)MIN((uint64_t)one->uses + from->uses, UINT32_MAX);
        } else {
            one->value = saturated_sum(one->value, from->value);
        }
    }
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t left = ((const struct counter_slot *)a)->slot;
    uint32_t right = ((const struct counter_slot *)b)->slot;
    return left < right ? -1 : left > right;
}

static void sort(struct counter *counter)
{
    if (counter->count > 1)
        qsort(counter->slots, counter->count, sizeof *counter->slots, compare_slots);
}

void counter_align(struct counter *counter, const struct store_window *window, int64_t now,
                   uint64_t used)
{
    uint32_t slot, first = oldest(window, slot_at(window, now));
    uint64_t own = counter_used(counter, window, now);
    if (own < used)
        counter_add(counter, window, now, used - own, &slot);
    sort(counter);
    for (uint32_t i = 0; own > used && i < counter->count;) {
        struct counter_slot one = counter->slots[i];
        if (one.slot < first) {
            i++;
            continue;
        }
        uint64_t less = MIN(one.value, own - used);
        own -= less;
        counter_take_back(counter, one.slot, less);
        sort(counter);
    }
}

int64_t counter_wait(struct counter *counter, const struct store_window *window, int64_t now,
                     uint64_t room)
{
    uint64_t used = counter_used(counter, window, now);
    if (used <= room)
        return 0;
    if (!window->length)
        return -1;
    sort(counter);
    for (uint32_t i = 0; i < counter->count; i++) {
        used -= MIN(used, counter->networks ? 1 : counter->slots[i].value);
        int64_t gone = ((int64_t)counter->slots[i].slot + COUNTER_SLOTS + 1) * slot_length(window);
        if (used <= room)
            return MAX(gone - now, 1);
    }
    return counter_lifetime(window);
}
