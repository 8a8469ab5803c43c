/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket, with clients of every sort.
 */
#include "control/control.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/unixsocket.h"

enum { BIG = 8 * 1024 * 1024 };

static int run_echo(void *data, const char *const *words, GString *out)
{
    g_assert_cmpstr(data, ==, "data");
    for (; *words; words++)
        g_string_append_printf(out, "[%s]", *words);
    return 0;
}

static int run_fail(void *data, const char *const *words, GString *out)
{
    (void)data, (void)words;
    g_string_append(out, "line one\nline two\n");
    return EX_CONFIG;
}

static int run_big(void *data, const char *const *words, GString *out)
{
    (void)data, (void)words;
    for (int i = 0; i < BIG; i++)
        g_string_append_c(out, 'x');
    return 0;
}

/* Slow commands wait for this to be given back. */
static GMutex gate;

static int run_slow(void *data, const char *const *words, GString *out)
{
    (void)data;
    g_mutex_lock(&gate);
    g_string_append_printf(out, "slow %s", words[0] ? words[0] : "");
    g_mutex_unlock(&gate);
    return 0;
}

static const struct control_command commands[] = {
    {.name = "echo", .run = run_echo},
    {.name = "fail", .run = run_fail},
    {.name = "big", .run = run_big},
    {.name = "slow", .run = run_slow, .slow = true},
    {.name = NULL},
};

struct fixture {
    char *folder;
    char *path;
    struct control_server *server;
};

static struct control_place place_at(const char *path)
{
    return (struct control_place){
        .path = path, .owner = (uid_t)-1, .group = (gid_t)-1, .mode = 0660};
}

static struct control_server *new_server(const char *path)
{
    g_autofree char *why = NULL;
    const struct control_place place = place_at(path);
    struct control_server *server = control_server_new(&place, commands, (char *)"data", &why);
    g_assert_cmpstr(why, ==, NULL);
    return server;
}

static void set_up(struct fixture *fixture, const void *data)
{
    (void)data;
    fixture->folder = g_dir_make_tmp("gatepost-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "control.sock", NULL);
    fixture->server = new_server(fixture->path);
    control_server_start(fixture->server);
}

static void tear_down(struct fixture *fixture, const void *data)
{
    (void)data;
    control_server_free(fixture->server);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
}

static void expect(const struct fixture *fixture, const char *request, int status, const char *text)
{
    g_autofree char *why = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    int found = -1;
    g_assert_true(control_call(fixture->path, request, 10, &found, out, &why));
    g_assert_cmpint(found, ==, status);
    g_assert_cmpstr(out->str, ==, text);
}

static void test_requests(struct fixture *fixture, const void *data)
{
    (void)data;
    g_autofree char *longest = g_strnfill(CONTROL_REQUEST_MAX + 10, 'x');
    expect(fixture, "echo", 0, "");
    expect(fixture, "echo a  bc\td ", 0, "[a][bc][d]");
    expect(fixture, "fail", EX_CONFIG, "line one\nline two\n");
    expect(fixture, "", EX_USAGE, "unknown command: \"\"\n");
    expect(fixture, "  ", EX_USAGE, "unknown command: \"\"\n");
    expect(fixture, "ECHO", EX_USAGE, "unknown command: \"ECHO\"\n");
    expect(fixture, "\x1b[2J", EX_USAGE, "unknown command: \"\\x1b[2J\"\n");
    expect(fixture, "echo \xff", EX_USAGE, "the request is no text\n");
    /* more than a line: the first counts */
    expect(fixture, "echo a\necho b", 0, "[a]");
    /* an oversized request gets an answer or an error, and the server lives on */
    g_autofree char *why = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    int status = -1;
    if (control_call(fixture->path, longest, 10, &status, out, &why))
        g_assert_cmpint(status, ==, EX_USAGE);
    expect(fixture, "echo still here", 0, "[still][here]");
}

static void test_big_answer(struct fixture *fixture, const void *data)
{
    (void)data;
    g_autofree char *why = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    int status = -1;
    g_assert_true(control_call(fixture->path, "big", 20, &status, out, &why));
    g_assert_cmpuint(out->len, ==, BIG);
}

static int raw(const struct fixture *fixture)
{
    int fd = unixsocket_connect(fixture->path, 0);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void say(int fd, const char *text, size_t length)
{
    g_assert_cmpint(send(fd, text, length, MSG_NOSIGNAL), ==, (ssize_t)length);
}

/* Silent, half, dropped, unread: nobody else notices, but for the places that they take. */
static void test_bad_clients(struct fixture *fixture, const void *data)
{
    (void)data;
    int silent[CONTROL_CONNECTIONS_MAX / 2], unread = raw(fixture);
    say(unread, "big\n", 4);
    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++) {
        silent[i] = raw(fixture);
        if (i % 2)
            say(silent[i], "ec", 2);
    }
    for (int i = 0; i < 100; i++)
        close(raw(fixture));
    for (int i = 0; i < 100; i++) {
        int fd = raw(fixture);
        say(fd, "echo x\n", 7);
        close(fd);
    }
    int nul = raw(fixture);
    say(nul, "echo\0x\n", 7);
    expect(fixture, "echo fine", 0, "[fine]");
    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
        close(silent[i]);
    close(nul);
    close(unread);
    expect(fixture, "echo fine", 0, "[fine]");
}

/* With all places taken by silent clients, others are served when those have had their time. */
static void test_all_places(struct fixture *fixture, const void *data)
{
    (void)data;
    int silent[CONTROL_CONNECTIONS_MAX];
    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
        silent[i] = raw(fixture);
    gint64 begun = g_get_monotonic_time();
    g_autofree char *why = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    int status = -1;
    g_assert_true(
        control_call(fixture->path, "echo fine", 12 * CONTROL_SECONDS_MAX, &status, out, &why));
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 12 * CONTROL_SECONDS_MAX * G_USEC_PER_SEC);
    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
        close(silent[i]);
}

