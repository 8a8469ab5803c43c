/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stores of this process: the questions that every store must answer, and what becomes of the
 * file.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>
#include <time.h>

#include "questions.h"
#include "store/statefile.h"

static int64_t the_time = 1795000000000LL;

static int64_t told_time(void *data)
{
    (void)data;
    return the_time;
}

static const struct store_clock test_clock = {.now = told_time};

static void say(void *data, const char *text)
{
    g_string_append_printf(data, "%s\n", text);
}

struct place {
    char *folder, *path;
    struct state_file *file;
    GString *said;
};

static struct place place_new(void)
{
    struct place place = {.folder = g_dir_make_tmp("store-XXXXXX", NULL), .said = g_string_new("")};
    place.path = g_build_filename(place.folder, "state.db", NULL);
    place.file = state_file_new(place.path);
    return place;
}

static void place_clear(struct place *place)
{
    state_file_free(place->file);
    g_autoptr(GDir) names = g_dir_open(place->folder, 0, NULL);
    const char *name;
    while (names && (name = g_dir_read_name(names))) {
        g_autofree char *whole = g_build_filename(place->folder, name, NULL);
        g_unlink(whole);
    }
    g_rmdir(place->folder);
    g_free(place->folder);
    g_free(place->path);
    g_string_free(place->said, TRUE);
}

static struct store *open_sqlite(struct place *place)
{
    const struct store_log log = {.warn = say, .tell = say, .data = place->said};
    return store_sqlite(place->file, &test_clock, &log);
}

static void move_time(int64_t ms)
{
    the_time += ms;
}

static void test_memory(void)
{
    struct store *store = store_memory(&test_clock);
    check_counters(store, the_time);
    check_networks(store);
    check_calendar(store, the_time);
    check_marks(store, 60000, move_time);
    /* a mark that waited too long is a new one */
    struct store_answer answer;
    struct store_request grey = {
        .action = STORE_GREY, .key = "g:y", .delay = 60000, .open = HOUR, .keep = DAY};
    store_ask_now(store, &grey, &answer);
    move_time(HOUR + 1);
    store_ask_now(store, &grey, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_NEW);
    store_close(store);
}

static void test_failing(void)
{
    struct store *store = store_failing(&test_clock);
    g_autofree char *why = NULL;
    struct store_answer answer = ask(store, STORE_ADD, "l:a", 6, 10);
    g_assert_true(answer.own && answer.admitted);
    answer = ask(store, STORE_ADD, "l:a", 6, 10);
    g_assert_true(answer.own && !answer.admitted);
    g_assert_null(store_list(store, "l:", &why));
    g_assert_nonnull(why);
    store_close(store);
}

static void test_sqlite(void)
{
    struct place place = place_new();
    struct store *store = open_sqlite(&place);
    check_counters(store, the_time);
    check_networks(store);
    check_calendar(store, the_time);
    check_marks(store, 60000, move_time);
    ask(store, STORE_ADD, "l:kept", 7, 10);
    struct store_request note = {.action = STORE_NOTE,
                                 .key = "l:kept",
                                 .window = {.length = DAY},
                                 .n = 2,
                                 .client = "a client with spaces"};
    struct store_answer answer;
    store_ask_now(store, &note, &answer);
    store_close(store);
    store = open_sqlite(&place);
    answer = ask(store, STORE_LOOK, "l:kept", 0, 10);
    g_assert_cmpuint(answer.used, ==, 7);
    g_assert_cmpuint(answer.refused, ==, 2);
    g_assert_cmpstr(answer.client, ==, "a client with spaces");
    struct store_request see = {.action = STORE_SEE, .key = "k:x"};
    store_ask_now(store, &see, &answer);
    g_assert_cmpuint(answer.hits, ==, 2);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:a", 0, 10).used, ==, 0);
    /* what expired does not come back */
    store_close(store);
    move_time(3 * DAY);
    store = open_sqlite(&place);
    g_autoptr(GPtrArray) keys = store_list(store, "l:", NULL);
    g_assert_cmpuint(keys->len, ==, 1);
    g_assert_cmpstr(keys->pdata[0], ==, "l:d"); /* of a month, for all that anybody knows */
    store_close(store);
    g_assert_cmpstr(place.said->str, ==, "");
    place_clear(&place);
}

