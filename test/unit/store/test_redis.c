/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A store on a real Redis server, and what becomes of it when the server is killed, paused, full,
 * made a replica, emptied.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "questions.h"

enum { TIMEOUT_MS = 1000 };

struct server {
    char *folder, *socket;
    GPid pid;
};

struct said {
    GMutex lock;
    GString *text;
};

static struct said said;

static void say(void *data, const char *text)
{
    (void)data;
    g_mutex_lock(&said.lock);
    g_string_append_printf(said.text, "%s\n", text);
    g_mutex_unlock(&said.lock);
}

static bool was_said(const char *words)
{
    g_mutex_lock(&said.lock);
    bool found = strstr(said.text->str, words) != NULL;
    g_mutex_unlock(&said.lock);
    return found;
}

static void forget_said(void)
{
    g_mutex_lock(&said.lock);
    g_string_truncate(said.text, 0);
    g_mutex_unlock(&said.lock);
}

#define until(condition)                                                                           \
    do {                                                                                           \
        gint64 end_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                                \
        while (!(condition)) {                                                                     \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);                                      \
            g_usleep(5000);                                                                        \
        }                                                                                          \
    } while (0)

static redisContext *connect_to(const struct server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    if (context && !context->err)
        return context;
    if (context)
        redisFree(context);
    return NULL;
}

/* What the server answers, as text. */
static char *tell(const struct server *server, const char *command)
{
    redisContext *context = connect_to(server);
    g_assert_nonnull(context);
    redisReply *reply = redisCommand(context, command);
    g_assert_nonnull(reply);
    char *text = reply->type == REDIS_REPLY_INTEGER ? g_strdup_printf("%lld", reply->integer)
                                                    : g_strdup(reply->str ? reply->str : "");
    freeReplyObject(reply);
    redisFree(context);
    return text;
}

static void do_tell(const struct server *server, const char *command)
{
    g_autofree char *text = tell(server, command);
    g_assert_false(g_str_has_prefix(text, "ERR"));
}

static bool is_there(const struct server *server)
{
    redisContext *context = connect_to(server);
    if (!context)
        return false;
    redisReply *reply = redisCommand(context, "PING");
    bool there = reply && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0;
    if (reply)
        freeReplyObject(reply);
    redisFree(context);
    return there;
}

static void start_server(struct server *server)
{
    const char *arguments[] = {"redis-server",
                               "--port",
                               "0",
                               "--unixsocket",
                               server->socket,
                               "--save",
                               "",
                               "--appendonly",
                               "no",
                               "--dir",
                               server->folder,
                               NULL};
    g_assert_true(g_spawn_async(NULL, (char **)arguments, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                    G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                NULL, NULL, &server->pid, NULL));
    until(is_there(server));
}

static void kill_server(struct server *server)
{
    if (server->pid) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
}

static struct server server_new(void)
{
    struct server server = {.folder = g_dir_make_tmp("redis-XXXXXX", NULL)};
    server.socket = g_build_filename(server.folder, "socket", NULL);
    start_server(&server);
    return server;
}

static void server_clear(struct server *server)
{
    kill_server(server);
    g_unlink(server->socket);
    g_autofree char *dump = g_build_filename(server->folder, "dump.rdb", NULL);
    g_unlink(dump);
    g_rmdir(server->folder);
    g_free(server->folder);
    g_free(server->socket);
}

static struct store *open_store(const struct server *server, const char *password)
{
    const struct store_log log = {.warn = say, .tell = say};
    const struct store_redis_options options = {.path = server->socket,
                                                .prefix = "gp1:",
                                                .password = password,
                                                .timeout = TIMEOUT_MS * 1000};
    char *why = NULL;
    struct store *store = store_redis(&options, &log, &why);
    g_assert_nonnull(store);
    return store;
}

static bool is_up(struct store *store)
{
    struct store_status status;
    store_get_status(store, &status);
    bool up = status.up;
    store_status_clear(&status);
    return up;
}

