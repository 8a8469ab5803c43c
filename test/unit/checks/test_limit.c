/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_limit as it looks at a recipient, over a store of which a row says what was used before.
 * Counting is the committer's: test_commit.c of policy/; keys are in test_keys.c.
 */
#include "checks.h"

#include "checks/limit.h"

enum { DAY = 86400000 };

static int64_t tell_time(void *data)
{
    (void)data;
    return INT64_C(1790000000000);
}

static const struct store_clock hands = {.now = tell_time};

static const struct {
    const char *name, *key;
    enum limit_count count;
    enum limit_action action;
    enum limit_for who;
    uint64_t max;
} limits[] = {
    {"out", "sasl_user", LIMIT_RECIPIENTS, LIMIT_DEFER, LIMIT_AUTHENTICATED, 2},
    {"many", "sender", LIMIT_MESSAGES, LIMIT_REJECT, LIMIT_ALL, 1},
    {"much", "sender", LIMIT_BYTES, LIMIT_DEFER, LIMIT_ALL, 4096},
    {"kept", "sender", LIMIT_MESSAGES, LIMIT_HOLD, LIMIT_ALL, 1},
    {"places", "sasl_user", LIMIT_CLIENTS, LIMIT_REJECT, LIMIT_AUTHENTICATED, 1},
    {"near", "client/24", LIMIT_RECIPIENTS, LIMIT_DEFER, LIMIT_MYNETWORKS, 1},
    {"sites", "header:X-Site", LIMIT_MESSAGES, LIMIT_DEFER, LIMIT_ALL, 1},
    {"authors", "from", LIMIT_MESSAGES, LIMIT_DEFER, LIMIT_ALL, 1},
    {"houses", "from_domain", LIMIT_MESSAGES, LIMIT_DEFER, LIMIT_ALL, 1},
};

static void add_limits(struct site *site)
{
    site->limits = limit_site_new();
    g_free(site->recipient_delimiter);
    site->recipient_delimiter = g_strdup("+-");
    site->limits->notice_address = g_strdup("admin@lab.test");
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        char *why = NULL;
        struct limit *limit = g_new0(struct limit, 1);
        *limit = (struct limit){.name = g_strdup(limits[i].name),
                                .parts = limit_parts_parse(limits[i].key, &why),
                                .count = limits[i].count,
                                .action = limits[i].action,
                                .who = limits[i].who,
                                .max = limits[i].max,
                                .length = DAY,
                                .window_text = g_strdup("in 1d"),
                                .window_key = g_strdup("86400"),
                                .has_sender = g_str_equal(limits[i].key, "sender"),
                                .has_header = g_str_equal(limits[i].name, "sites")};
        g_ptr_array_add(site->limits->limits, limit);
    }
}

#define BOB      .login = "bob", .tls = "256", .sender = "<bob@lab.test>", .recipient = "<b@far.test>"
#define STRANGER .sender = "<Ann@far.test>", .recipient = "<b@lab.test>"
#define FULL     "sending limit reached "

/* Who wrote the message, or at which domain, has used the limit up. */
#define USED_UP(limit, owner, field)                                                               \
    {                                                                                              \
        "l:" limit "|86400|" owner, 1,                                                             \
        {                                                                                          \
            "check_limit " limit, {STRANGER, .header = field},                                     \
                "450 4.7.0 " owner ": " FULL "(1 messages in 1d); try again in 25h limit=" limit   \
                " key=" owner " used=1 max=1"                                                      \
        }                                                                                          \
    }
#define AUTHOR(field) USED_UP("authors", "bob@lab.test", field)
#define HOUSE(field)  USED_UP("houses", "lab.test", field)

