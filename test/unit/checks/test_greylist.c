/* SPDX-License-Identifier: BSD-2-Clause
 *
 * greylist, over a store whose clock a test sets. What a mark is made of: test_keys.c.
 */
#include "checks.h"

#include "checks/greylist.h"

enum { MINUTE = 60000, DELAY = 5 * MINUTE, WINDOW = 2 * 24 * 60 * MINUTE };

static int64_t now = INT64_C(1790000000000);

static int64_t tell_time(void *data)
{
    (void)data;
    return now;
}

static const struct store_clock hands = {.now = tell_time};

static void suspicious(struct site *site)
{
    site->greylist_when = GREYLIST_SUSPICIOUS;
    site->greylist_delay = DELAY;
    site->greylist_window = WINDOW;
    site->greylist_keep = GREYLIST_KNOWN_MS;
}

static void always(struct site *site)
{
    suspicious(site);
    site->greylist_when = GREYLIST_ALWAYS;
}

/* So many minutes later. */
struct visit {
    int later;
    struct check_row row;
};

#define WELL(who) .name = "mx." who, .helo = "mx." who, .sender = "<a@far.test>"
#define ILL(who)  .helo = "x", .sender = "<" who "@far.test>"
#define US        .recipient = "<b@lab.test>"
#define LATER(in) "451 4.7.0 Greylisted; try again in " in
#define VISIT(minutes, expected, ...)                                                              \
    {                                                                                              \
        minutes,                                                                                   \
        {                                                                                          \
            "greylist", {__VA_ARGS__}, expected                                                    \
        }                                                                                          \
    }

static void play(const struct visit *visits, size_t count, void (*furnish)(struct site *site),
                 struct store *store)
{
    const struct surroundings in = {.furnish = furnish, .store = store};
    for (size_t i = 0; i < count; i++) {
        now += (int64_t)visits[i].later * MINUTE;
        check_rows_in(&in, &visits[i].row, 1);
    }
    store_close(store);
}

static void test_signs(void)
{
    static const struct visit visits[] = {
        VISIT(0, "-", WELL("far.test"), US),
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", ILL("a"), US),
        VISIT(0, LATER("5m") " greylist=new why=no-name", .name = "mx.far.test",
              .resolve = "FORGED", .helo = "mx.far.test", .sender = "<c@far.test>", US),
        VISIT(0, LATER("5m") " greylist=new why=address-in-name", .name = "203-0-113-9.far.test",
              .helo = "mx.far.test", .sender = "<d@far.test>", US),
        VISIT(0, LATER("5m") " greylist=new why=helo", .name = "mx.far.test",
              .helo = "[203.0.113.9]", .sender = "<e@far.test>", US),
    };
    play(visits, G_N_ELEMENTS(visits), suspicious, store_memory(&hands));
}

/* Too early, in time, and then known by his mark; who has come twice, hours apart, is known by
 * group and domain. */
static void test_coming_again(void)
{
    static const struct visit visits[] = {
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", ILL("a"), US),
        VISIT(2, LATER("3m") " greylist=early why=waiting", ILL("a"), US),
        /* Better looks do not shorten it. */
        VISIT(0, LATER("3m") " greylist=early why=waiting", .helo = "mx.far.test",
              .sender = "<a@far.test>", US),
        VISIT(3, "- greylist=passed why=came-back", ILL("a"), US),
        VISIT(1, "- greylist=known why=passed-before", ILL("a"), US),
        VISIT(1, LATER("5m") " greylist=new why=no-name,helo", ILL("b"), US),
        /* From elsewhere it is another. */
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", .client = "198.51.100.9", ILL("a"),
              US),
        VISIT(120, "- greylist=passed why=came-back", ILL("b"), US),
        VISIT(0, "- greylist=known why=came-back-before", ILL("stranger"), US),
    };
    play(visits, G_N_ELEMENTS(visits), suspicious, store_memory(&hands));
}