static void *caller(void *data)
{
    for (int i = 0; i < 50; i++)
        expect(data, "echo a b", 0, "[a][b]");
    return NULL;
}

static void test_parallel(struct fixture *fixture, const void *data)
{
    (void)data;
    GThread *threads[8];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("caller", caller, fixture);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

/* Others are answered while slow commands wait; of these no more than some, and those of who has
 * gone away do not count for long. */
static void test_slow(struct fixture *fixture, const void *data)
{
    int fds[CONTROL_SLOW_MAX];
    char text[64];
    (void)data;
    g_mutex_lock(&gate);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autofree char *request = g_strdup_printf("slow %zu\n", i);
        fds[i] = unixsocket_connect(fixture->path, 5);
        say(fds[i], request, strlen(request));
    }
    for (int i = 0; i < 3; i++)
        expect(fixture, "echo fine", 0, "[fine]");
    expect(fixture, "slow beyond", EX_TEMPFAIL,
           "too many ask for that at once; try again in a few seconds\n");
    close(fds[1]);
    expect(fixture, "echo fine", 0, "[fine]");
    g_mutex_unlock(&gate);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autofree char *answer = g_strdup_printf("gatepost 0 6\nslow %zu", i);
        size_t length = 0;
        for (ssize_t got; i != 1 && (got = read(fds[i], text + length, sizeof text - length)) > 0;)
            length += (size_t)got;
        if (i == 1)
            continue;
        g_assert_cmpmem(text, length, answer, strlen(answer));
        close(fds[i]);
    }
    expect(fixture, "slow again", 0, "slow again");
}

/* A server ends though slow commands wait. */
static void test_slow_at_the_end(struct fixture *fixture, const void *data)
{
    int fds[CONTROL_SLOW_MAX];
    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = unixsocket_connect(fixture->path, 5);
        say(fds[i], "slow x\n", strlen("slow x\n"));
    }
    control_server_free(g_steal_pointer(&fixture->server));
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
}

static void test_second_server(struct fixture *fixture, const void *data)
{
    (void)data;
    struct stat status;
    g_autofree char *why = NULL;
    const struct control_place place = place_at(fixture->path);
    g_assert_null(control_server_new(&place, commands, NULL, &why));
    g_assert_nonnull(strstr(why, "another process listens there"));
    expect(fixture, "echo fine", 0, "[fine]");
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0660);
}

