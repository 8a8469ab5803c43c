/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Starts and stops the test servers.
 */
#include "testservers.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TEST_SOURCE_ROOT
#define TEST_SOURCE_ROOT "."
#endif

struct test_server {
    GPid pid;
    int output;
    int input; /* closing it ends badserver.py, even when the test was killed */
    char address[32];
};

static bool port_free(int type, unsigned port)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, type, 0);
    bool free_port = bind(fd, (struct sockaddr *)&in, sizeof in) == 0;
    close(fd);
    return free_port;
}

static unsigned find_port(void)
{
    for (;;) {
        unsigned port = 20000 + (g_random_int() ^ (unsigned)getpid()) % 12000;
        if (port_free(SOCK_DGRAM, port) && port_free(SOCK_STREAM, port))
            return port;
    }
}

static void die_with_parent(void *data)
{
    (void)data;
    setpgid(0, 0);
}

static struct test_server *spawn(const char *const *argv, const char *folder, unsigned port,
                                 int *output_r)
{
    struct test_server *server = g_new0(struct test_server, 1);
    g_snprintf(server->address, sizeof server->address, "127.0.0.1:%u", port);
    g_autoptr(GError) error = NULL;
    bool started = g_spawn_async_with_pipes(
        folder, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
        die_with_parent, NULL, &server->pid, &server->input, output_r, NULL, &error);
    if (!started)
        g_error("%s: %s", argv[0], error->message);
    return server;
}

/* Reads the server's output up to the text that says that it answers. */
static void await_text(int output, const char *text)
{
    GString *seen = g_string_new(NULL);
    char byte;
    while (!strstr(seen->str, text)) {
        if (read(output, &byte, 1) != 1)
            g_error("the test server ended: %s", seen->str);
        g_string_append_c(seen, byte);
    }
    g_string_free(seen, TRUE);
}

static bool missing(const char *program)
{
    g_autofree char *path = g_find_program_in_path(program);
    if (path)
        return false;
    g_autofree char *why = g_strdup_printf("%s is not installed", program);
    g_test_skip(why);
    return true;
}

struct test_server *test_badserver_start(void)
{
    if (missing("python3"))
        return NULL;
    int output;
    unsigned port = find_port();
    g_autofree char *number = g_strdup_printf("%u", port);
    const char *argv[] = {"python3", TEST_SOURCE_ROOT "/test/dns/badserver.py", number, NULL};
    struct test_server *server = spawn(argv, NULL, port, &output);
    await_text(output, "ready\n");
    server->output = output;
    return server;
}

struct test_server *test_rbldnsd_start(const char *folder, const char *const *zones)
{
    if (missing("rbldnsd"))
        return NULL;
    int output;
    unsigned port = find_port();
    g_autofree char *bound = g_strdup_printf("127.0.0.1/%u", port);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    const char *fixed[] = {"rbldnsd", "-n", "-b", bound, "-u", "nobody"};
    for (unsigned i = 0; i < (geteuid() == 0 ? 6 : 4); i++)
        g_ptr_array_add(argv, (char *)fixed[i]);
    for (unsigned i = 0; zones[i]; i++)
        g_ptr_array_add(argv, (char *)zones[i]);
    g_ptr_array_add(argv, NULL);
    struct test_server *server = spawn((const char *const *)argv->pdata, folder, port, &output);
    await_text(output, "started");
    server->output = output;
    return server;
}

void test_rbldnsd_reload(struct test_server *server)
{
    kill(server->pid, SIGHUP);
    await_text(server->output, "zones reloaded");
}

void test_server_stop(struct test_server *server)
{
    if (!server)
        return;
    close(server->input);
    close(server->output);
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    g_free(server);
}

const char *test_server_address(const struct test_server *server)
{
    return server->address;
}

const char *test_lists_folder(void)
{
    return TEST_SOURCE_ROOT "/packaging/rbldnsd";
}
