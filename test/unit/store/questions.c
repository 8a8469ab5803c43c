/* SPDX-License-Identifier: BSD-2-Clause */
#include "questions.h"

struct store_answer ask(struct store *store, enum store_action action, const char *key, uint64_t n,
                        uint64_t max)
{
    struct store_answer answer;
    const struct store_request request = {
        .action = action, .key = key, .window = {.length = DAY}, .n = n, .max = max};
    store_ask_now(store, &request, &answer);
    return answer;
}

void check_counters(struct store *store, int64_t now)
{
    struct store_answer answer = ask(store, STORE_LOOK, "l:a", 1, 10);
    g_assert_true(answer.admitted && !answer.own);
    g_assert_cmpuint(answer.used, ==, 0);
    g_assert_cmpuint(answer.max, ==, 10);
    answer = ask(store, STORE_ADD, "l:a", 6, 10);
    g_assert_true(answer.admitted);
    g_assert_cmpuint(answer.used, ==, 6);
    uint32_t slot = answer.slot;
    answer = ask(store, STORE_ADD, "l:a", 5, 10);
    g_assert_false(answer.admitted);
    g_assert_cmpuint(answer.used, ==, 6);
    g_assert_cmpint(answer.wait, >, 23 * HOUR);
    g_assert_cmpint(answer.wait, <=, 25 * HOUR);
    answer = ask(store, STORE_ADD, "l:a", 4, 10);
    g_assert_true(answer.admitted);
    g_assert_cmpuint(ask(store, STORE_ADD, "l:b", 1, 1).used, ==, 1);
    answer = ask(store, STORE_COUNT, "l:a", 100, 10);
    g_assert_true(answer.admitted);
    g_assert_cmpuint(answer.used, ==, 110);
    struct store_request request = {
        .action = STORE_TAKE_BACK, .key = "l:a", .window = {.length = DAY}, .n = 100, .slot = slot};
    store_ask_now(store, &request, &answer);
    g_assert_cmpuint(answer.used, ==, 10);
    request = (struct store_request){.action = STORE_NOTE,
                                     .key = "l:a",
                                     .window = {.length = DAY},
                                     .n = 2,
                                     .client = "192.0.2.1 there"};
    store_ask_now(store, &request, &answer);
    request.held = true;
    request.n = 3;
    store_ask_now(store, &request, &answer);
    g_assert_cmpuint(answer.refused, ==, 2);
    g_assert_cmpuint(answer.held, ==, 3);
    g_assert_cmpstr(answer.client, ==, "192.0.2.1 there");
    request = (struct store_request){.action = STORE_ALLOW,
                                     .key = "l:a",
                                     .window = {.length = DAY},
                                     .n = 5,
                                     .max = 10,
                                     .until = now + HOUR};
    store_ask_now(store, &request, &answer);
    g_assert_cmpuint(answer.max, ==, 15);
    g_assert_true(ask(store, STORE_ADD, "l:a", 5, 10).admitted);
    g_assert_false(ask(store, STORE_ADD, "l:a", 1, 10).admitted);
    g_assert_true(ask(store, STORE_ADD, "l:b", 1000000, UINT64_MAX).admitted);
    g_autofree char *why = NULL;
    g_autoptr(GPtrArray) keys = store_list(store, "l:", &why);
    g_assert_cmpuint(keys->len, ==, 2);
    ask(store, STORE_RESET, "l:a", 0, 10);
    answer = ask(store, STORE_LOOK, "l:a", 1, 10);
    g_assert_cmpuint(answer.used + answer.refused, ==, 0);
}

void check_networks(struct store *store)
{
    struct store_answer answer;
    for (uint64_t i = 0; i < 10; i++) {
        struct store_request request = {.action = STORE_ADD,
                                        .key = "l:n",
                                        .networks = true,
                                        .window = {.length = DAY},
                                        .network = i % 5,
                                        .max = 3};
        store_ask_now(store, &request, &answer);
        g_assert_cmpint(answer.admitted, ==, i % 5 < 3);
        g_assert_cmpuint(answer.used, ==, MIN(i + 1, 3));
    }
    for (int i = 0; i < 2; i++) {
        struct store_request request = {.action = STORE_TAKE_BACK,
                                        .key = "l:n",
                                        .networks = true,
                                        .window = {.length = DAY},
                                        .network = 2,
                                        .max = 3};
        store_ask_now(store, &request, &answer);
        g_assert_cmpuint(answer.used, ==, 3 - (uint64_t)i);
    }
}