static void test_counters(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    until(is_up(store));
    check_counters(store, g_get_real_time() / 1000);
    check_networks(store);
    check_calendar(store, g_get_real_time() / 1000);
    /* all keys expire */
    char *why = NULL;
    g_autoptr(GPtrArray) keys = store_list(store, "l:", &why);
    g_assert_cmpuint(keys->len, ==, 3);
    g_assert_cmpstr(keys->pdata[0], ==, "l:b");
    for (guint i = 0; i < keys->len; i++) {
        g_autofree char *command = g_strdup_printf("PTTL gp1:%s", (char *)keys->pdata[i]);
        g_autofree char *life = tell(&server, command);
        g_assert_cmpint(g_ascii_strtoll(life, NULL, 10), >, 3600000);
    }
    /* scripts that the server has forgotten */
    do_tell(&server, "SCRIPT FLUSH");
    g_assert_true(ask(store, STORE_ADD, "l:a", 1, 10).admitted);
    g_assert_false(ask(store, STORE_ADD, "l:a", 10, 10).own);
    store_close(store);
    server_clear(&server);
}

static void pass_time(int64_t ms)
{
    g_usleep((gulong)ms * 1000);
}

static void test_marks(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    until(is_up(store));
    check_marks(store, 1000, pass_time);
    store_close(store);
    server_clear(&server);
}

/* Killed: nobody waits, the daemon counts by itself from what it knew; what it counted is added. */
static void test_killed(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    until(is_up(store));
    g_assert_true(ask(store, STORE_ADD, "l:a", 6, 10).admitted);
    forget_said();
    kill_server(&server);
    until(!is_up(store));
    gint64 begin = g_get_monotonic_time();
    struct store_answer answer = ask(store, STORE_ADD, "l:a", 3, 10);
    g_assert_true(answer.own && answer.admitted);
    g_assert_cmpuint(answer.used, ==, 9);
    g_assert_false(ask(store, STORE_ADD, "l:a", 2, 10).admitted);
    g_assert_true(ask(store, STORE_ADD, "l:a", 1, 10).admitted);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, TIMEOUT_MS * 1000);
    g_autofree char *why = NULL;
    g_assert_null(store_list(store, "l:", &why));
    g_assert_nonnull(why);
    until(was_said("limits are counted by each daemon by itself"));
    g_unlink(server.socket);
    start_server(&server); /* empty */
    until(is_up(store));
    until(was_said("is back"));
    answer = ask(store, STORE_LOOK, "l:a", 0, 10);
    g_assert_false(answer.own);
    g_assert_cmpuint(answer.used, ==, 4);
    store_close(store);
    server_clear(&server);
}

/* Paused: the first waits as long as the time-out, and after the third nobody. Late answers are
 * still read, so that the count is right in the end. */
static void test_paused(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    until(is_up(store));
    g_assert_true(ask(store, STORE_ADD, "l:a", 1, 10).admitted);
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 6; i++) {
        gint64 begin = g_get_monotonic_time();
        struct store_answer answer = ask(store, STORE_ADD, "l:a", 1, 10);
        g_assert_true(answer.own && answer.admitted);
        gint64 waited = (g_get_monotonic_time() - begin) / 1000;
        if (i < 3)
            g_assert_cmpint(waited, >=, TIMEOUT_MS - 1);
        else
            g_assert_cmpint(waited, <, TIMEOUT_MS / 2);
    }
    g_assert_false(is_up(store));
    kill(server.pid, SIGCONT);
    until(is_up(store));
    until(ask(store, STORE_LOOK, "l:a", 0, 10).used == 7);
    g_usleep(300000);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:a", 0, 10).used, ==, 7);
    store_close(store);
    server_clear(&server);
}