/* Who asks until the process ends is asked last of all. */
static void test_finished(void)
{
    struct place place = place_new();
    struct store *store = open_sqlite(&place);
    ask(store, STORE_ADD, "l:a", 6, 10);
    ask(store, STORE_ADD, "l:b", 6, 10);
    store_finish(store);
    ask(store, STORE_RESET, "l:a", 0, 10);
    ask(store, STORE_ADD, "l:b", 1, 10);
    store_close(store);
    store = open_sqlite(&place);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:a", 0, 10).used, ==, 0);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:b", 0, 10).used, ==, 7);
    store_close(store);
    g_assert_cmpstr(place.said->str, ==, "");
    place_clear(&place);
}

/* Waits for the next writing. */
static void wait_for_writing(void)
{
    g_usleep(1300000);
}

/* A file that is broken, and one that is taken away, under the daemon's feet. */
static void test_file_lost(void)
{
    struct place place = place_new();
    struct store *store = open_sqlite(&place);
    ask(store, STORE_ADD, "l:kept", 7, 10);
    wait_for_writing();
    g_assert_cmpint(g_unlink(place.path), ==, 0);
    wait_for_writing();
    g_assert_true(g_file_test(place.path, G_FILE_TEST_EXISTS));
    store_close(store);
    state_file_free(place.file);
    place.file = state_file_new(place.path);
    store = open_sqlite(&place);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:kept", 0, 10).used, ==, 7);
    g_assert_true(g_file_set_contents(place.path,
                                      "no database, but long enough to be taken for "
                                      "one by who does not look at it closely",
                                      -1, NULL));
    ask(store, STORE_ADD, "l:kept", 1, 10);
    wait_for_writing();
    store_close(store);
    g_assert_nonnull(strstr(place.said->str, "was put aside as "));
    state_file_free(place.file);
    place.file = state_file_new(place.path);
    store = open_sqlite(&place);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:kept", 0, 10).used, ==, 8);
    store_close(store);
    place_clear(&place);
}