enum { BEFORE = 20261126, TODAY, TOMORROW, AFTER, AHEAD = 20271127 };

/* The window of the day DATE, which ends at END. */
static struct store_window day_of(uint32_t date, int64_t end)
{
    return (struct store_window){.date = date, .end = end, .next = date + 1};
}

static struct store_answer ask_day(struct store *store, enum store_action action, uint32_t date,
                                   int64_t end, uint64_t n)
{
    struct store_answer answer;
    const struct store_request request = {
        .action = action, .key = "l:e", .window = day_of(date, end), .n = n, .max = 5};
    store_ask_now(store, &request, &answer);
    return answer;
}

/* The same of networks, each of which is one more. */
static struct store_answer ask_network(struct store *store, uint32_t date, int64_t end,
                                       uint64_t network)
{
    struct store_answer answer;
    const struct store_request request = {.action = STORE_ADD,
                                          .key = "l:f",
                                          .networks = true,
                                          .window = day_of(date, end),
                                          .network = network,
                                          .max = 2};
    store_ask_now(store, &request, &answer);
    return answer;
}

static void reset_days(struct store *store)
{
    struct store_answer answer;
    struct store_request reset = {.action = STORE_RESET, .key = "l:f", .networks = true};
    store_ask_now(store, &reset, &answer);
    ask_day(store, STORE_RESET, TODAY, 0, 0);
}

/* Days overlap: a clock of another machine's is late, what was begun before midnight is done behind
 * it, what was owed comes later still. None of it may make a day forget what was counted in it. */
static void check_midnight(struct store *store, int64_t now)
{
    const int64_t soon = now + 1000, tomorrow = soon + DAY, hours_ago = now - 5 * HOUR;
    ask_day(store, STORE_COUNT, BEFORE, hours_ago, 3);
    g_assert_true(ask_day(store, STORE_ADD, TODAY, soon, 1).admitted);
    g_assert_true(ask_day(store, STORE_ADD, TOMORROW, tomorrow, 2).admitted);
    struct store_answer answer = ask_day(store, STORE_ADD, TODAY, soon, 2);
    g_assert_true(answer.admitted);
    g_assert_cmpuint(answer.used, ==, 5); /* the strict side: of both days */
    g_assert_false(ask_day(store, STORE_ADD, TODAY, soon, 1).admitted);
    g_assert_cmpuint(ask_day(store, STORE_LOOK, TOMORROW, tomorrow, 0).used, ==, 2);
    ask_day(store, STORE_COUNT, BEFORE, hours_ago, 7);
    ask_day(store, STORE_TAKE_BACK, BEFORE, hours_ago, 1);
    g_assert_cmpuint(ask_day(store, STORE_LOOK, TOMORROW, tomorrow, 0).used, ==, 2);
    g_assert_false(ask_day(store, STORE_ADD, TOMORROW, tomorrow, 4).admitted);
    /* what was owed for days: the days behind it stay apart */
    g_assert_true(ask_day(store, STORE_ADD, AFTER, tomorrow + DAY, 2).admitted);
    ask_day(store, STORE_COUNT, TODAY, hours_ago, 1);
    g_assert_cmpuint(ask_day(store, STORE_LOOK, AFTER, tomorrow + DAY, 0).used, ==, 2);
    /* a clock that was set back by hours: it is today's, and ends with it */
    g_assert_cmpuint(ask_day(store, STORE_COUNT, TODAY, now + 12 * HOUR, 1).used, >=, 5);
    g_assert_cmpuint(ask_day(store, STORE_LOOK, TOMORROW, tomorrow, 0).used, ==, 0);
    reset_days(store);

    g_assert_true(ask_network(store, TODAY, soon, 1).admitted);
    g_assert_true(ask_network(store, TOMORROW, tomorrow, 2).admitted);
    g_assert_false(ask_network(store, TODAY, soon, 3).admitted); /* 1 is not forgotten */
    g_assert_true(ask_network(store, TOMORROW, tomorrow, 1).admitted);
    g_assert_true(ask_network(store, BEFORE, hours_ago, 2).admitted);
    g_assert_false(ask_network(store, TOMORROW, tomorrow, 3).admitted);
    g_assert_true(ask_network(store, AFTER, tomorrow + DAY, 3).admitted);
    reset_days(store);
}

