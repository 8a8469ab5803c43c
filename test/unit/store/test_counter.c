/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters: never more than the maximum in any window, whoever knows where slots begin.
 */
#include <glib.h>

#include "store/counter.h"

#define DAY  (86400LL * 1000)
#define HOUR (3600LL * 1000)

/* Sends as much as it may. */
static uint64_t send_all(struct counter *counter, const struct store_window *window, int64_t now,
                         uint64_t max)
{
    uint64_t used = counter_used(counter, window, now);
    uint32_t slot;
    if (used >= max)
        return 0;
    counter_add(counter, window, now, max - used, &slot);
    return max - used;
}

struct sent {
    int64_t at;
    uint64_t n;
};

/* The most that was sent in any stretch of LENGTH ms. */
static uint64_t most_in(const GArray *sent, int64_t length)
{
    uint64_t most = 0, sum = 0;
    guint first = 0;
    for (guint i = 0; i < sent->len; i++) {
        const struct sent *one = &g_array_index(sent, struct sent, i);
        sum += one->n;
        while (g_array_index(sent, struct sent, first).at <= one->at - length)
            sum -= g_array_index(sent, struct sent, first++).n;
        most = MAX(most, sum);
    }
    return most;
}

/* A greedy sender that tries at times of its own choice, edges of slots and of windows among them,
 * over a month of days. */
static void test_greedy(void)
{
    static const int64_t lengths[] = {60000, 61000, HOUR, DAY, 7 * DAY};
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        const struct store_window window = {.length = lengths[i]};
        int64_t slot = (lengths[i] + COUNTER_SLOTS - 1) / COUNTER_SLOTS;
        struct counter counter = {0};
        g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(struct sent));
        int64_t now = 1795000000000LL;
        for (int64_t end = now + 30 * lengths[i]; now < end;) {
            struct sent one = {.at = now, .n = send_all(&counter, &window, now, 500)};
            g_array_append_val(sent, one);
            switch (g_rand_int_range(rand, 0, 4)) {
            case 0: /* just behind the next edge, or just before it */
                now = (now / slot + 1) * slot - g_rand_int_range(rand, 0, 2);
                break;
            case 1:
                now += lengths[i] - g_rand_int_range(rand, 0, 2);
                break;
            default:
                now += 1 + (int64_t)(g_rand_double(rand) * (double)slot);
                break;
            }
        }
        uint64_t most = most_in(sent, lengths[i]);
        g_assert_cmpuint(most, ==, 500);
        counter_clear(&counter);
    }
}

/* Who sent all of it waits one window and one slot at most, and is told so. */
static void test_wait(void)
{
    const struct store_window window = {.length = DAY};
    struct counter counter = {0};
    uint32_t slot;
    int64_t now = 1795000000000LL / HOUR * HOUR + HOUR - 1;
    counter_add(&counter, &window, now, 300, &slot);
    counter_add(&counter, &window, now + 2 * HOUR, 200, &slot);
    int64_t later = now + 3 * HOUR;
    int64_t wait = counter_wait(&counter, &window, later, 499);
    g_assert_cmpint(later + wait, ==, now + 1 + 24 * HOUR);
    g_assert_cmpuint(counter_used(&counter, &window, later + wait - 1), ==, 500);
    g_assert_cmpuint(counter_used(&counter, &window, later + wait), ==, 200);
    counter_clear(&counter);
    counter_add(&counter, &window, now, 300, &slot);
    counter_add(&counter, &window, now + 2 * HOUR, 200, &slot);
    wait = counter_wait(&counter, &window, later, 100);
    g_assert_cmpint(later + wait, ==, now + 1 + 26 * HOUR);
    g_assert_cmpint(counter_wait(&counter, &window, later, 500), ==, 0);
    counter_clear(&counter);
}