/* A socket file that nobody listens on any more. */
static void leave_stale(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    close(fd);
}

static void test_stale(void)
{
    g_autofree char *folder = g_dir_make_tmp("gatepost-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "s", NULL), *why = NULL;
    leave_stale(path);
    g_assert_cmpint(unixsocket_probe(path), ==, UNIXSOCKET_STALE);
    struct control_server *server = new_server(path);
    g_assert_cmpint(unixsocket_probe(path), ==, UNIXSOCKET_LIVE);
    control_server_free(server);
    g_assert_cmpint(unixsocket_probe(path), ==, UNIXSOCKET_NONE);
    /* what is no socket stays */
    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    const struct control_place place = place_at(path);
    g_assert_null(control_server_new(&place, commands, NULL, &why));
    g_assert_nonnull(strstr(why, "no socket"));
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    g_remove(path);
    /* a link to a socket is no socket of ours */
    g_autofree char *target = g_build_filename(folder, "t", NULL), *why2 = NULL;
    leave_stale(target);
    g_assert_cmpint(symlink(target, path), ==, 0);
    g_assert_false(unixsocket_make_room(path, &why2));
    g_assert_nonnull(why2);
    g_remove(path);
    g_remove(target);
    g_rmdir(folder);
}

static void test_nobody_there(void)
{
    g_autofree char *why = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    int status;
    g_assert_false(control_call("/nonexistent/socket", "echo", 1, &status, out, &why));
    g_assert_nonnull(strstr(why, "no daemon runs: nobody listens on /nonexistent/socket"));
}

/* Servers that are none. */
struct impostor {
    const char *answer;
    int fd;
};

static void *answer_once(void *data)
{
    struct impostor *impostor = data;
    char request[64];
    int fd = accept(impostor->fd, NULL, NULL);
    (void)!read(fd, request, sizeof(request));
    if (impostor->answer)
        say(fd, impostor->answer, strlen(impostor->answer));
    else
        g_usleep(2 * G_USEC_PER_SEC);
    close(fd);
    return NULL;
}

static void test_impostors(void)
{
    static const char *const answers[] = {"",
                                          "hello\n",
                                          "gatepost 0 5\nabc",
                                          "gatepost 0 2\nabc",
                                          "gatepost -1 0\n",
                                          "gatepost 0 99999999999\n",
                                          "gatepost 0 0 \n",
                                          "gatepost 256 0\n",
                                          "gatepost 0 3",
                                          NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autofree char *folder = g_dir_make_tmp("gatepost-XXXXXX", NULL), *why = NULL;
        g_autofree char *path = g_build_filename(folder, "s", NULL);
        g_autoptr(GString) out = g_string_new(NULL);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct impostor impostor = {answers[i], socket(AF_UNIX, SOCK_STREAM, 0)};
        g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
        g_assert_cmpint(bind(impostor.fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(listen(impostor.fd, 1), ==, 0);
        GThread *thread = g_thread_new("impostor", answer_once, &impostor);
        int status = -1;
        g_assert_false(control_call(path, "status", 1, &status, out, &why));
        g_assert_nonnull(why);
        g_assert_cmpuint(out->len, ==, 0);
        g_thread_join(thread);
        close(impostor.fd);
        g_remove(path);
        g_rmdir(folder);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
#define ADD(name, function)                                                                        \
    g_test_add("/control/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("requests", test_requests);
    ADD("big-answer", test_big_answer);
    ADD("bad-clients", test_bad_clients);
    ADD("all-places", test_all_places);
    ADD("parallel", test_parallel);
    ADD("second-server", test_second_server);
    ADD("slow", test_slow);
    ADD("slow-at-the-end", test_slow_at_the_end);
    g_test_add_func("/control/stale", test_stale);
    g_test_add_func("/control/nobody-there", test_nobody_there);
    g_test_add_func("/control/impostors", test_impostors);
    return g_test_run();
}