static void test_too_late(void)
{
    static const struct visit visits[] = {
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", ILL("a"), US),
        VISIT(3 * 24 * 60, LATER("5m") " greylist=new why=no-name,helo", ILL("a"), US),
    };
    play(visits, G_N_ELEMENTS(visits), suspicious, store_memory(&hands));
}

static void test_always(void)
{
    static const struct visit visits[] = {
        VISIT(0, LATER("5m") " greylist=new why=always", WELL("far.test"), US),
        VISIT(6, "- greylist=passed why=came-back", WELL("far.test"), US),
    };
    play(visits, G_N_ELEMENTS(visits), always, store_memory(&hands));
}

/* Nobody at home here, and nobody whom it would harm. */
static void test_spared(void)
{
    static const struct visit visits[] = {
        VISIT(0, "-", .client = "192.0.2.7", ILL("a"), US),
        VISIT(0, "-", .listener = "onion", ILL("a"), US),
        /* Before RCPT nobody knows whom a mark would be of (delay_checks = no). */
        VISIT(0, "-", ILL("a")),
        VISIT(0, "-", .local = true, ILL("a"), US),
        VISIT(0, "-", .tls = "256", .login = "bob", ILL("a"), US),
        VISIT(0, "-", .subject = "relay", ILL("a"), US),
        VISIT(0, "-", .helo = "x", .sender = "<>", US),
        VISIT(0, "-", ILL("a"), .recipient = "<postmaster@lab.test>"),
        VISIT(0, "-", ILL("a"), .recipient = "<Abuse@lab.test>"),
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", .subject = "other", ILL("a"), US),
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", ILL("c"),
              .recipient = "<postmaster.x@lab.test>"),
    };
    play(visits, G_N_ELEMENTS(visits), suspicious, store_memory(&hands));
}

static void touch(struct store *store, const char *key)
{
    const struct store_request request = {
        .action = STORE_TOUCH, .key = key, .keep = GREYLIST_KNOWN_MS};
    struct store_answer answer;
    store_ask_now(store, &request, &answer);
}

/* Let past by hand, by network or by name; written to by one of ours. */
static void test_known(void)
{
    static const struct visit visits[] = {
        VISIT(0, "- greylist=known why=by-hand", ILL("a"), US),
        VISIT(0, LATER("5m") " greylist=new why=helo", .client = "198.51.100.1",
              .name = "mx.pool.test", ILL("a"), US),
        VISIT(0, "- greylist=known why=by-hand", .client = "198.51.100.1",
              .name = "mx.eu.pool.test", ILL("a"), US),
        VISIT(0, "- greylist=known why=written-to", .client = "198.51.100.1", ILL("friend+x"), US),
        VISIT(0, LATER("5m") " greylist=new why=no-name,helo", .client = "198.51.100.1",
              ILL("enemy"), US),
    };
    struct store *store = store_memory(&hands);
    touch(store, GREYLIST_HAND "203.0.113.0/24");
    touch(store, GREYLIST_HAND "eu.pool.test");
    touch(store, GREYLIST_CORRESPONDENT "friend@far.test");
    play(visits, G_N_ELEMENTS(visits), suspicious, store);
}

/* Without a store, and while its server is away, everybody passes. */
static void test_away(void)
{
    static const struct visit visits[] = {
        VISIT(0, "-", ILL("a"), US),
    };
    play(visits, G_N_ELEMENTS(visits), suspicious, store_failing(&hands));
    play(visits, G_N_ELEMENTS(visits), suspicious, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/greylist/signs", test_signs);
    g_test_add_func("/greylist/coming-again", test_coming_again);
    g_test_add_func("/greylist/too-late", test_too_late);
    g_test_add_func("/greylist/always", test_always);
    g_test_add_func("/greylist/spared", test_spared);
    g_test_add_func("/greylist/known", test_known);
    g_test_add_func("/greylist/away", test_away);
    return g_test_run();
}