static void test_take_back(void)
{
    const struct store_window window = {.length = HOUR};
    struct counter counter = {0};
    uint32_t slot;
    int64_t now = 1795000000000LL;
    counter_add(&counter, &window, now, 7, &slot);
    counter_add(&counter, &window, now, 5, &slot);
    counter_take_back(&counter, slot, 7);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, 5);
    counter_take_back(&counter, slot, 100);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, 0);
    counter_take_back(&counter, slot, 1);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, 0);
    counter_add(&counter, &window, now, UINT64_MAX, &slot);
    counter_add(&counter, &window, now, 9, &slot);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, UINT64_MAX);
    counter_clear(&counter);
}

/* Back and forth: nobody is bound for longer than a window, and what was counted stays counted. */
static void test_clock(void)
{
    const struct store_window windows[] = {{.length = HOUR}, {.date = 20261127}};
    struct counter counter = {0};
    uint32_t slot;
    int64_t now = 1795000000000LL;
    counter_add(&counter, &windows[0], now + 365 * DAY, 10, &slot);
    g_assert_cmpuint(counter_used(&counter, &windows[0], now), ==, 10);
    g_assert_cmpuint(counter_used(&counter, &windows[0], now + HOUR), ==, 10);
    g_assert_cmpuint(counter_used(&counter, &windows[0], now + HOUR + HOUR / 23), ==, 0);
    counter_clear(&counter);
    const struct store_window tomorrow = {.date = 20261128};
    counter_add(&counter, &tomorrow, now, 10, &slot);
    g_assert_cmpuint(counter_used(&counter, &windows[1], now), ==, 10);
    g_assert_cmpuint(counter_used(&counter, &tomorrow, now), ==, 0);
    counter_clear(&counter);
    counter.networks = true;
    counter_add_network(&counter, &windows[0], now + 365 * DAY, 1, &slot);
    g_assert_true(counter_knows(&counter, &windows[0], now, 1));
    g_assert_false(counter_knows(&counter, &windows[0], now + HOUR + HOUR / 23, 1));
    counter_clear(&counter);
}

struct visit {
    int64_t at;
    uint64_t network;
};

/* Two hundred random runs: never more than five networks in an hour. */
static void test_networks(void)
{
    const struct store_window window = {.length = HOUR};
    enum { NETWORKS = 12, MAX_NETWORKS = 5 };
    uint64_t full = 0;
    for (guint32 run = 0; run < 200; run++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(run);
        g_autoptr(GArray) visits = g_array_new(FALSE, FALSE, sizeof(struct visit));
        struct counter counter = {.networks = true};
        int64_t now = 1795000000000LL;
        for (int i = 0; i < 400; i++) {
            struct visit visit = {.at = now,
                                  .network = (uint64_t)g_rand_int_range(rand, 0, NETWORKS)};
            uint32_t slot;
            bool known = counter_knows(&counter, &window, now, visit.network);
            bool passes = known || counter_used(&counter, &window, now) < MAX_NETWORKS;
            if (passes) {
                g_assert_true(counter_add_network(&counter, &window, now, visit.network, &slot));
                g_array_append_val(visits, visit);
            }
            now += g_rand_int_range(rand, 0, 600000);
        }
        for (guint i = 0; i < visits->len; i++) {
            uint64_t seen = 0;
            int64_t end = g_array_index(visits, struct visit, i).at;
            for (guint j = i + 1;
                 j-- > 0 && g_array_index(visits, struct visit, j).at > end - HOUR;)
                seen |= 1u << g_array_index(visits, struct visit, j).network;
            g_assert_cmpint(__builtin_popcountll(seen), <=, MAX_NETWORKS);
            full += __builtin_popcountll(seen) == MAX_NETWORKS;
        }
        counter_clear(&counter);
    }
    g_assert_cmpuint(full, >, 0);
}