/* Out of memory, a replica, one that wants a password. */
static void test_errors(void)
{
    static const struct {
        const char *spoil, *words, *mend;
    } rows[] = {
        {"CONFIG SET maxmemory 1", "OOM command not allowed", "CONFIG SET maxmemory 0"},
        {"REPLICAOF 127.0.0.1 1", "READONLY", "REPLICAOF NO ONE"},
        {"CONFIG SET requirepass secret", "NOAUTH", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct server server = server_new();
        struct store *store = open_store(&server, NULL);
        until(is_up(store));
        g_assert_true(ask(store, STORE_ADD, "l:a", 6, 10).admitted);
        forget_said();
        do_tell(&server, rows[i].spoil);
        if (!rows[i].mend) { /* connections that are there stay */
            redisContext *context = connect_to(&server);
            freeReplyObject(redisCommand(context, "AUTH secret"));
            freeReplyObject(redisCommand(context, "CLIENT KILL TYPE normal SKIPME yes"));
            redisFree(context);
        }
        struct store_answer answer = ask(store, STORE_ADD, "l:a", 1, 10);
        g_assert_true(answer.admitted);
        until(was_said(rows[i].words));
        g_assert_false(is_up(store));
        g_assert_true(ask(store, STORE_ADD, "l:a", 3, 10).own);
        g_assert_false(ask(store, STORE_ADD, "l:a", 3, 10).admitted);
        if (rows[i].mend) {
            do_tell(&server, rows[i].mend);
            until(is_up(store));
            until(ask(store, STORE_LOOK, "l:a", 0, 10).used == 10);
        }
        store_close(store);
        server_clear(&server);
    }
    struct server server = server_new();
    do_tell(&server, "CONFIG SET maxmemory-policy allkeys-lru");
    do_tell(&server, "CONFIG SET requirepass secret");
    struct store *store = open_store(&server, "secret");
    until(is_up(store));
    until(was_said("maxmemory_policy is allkeys-lru"));
    g_assert_false(ask(store, STORE_ADD, "l:a", 6, 10).own);
    store_close(store);
    server_clear(&server);
}

/* Many threads and four stores, one key: as many as may, and no more. */
static struct {
    struct store *stores[4];
    gint admitted, own;
} crowd;

static void *push(void *data)
{
    struct store *store = crowd.stores[GPOINTER_TO_UINT(data) % G_N_ELEMENTS(crowd.stores)];
    for (int i = 0; i < 20; i++) {
        struct store_answer answer = ask(store, STORE_ADD, "l:crowd", 1, 500);
        if (answer.admitted)
            g_atomic_int_inc(&crowd.admitted);
        if (answer.own)
            g_atomic_int_inc(&crowd.own);
    }
    return NULL;
}

static void test_exact(void)
{
    struct server server = server_new();
    GThread *threads[128];
    for (size_t i = 0; i < G_N_ELEMENTS(crowd.stores); i++) {
        const struct store_log log = {.warn = say, .tell = say};
        /* a machine under load must not count as a server that is away */
        const struct store_redis_options options = {
            .path = server.socket, .prefix = "gp1:", .timeout = 60 * G_USEC_PER_SEC};
        crowd.stores[i] = store_redis(&options, &log, &(char *){NULL});
        until(is_up(crowd.stores[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("push", push, GUINT_TO_POINTER(i));
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(crowd.own, ==, 0);
    g_assert_cmpint(crowd.admitted, ==, 500);
    for (size_t i = 0; i < G_N_ELEMENTS(crowd.stores); i++)
        store_close(crowd.stores[i]);
    server_clear(&server);
}

/* What is not wanted any more is taken back, whether its answer came or not; what nobody waits for
 * is counted. */
static void test_dropped(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    until(is_up(store));
    for (int i = 0; i < 50; i++) {
        const struct store_request request = {
            .action = STORE_ADD, .key = "l:a", .window = {.length = DAY}, .n = 1, .max = 100};
        store_ticket_take_back(store_ask(store, &request, (struct waker){0}));
    }
    until(ask(store, STORE_LOOK, "l:a", 0, 10).used == 0);
    for (int i = 0; i < 50; i++) {
        const struct store_request request = {.action = i % 2 ? STORE_ADD : STORE_COUNT,
                                              .key = "l:kept",
                                              .window = {.length = DAY},
                                              .n = 1,
                                              .max = 100};
        store_ticket_drop(store_ask(store, &request, (struct waker){0}));
    }
    /* twice: what was taken back behind an answer would be so by now */
    for (int i = 0; i < 2; i++)
        g_assert_cmpuint(ask(store, STORE_LOOK, "l:kept", 0, 100).used, ==, 50);
    store_close(store);
    server_clear(&server);
}

/* The server's answer comes too late, and says otherwise than what was said in its place, or nobody
 * wants it any more: in the end the server has counted what passed, though it was never away. */
static void test_late(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL), *other = open_store(&server, NULL);
    until(is_up(store) && is_up(other));
    g_assert_true(ask(other, STORE_ADD, "l:full", 10, 10).admitted);
    kill(server.pid, SIGSTOP);
    const struct store_request request = {
        .action = STORE_ADD, .key = "l:gone", .window = {.length = DAY}, .n = 1, .max = 10};
    store_ticket_take_back(store_ask(store, &request, (struct waker){0}));
    struct store_answer answer = ask(store, STORE_ADD, "l:full", 3, 10);
    kill(server.pid, SIGCONT);
    g_assert_true(answer.own && answer.admitted);
    until(ask(other, STORE_LOOK, "l:full", 0, 10).used == 13);
    until(ask(other, STORE_LOOK, "l:gone", 0, 10).used == 0);
    g_assert_true(is_up(store));
    store_close(store);
    store_close(other);
    server_clear(&server);
}

static unsigned late_of(struct store *store)
{
    struct store_status status;
    store_get_status(store, &status);
    unsigned late = (unsigned)status.late;
    store_status_clear(&status);
    return late;
}

/* However many wait for the server at once: a stall as long as the time-out is one, not three. */
static void test_stall(void)
{
    enum { AT_ONCE = 32 };
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    struct store_request requests[AT_ONCE];
    struct store_answer answers[AT_ONCE];
    until(is_up(store));
    for (int i = 0; i < AT_ONCE; i++)
        requests[i] = (struct store_request){
            .action = STORE_LOOK, .key = "l:a", .window = {.length = DAY}, .n = 1, .max = 10};
    kill(server.pid, SIGSTOP);
    store_ask_all(store, requests, AT_ONCE, answers);
    g_assert_true(is_up(store));
    kill(server.pid, SIGCONT);
    g_assert_cmpuint(late_of(store), ==, AT_ONCE);
    until(!ask(store, STORE_ADD, "l:a", 1, 10).own);
    g_assert_true(is_up(store));
    store_close(store);
    server_clear(&server);
}

/* What is taken back, too late for the server's word, while counts of the same key are owed: the
 * server does it, and they are owed as they were. */
static void test_late_take_back(void)
{
    struct server server = server_new();
    struct store *store = open_store(&server, NULL);
    until(is_up(store));
    struct store_answer answer = ask(store, STORE_ADD, "l:a", 5, 100);
    struct store_request request = {
        .action = STORE_LOOK, .key = "l:b", .window = {.length = DAY}, .max = 10};
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 2; i++)
        g_assert_true(ask(store, STORE_LOOK, "l:b", 0, 10).own);
    store_ticket_drop(store_ask(store, &request, (struct waker){0}));
    g_usleep(TIMEOUT_MS / 2 * 1000);
    request = (struct store_request){.action = STORE_TAKE_BACK,
                                     .key = "l:a",
                                     .window = {.length = DAY},
                                     .n = 2,
                                     .slot = answer.slot};
    struct store_ticket *back = store_ask(store, &request, (struct waker){0});
    until(!is_up(store));
    bool waits = !store_ticket_answer(back);
    g_assert_true(ask(store, STORE_COUNT, "l:a", 3, 100).own);
    until(store_ticket_answer(back));
    kill(server.pid, SIGCONT);
    store_ticket_drop(back);
    until(is_up(store));
    do
        answer = ask(store, STORE_LOOK, "l:a", 0, 100);
    while (answer.own);
    if (waits) /* else the machine was too slow for it */
        g_assert_cmpuint(answer.used, ==, 6);
    store_close(store);
    server_clear(&server);
}

int main(int argc, char **argv)
{
    said.text = g_string_new(NULL);
    g_test_init(&argc, &argv, NULL);
    g_autofree char *program = g_find_program_in_path("redis-server");
    if (!program) {
        g_print("1..0 # SKIP redis-server is not installed\n");
        return 0;
    }
    g_test_add_func("/redis/counters", test_counters);
    g_test_add_func("/redis/marks", test_marks);
    g_test_add_func("/redis/exact", test_exact);
    g_test_add_func("/redis/dropped", test_dropped);
    g_test_add_func("/redis/killed", test_killed);
    g_test_add_func("/redis/paused", test_paused);
    g_test_add_func("/redis/late", test_late);
    g_test_add_func("/redis/stall", test_stall);
    g_test_add_func("/redis/late-take-back", test_late_take_back);
    g_test_add_func("/redis/errors", test_errors);
    return g_test_run();
}