static const struct {
    const char *key; /* of the store; NULL: nothing was used */
    uint64_t used;
    struct check_row row;
} rows[] = {
    {NULL, 0, {"check_limit out", {BOB}, "- charges: 1"}},
    {"l:out|86400|bob", 1, {"check_limit out", {BOB}, "- charges: 1"}},
    {"l:out|86400|bob",
     2,
     {"check_limit out",
      {BOB},
      "450 4.7.0 bob: " FULL "(2 recipients in 1d); try again in 25h limit=out key=bob used=2 "
      "max=2"}},
    /* Another's is another's, and who is no sound login has none. */
    {"l:out|86400|carol", 2, {"check_limit out", {BOB}, "- charges: 1"}},
    {"l:out|86400|bob", 2, {"check_limit out", {STRANGER}, "-"}},
    {"l:out|86400|bob", 2, {"check_limit out", {.login = "bob", .sender = "<bob@lab.test>"}, "-"}},
    {"l:many|86400|ann@far.test",
     1,
     {"check_limit many",
      {STRANGER},
      "550 5.7.1 ann@far.test: " FULL "(1 messages in 1d); try again in 25h limit=many "
      "key=ann@far.test used=1 max=1"}},
    {NULL, 0, {"check_limit many", {STRANGER}, "- charges: 1"}},
    /* The null sender is nobody's key. */
    {NULL, 0, {"check_limit many", {.sender = "<>", .recipient = "<b@lab.test>"}, "-"}},
    /* What is larger than the whole limit will never fit. */
    {NULL, 0, {"check_limit much", {STRANGER, .size = "SIZE=4096"}, "- charges: 1"}},
    {NULL,
     0,
     {"check_limit much",
      {STRANGER, .size = "SIZE=10240"},
      "552 5.3.4 ann@far.test: 10 kB are more than the limit of 4 kB in 1d limit=much "
      "key=ann@far.test used=0 max=4096"}},
    {"l:much|86400|ann@far.test",
     1000,
     {"check_limit much",
      {STRANGER, .size = "SIZE=3097"},
      "450 4.7.0 ann@far.test: " FULL "(4 kB in 1d); try again in 25h limit=much "
      "key=ann@far.test used=1000 max=4096"}},
    {"l:much|86400|ann@far.test",
     1000,
     {"check_limit much", {STRANGER, .size = "SIZE=3096"}, "- charges: 1"}},
    /* What is to be held, and what came without SMTP, is refused no recipient: the end decides. */
    {"l:kept|86400|ann@far.test", 9, {"check_limit kept", {STRANGER}, "- charges: 1"}},
    {"l:many|86400|bob@lab.test",
     9,
     {"check_limit many",
      {.local = true, .sender = "<bob@lab.test>", .recipient = "<b@far.test>"},
      "- charges: 1"}},
    {"l:near|86400|192.0.2.0/24",
     1,
     {"check_limit near",
      {.client = "192.0.2.7", STRANGER},
      "450 4.7.0 192.0.2.0/24: " FULL "(1 recipients in 1d); try again in 25h limit=near "
      "key=192.0.2.0/24 used=1 max=1"}},
    {"l:near|86400|192.0.2.0/24", 1, {"check_limit near", {STRANGER}, "-"}},
    /* Our own notice, from here. */
    {"l:near|86400|192.0.2.0/24",
     1,
     {"check_limit near",
      {.client = "192.0.2.7", .sender = "<>", .recipient = "<admin@lab.test>"},
      "- charges: 1"}},
    {NULL, 0, {"check_limit places", {BOB}, "- charges: 1"}},
    /* An extension makes no other sender, nor does a spelling that a reader sees through, nor a
     * name that the MTA completes. */
    AUTHOR("From: Bob <Bob+news@LAB.test>"),
    AUTHOR("From: Bob <bob+1@lab.test (bob)"),
    AUTHOR("From: \"Bob <bob@lab.test>"),
    AUTHOR("From: bob"),
    AUTHOR("From: bob-1-request@lab.test"),
    USED_UP("authors", "owner@lab.test", "From: owner-1@lab.test"),
    HOUSE("From: <bob@lab.test"),
    HOUSE("From: bob"),
    /* Of several each is charged, each once. */
    {NULL,
     0,
     {"check_limit authors",
      {.header = "From: bob@lab.test, Bob+1@lab.test, carol@lab.test", .profiles = "0"},
      "- charges: 2"}},
    {NULL, 0, {"check_limit authors", {.header = "Subject: x", .profiles = "0"}, "-"}},
    /* Of the header nothing is known yet. */
    {NULL, 0, {"check_limit sites", {STRANGER}, "-"}},
};

static void test_recipient(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct surroundings in = {.furnish = add_limits, .store = store_memory(&hands)};
        const struct store_request request = {.action = STORE_COUNT,
                                              .key = rows[i].key,
                                              .window = {.length = DAY},
                                              .n = rows[i].used,
                                              .max = UINT64_MAX};
        struct store_answer answer;
        if (rows[i].key)
            store_ask_now(in.store, &request, &answer);
        check_rows_in(&in, &rows[i].row, 1);
        store_close(in.store);
    }
}

/* Without a store nothing is counted; while its server is away, by what the daemon knows itself. */
static void test_away(void)
{
    static const struct check_row none = {"check_limit out", {BOB}, "-"};
    static const struct check_row own = {"check_limit out", {BOB}, "- charges: 1"};
    struct surroundings in = {.furnish = add_limits};
    check_rows_in(&in, &none, 1);
    in.store = store_failing(&hands);
    check_rows_in(&in, &own, 1);
    store_close(in.store);
}

/* The time to wait is right to a slot of the window, a 24th of it. */
static void test_wait(void)
{
    enum { MINUTE = 60000, HOUR = 60 * MINUTE };
    static const struct {
        int64_t length, wait;
        const char *text;
    } cases[] = {
        {MINUTE, MINUTE + 2500, "63s"},
        {10 * MINUTE, 1, "1s"},
        {24 * MINUTE, 90000, "2m"},
        {HOUR, 62 * MINUTE + 1, "63m"},
        {2 * HOUR, 125 * MINUTE, "125m"},
        {23 * HOUR, 3 * HOUR, "180m"},
        {DAY, 3 * HOUR, "3h"},
        {DAY, DAY + 1, "25h"},
        {7 * DAY, DAY, "24h"},
        {24 * (int64_t)DAY, DAY + 1, "2d"},
    };
    const struct limit_site site = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct limit limit = {.length = cases[i].length};
        g_autofree char *text = limit_wait_text(&site, &limit, cases[i].wait, 0);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limit/recipient", test_recipient);
    g_test_add_func("/limit/away", test_away);
    g_test_add_func("/limit/wait", test_wait);
    return g_test_run();
}