/* A clock that was a year ahead for minutes: what it counted goes with the day in which that was
 * noticed, for whoever sends in the evening alone, too, and is refused in it. */
static void check_evenings(struct store *store, int64_t now)
{
    const int64_t soon = now + 1000, year = now + 365 * DAY;
    for (int look = 0; look <= 1; look++) { /* asked first, or alone */
        const enum store_action action = look ? STORE_LOOK : STORE_ADD;
        g_assert_true(ask_day(store, STORE_ADD, TODAY, now + 12 * HOUR, 1).admitted);
        g_assert_true(ask_day(store, STORE_ADD, AHEAD, year, 5).admitted);
        struct store_answer answer = ask_day(store, action, TODAY, soon, 1);
        g_assert_false(answer.admitted);
        g_assert_cmpuint(answer.used, ==, 6);
        answer = ask_day(store, STORE_ADD, TOMORROW, soon, 5);
        g_assert_true(answer.admitted);
        g_assert_cmpuint(answer.used, ==, 5);
        g_assert_false(ask_day(store, STORE_ADD, TOMORROW, soon, 1).admitted);
        g_assert_true(ask_day(store, STORE_ADD, AFTER, soon, 5).admitted);
        reset_days(store);
    }
    for (uint64_t network = 1; network <= 2; network++)
        g_assert_true(ask_network(store, AHEAD, year, network).admitted);
    g_assert_false(ask_network(store, TODAY, soon, 3).admitted);
    g_assert_true(ask_network(store, TOMORROW, soon, 3).admitted);
    g_assert_true(ask_network(store, TOMORROW, soon, 4).admitted);
    reset_days(store);
}

void check_calendar(struct store *store, int64_t now)
{
    check_midnight(store, now);
    check_evenings(store, now);
    struct store_answer answer;
    struct store_request request = {
        .action = STORE_ADD, .key = "l:d", .window = {.date = 20261127}, .n = 5, .max = 5};
    store_ask_now(store, &request, &answer);
    g_assert_true(answer.admitted);
    store_ask_now(store, &request, &answer);
    g_assert_false(answer.admitted);
    g_assert_cmpint(answer.wait, ==, -1);
    request.window.date = 20261128;
    store_ask_now(store, &request, &answer);
    g_assert_true(answer.admitted);
}

void check_marks(struct store *store, int64_t minute, void (*pass)(int64_t ms))
{
    struct store_answer answer;
    struct store_request grey = {.action = STORE_GREY,
                                 .key = "g:x",
                                 .delay = minute,
                                 .open = 24 * 60 * minute,
                                 .keep = 36 * 24 * 60 * minute};
    struct store_request see = {.action = STORE_SEE, .key = "g:x"};
    store_ask_now(store, &see, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_NONE);
    store_ask_now(store, &grey, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_NEW);
    pass(minute / 2);
    store_ask_now(store, &grey, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_EARLY);
    store_ask_now(store, &see, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_EARLY);
    pass(minute / 2 + 1);
    store_ask_now(store, &grey, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_PASSED);
    store_ask_now(store, &see, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_PASSED);
    struct store_request touch = {
        .action = STORE_TOUCH, .key = "k:x", .gap = minute, .keep = 60 * minute};
    store_ask_now(store, &touch, &answer);
    store_ask_now(store, &touch, &answer);
    g_assert_cmpuint(answer.hits, ==, 1);
    pass(minute + 1);
    store_ask_now(store, &touch, &answer);
    g_assert_cmpuint(answer.hits, ==, 2);
    see.action = STORE_FORGET;
    store_ask_now(store, &see, &answer);
    see.action = STORE_SEE;
    store_ask_now(store, &see, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_NONE);
}