static int count_rows(sqlite3 *db, const char *where)
{
    g_autofree char *text = g_strconcat("SELECT count(*) FROM record ", where, NULL);
    sqlite3_stmt *statement;
    g_assert_cmpint(sqlite3_prepare_v2(db, text, -1, &statement, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

/* A file that cannot be written while strangers come, more of them than are kept: behind it all it
 * has what the daemon has, and nothing that was forgotten meanwhile. */
static void test_locked_out(void)
{
    struct place place = place_new();
    struct store *store = open_sqlite(&place);
    struct store_answer answer;
    ask(store, STORE_ADD, "l:kept", 7, 10);
    ask(store, STORE_ADD, "l:reset", 7, 10);
    wait_for_writing();
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(place.path, &db), ==, SQLITE_OK);
    sqlite3_busy_timeout(db, 20000);
    g_assert_cmpint(count_rows(db, "WHERE key = 'l:reset'"), ==, 1);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
    ask(store, STORE_RESET, "l:reset", 0, 10);
    for (int i = 0; i < 600000; i++) {
        g_autofree char *key = g_strdup_printf("g:stranger%d", i);
        struct store_request grey = {
            .action = STORE_GREY, .key = key, .delay = 60000, .open = HOUR, .keep = DAY};
        store_ask_now(store, &grey, &answer);
    }
    g_assert_cmpint(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
    struct store_status status;
    store_get_status(store, &status);
    int records = (int)status.records;
    store_status_clear(&status);
    store_close(store);
    g_assert_cmpint(count_rows(db, ""), ==, records);
    g_assert_cmpint(count_rows(db, "WHERE key = 'l:kept'"), ==, 1);
    g_assert_cmpint(count_rows(db, "WHERE key = 'l:reset'"), ==, 0);
    sqlite3_close(db);
    place_clear(&place);
}

static void test_no_folder(void)
{
    struct place place = place_new();
    state_file_free(place.file);
    place.file = state_file_new("/nonexistent/folder/state.db");
    struct store *store = open_sqlite(&place);
    g_assert_true(ask(store, STORE_ADD, "l:a", 6, 10).admitted);
    struct store_status status;
    store_get_status(store, &status);
    g_assert_false(status.up);
    g_assert_nonnull(strstr(status.fault, "/nonexistent/folder/state.db"));
    store_status_clear(&status);
    store_close(store);
    g_assert_nonnull(strstr(place.said->str, "/nonexistent/folder/state.db"));
    place_clear(&place);
}

/* A file that comes after the daemon, when its file system is mounted, say: what it holds counts
 * together with what was counted meanwhile, but for what was reset. */
static void test_late_file(void)
{
    struct place place = place_new();
    struct store_request grey = {
        .action = STORE_GREY, .key = "g:known", .delay = 0, .open = HOUR, .keep = DAY};
    struct store_request network = {.action = STORE_COUNT,
                                    .key = "l:networks",
                                    .window = {.length = DAY},
                                    .networks = true,
                                    .network = 1};
    struct store_answer answer;
    struct store *store = open_sqlite(&place);
    ask(store, STORE_ADD, "l:both", 7, 10);
    ask(store, STORE_ADD, "l:file", 3, 10);
    store_ask_now(store, &network, &answer);
    for (int i = 0; i < 2; i++)
        store_ask_now(store, &grey, &answer);
    const char *const reset[] = {"l:reset", "l:reset-both"};
    struct store_request note = {.action = STORE_NOTE, .window = {.length = DAY}, .n = 1};
    struct store_request forget = {.action = STORE_FORGET, .key = "g:forgotten"};
    for (size_t i = 0; i < G_N_ELEMENTS(reset); i++)
        ask(store, STORE_ADD, reset[i], 5, 10);
    grey.key = forget.key;
    store_ask_now(store, &grey, &answer);
    grey.key = "g:known";
    const struct store_request allow = {.action = STORE_ALLOW,
                                        .key = "l:both",
                                        .window = {.length = DAY},
                                        .n = 5,
                                        .until = the_time + DAY};
    store_ask_now(store, &allow, &answer);
    store_close(store);
    g_autofree char *away = g_strconcat(place.folder, ".away", NULL);
    g_assert_cmpint(g_rename(place.folder, away), ==, 0);
    state_file_free(place.file);
    place.file = state_file_new(place.path);
    store = open_sqlite(&place);
    g_assert_nonnull(strstr(place.said->str, "kept in memory alone"));
    g_assert_cmpuint(ask(store, STORE_ADD, "l:both", 2, 10).used, ==, 2);
    network.network = 2;
    store_ask_now(store, &network, &answer);
    store_ask_now(store, &grey, &answer);
    g_assert_cmpint(answer.mark, ==, STORE_MARK_NEW);
    note.key = "l:both";
    store_ask_now(store, &note, &answer);
    g_assert_cmpuint(answer.max, ==, 0);
    ask(store, STORE_ADD, "l:reset-both", 1, 10);
    for (size_t i = 0; i < G_N_ELEMENTS(reset); i++)
        ask(store, STORE_RESET, reset[i], 0, 10);
    store_ask_now(store, &forget, &answer);
    g_assert_cmpint(g_rename(away, place.folder), ==, 0);
    wait_for_writing();
    for (int opened = 0; opened < 2; opened++) {
        g_assert_cmpuint(ask(store, STORE_LOOK, "l:both", 0, 10).used, ==, 9);
        g_assert_cmpuint(ask(store, STORE_LOOK, "l:file", 0, 10).used, ==, 3);
        network.action = STORE_LOOK;
        store_ask_now(store, &network, &answer);
        g_assert_cmpuint(answer.used, ==, 2);
        g_assert_cmpuint(ask(store, STORE_LOOK, "l:both", 0, 10).max, ==, 15);
        for (size_t i = 0; i < G_N_ELEMENTS(reset); i++)
            g_assert_cmpuint(ask(store, STORE_LOOK, reset[i], 0, 10).used, ==, 0);
        struct store_request see = {.action = STORE_SEE, .key = "g:known"};
        store_ask_now(store, &see, &answer);
        g_assert_cmpint(answer.mark, ==, STORE_MARK_PASSED);
        see.key = "g:forgotten";
        store_ask_now(store, &see, &answer);
        g_assert_cmpint(answer.mark, ==, STORE_MARK_NONE);
        store_close(store);
        store = opened ? NULL : open_sqlite(&place);
    }
    g_assert_nonnull(strstr(place.said->str, "is written again"));
    place_clear(&place);
}

/* A file that somebody else holds when the daemon begins is read when he lets go, though nothing is
 * asked for that would change it. */
static void test_busy_file(void)
{
    struct place place = place_new();
    struct store *store = open_sqlite(&place);
    ask(store, STORE_ADD, "l:kept", 7, 10);
    store_close(store);
    state_file_free(place.file);
    place.file = state_file_new(place.path);
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(place.path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    store = open_sqlite(&place);
    g_assert_nonnull(strstr(place.said->str, "kept in memory alone"));
    g_assert_cmpint(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
    struct store_status status = {0};
    for (int tries = 0; tries < 100 && status.records == 0; tries++) {
        g_usleep(100000);
        store_status_clear(&status);
        store_get_status(store, &status);
    }
    store_status_clear(&status);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:kept", 0, 10).used, ==, 7);
    store_close(store);
    g_assert_nonnull(strstr(place.said->str, "is written again"));
    place_clear(&place);
}

/* Many threads, one key: as many as may, and no more. */
static struct {
    struct store *store;
    gint admitted;
} crowd;

static void *push(void *data)
{
    (void)data;
    for (int i = 0; i < 100; i++)
        if (ask(crowd.store, STORE_ADD, "l:crowd", 1, 500).admitted)
            g_atomic_int_inc(&crowd.admitted);
    return NULL;
}

static void test_exact(void)
{
    struct place place = place_new();
    for (int kind = 0; kind < 2; kind++) {
        GThread *threads[64];
        crowd.store = kind ? open_sqlite(&place) : store_memory(&test_clock);
        crowd.admitted = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
            threads[i] = g_thread_new("push", push, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
            g_thread_join(threads[i]);
        g_assert_cmpint(crowd.admitted, ==, 500);
        store_close(crowd.store);
    }
    place_clear(&place);
}

/* More keys than there is room for: the marks of strangers go before the counters of senders. */
static void test_room(void)
{
    struct store *store = store_memory(&test_clock);
    struct store_answer answer;
    for (int i = 0; i < 1000; i++) {
        g_autofree char *key = g_strdup_printf("l:sender%d", i);
        ask(store, STORE_ADD, key, 1, 10);
    }
    for (int i = 0; i < 520000; i++) {
        g_autofree char *key = g_strdup_printf("g:stranger%d", i);
        struct store_request grey = {
            .action = STORE_GREY, .key = key, .delay = 60000, .open = HOUR, .keep = DAY};
        store_ask_now(store, &grey, &answer);
    }
    struct store_status status;
    store_get_status(store, &status);
    g_assert_cmpuint(status.records, <=, 500000);
    g_assert_cmpuint(status.forgotten, >, 0);
    store_status_clear(&status);
    g_autoptr(GPtrArray) keys = store_list(store, "l:", NULL);
    g_assert_cmpuint(keys->len, ==, 1000);
    store_close(store);
}

/* A hundred thousand keys, and what they cost when a daemon starts. */
static void test_many(void)
{
    struct place place = place_new();
    struct store *store = open_sqlite(&place);
    for (int i = 0; i < 100000; i++) {
        g_autofree char *key = g_strdup_printf("l:outgoing|86400|user%d@example.org", i);
        ask(store, STORE_ADD, key, 1, 500);
    }
    store_close(store);
    size_t before = mallinfo2().uordblks;
    clock_t begun = clock();
    store = open_sqlite(&place);
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
    size_t bytes = mallinfo2().uordblks - before;
    g_test_message("%.2f s, %zu bytes", seconds, bytes);
    g_assert_cmpuint(ask(store, STORE_LOOK, "l:outgoing|86400|user99999@example.org", 0, 500).used,
                     ==, 1);
    g_assert_cmpfloat(seconds, <, 10);    /* of the processor: a third of one, usually */
    g_assert_cmpuint(bytes, <, 40 << 20); /* a sanitizer's allocator says 0 */
    store_close(store);
    place_clear(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/memory", test_memory);
    g_test_add_func("/store/failing", test_failing);
    g_test_add_func("/store/sqlite", test_sqlite);
    g_test_add_func("/store/finished", test_finished);
    g_test_add_func("/store/exact", test_exact);
    g_test_add_func("/store/file-lost", test_file_lost);
    g_test_add_func("/store/locked-out", test_locked_out);
    g_test_add_func("/store/no-folder", test_no_folder);
    g_test_add_func("/store/late-file", test_late_file);
    g_test_add_func("/store/busy-file", test_busy_file);
    g_test_add_func("/store/room", test_room);
    g_test_add_func("/store/many", test_many);
    return g_test_run();
}