static void test_networks_back(void)
{
    const struct store_window window = {.length = HOUR};
    struct counter counter = {.networks = true};
    uint32_t slot;
    int64_t now = 1795000000000LL;
    counter_add_network(&counter, &window, now, 3, &slot);
    counter_add_network(&counter, &window, now, 3, &slot);
    counter_take_back_network(&counter, 3);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, 1);
    counter_take_back_network(&counter, 3);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, 0);
    for (uint64_t i = 0; i < COUNTER_NETWORKS_MAX; i++)
        g_assert_true(counter_add_network(&counter, &window, now, i, &slot));
    g_assert_false(counter_add_network(&counter, &window, now, COUNTER_NETWORKS_MAX, &slot));
    counter_clear(&counter);
}

static void test_align(void)
{
    const struct store_window window = {.length = DAY};
    struct counter counter = {0};
    uint32_t slot;
    int64_t now = 1795000000000LL;
    counter_align(&counter, &window, now, 40);
    g_assert_cmpuint(counter_used(&counter, &window, now), ==, 40);
    counter_add(&counter, &window, now + 5 * HOUR, 60, &slot);
    counter_align(&counter, &window, now + 5 * HOUR, 70);
    g_assert_cmpuint(counter_used(&counter, &window, now + 5 * HOUR), ==, 70);
    /* the oldest went first */
    g_assert_cmpuint(counter_used(&counter, &window, now + 26 * HOUR), ==, 60);
    counter_align(&counter, &window, now + 26 * HOUR, 0);
    g_assert_cmpuint(counter_used(&counter, &window, now + 26 * HOUR), ==, 0);
    counter_clear(&counter);
}

/* Of the days that are over the last one stays, for whoever is in it still, and none but that. */
static void test_last_day(void)
{
    enum { MAX_DAYS = 5 };
    const int64_t now = 1795000000000LL;
    struct store_window days[MAX_DAYS];
    struct counter counter = {0}, networks = {.networks = true};
    uint32_t slot;
    for (uint32_t i = 0; i < MAX_DAYS; i++) {
        days[i] = (struct store_window){
            .date = 20261125 + i, .end = now + (i + 1) * DAY - 1000, .next = 20261126 + i};
        counter_add(&counter, &days[i], now + i * DAY, 10 + i, &slot);
        g_assert_cmpuint(counter_used(&counter, &days[i], now + i * DAY), ==, 10 + i);
        g_assert_cmpuint(counter.count, <=, 2);
    }
    const struct store_window *last = &days[MAX_DAYS - 2], *today = &days[MAX_DAYS - 1];
    const int64_t midnight = last->end;
    /* setting it right takes from none that does not count */
    counter_align(&counter, today, midnight, 3);
    g_assert_cmpuint(counter_used(&counter, today, midnight), ==, 3);
    g_assert_cmpuint(counter_used(&counter, last, midnight), ==, 13 + 3);
    counter_clear(&counter);
    /* yesterday's networks leave room for today's */
    for (uint64_t i = 0; i < COUNTER_NETWORKS_MAX; i++)
        g_assert_true(counter_add_network(&networks, last, midnight, i, &slot));
    g_assert_false(counter_knows(&networks, today, midnight, 7));
    g_assert_true(counter_add_network(&networks, today, midnight, 7, &slot));
    g_assert_true(counter_add_network(&networks, today, midnight, COUNTER_NETWORKS_MAX, &slot));
    g_assert_true(counter_knows(&networks, today, midnight, 7));
    g_assert_cmpuint(counter_used(&networks, today, midnight), ==, 2);
    g_assert_cmpuint(networks.count, ==, COUNTER_NETWORKS_MAX);
    counter_take_back_network(&networks, 7);
    g_assert_cmpuint(counter_used(&networks, today, midnight), ==, 1);
    counter_clear(&networks);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/counter/greedy", test_greedy);
    g_test_add_func("/counter/wait", test_wait);
    g_test_add_func("/counter/take-back", test_take_back);
    g_test_add_func("/counter/clock", test_clock);
    g_test_add_func("/counter/networks", test_networks);
    g_test_add_func("/counter/networks-back", test_networks_back);
    g_test_add_func("/counter/align", test_align);
    g_test_add_func("/counter/last-day", test_last_day);
    return g_test_run();
}
