/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The native engine from its start to its end, whatever is asked of it meanwhile.
 */
#include "edge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char settings[] = "local_domains = lab.test\nrule_files =\nmynetworks =\n";

static void *serve(void *data)
{
    g_assert_true(edge_native.serve(data));
    return NULL;
}

/* A listener is not moved into the place of one that was closed: its number may be another's. */
static void test_moves(void)
{
    const struct engine_listener listener = {.event = NULL};
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(settings, strlen(settings), "c", problems), NULL, problems);
    problems_free(problems);
    g_assert_nonnull(snapshot);
    struct engine *engine = engine_new(snapshot, &listener);
    const struct mta_listen listen = {
        .engine = MILTER_ENGINE_NATIVE,
        .threads = 2,
        .address = {.kind = SOCKET_INET, .host = "127.0.0.1", .port = 0},
        .passed = -1};
    char *why = NULL;
    g_assert_true(edge_native.bind(&listen, &why));
    GThread *thread = g_thread_new("edge", serve, engine);
    int old = edge_native.listener(), other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int copy = fcntl(old, F_DUPFD_CLOEXEC, 0);
    g_assert_true(edge_native.move(copy));
    edge_native.drain();
    edge_native.stop();
    g_thread_join(thread);
    g_assert_cmpint(dup2(other, old), ==, old);
    g_assert_false(edge_native.move(copy));
    g_assert_cmpint(errno, ==, EBADF);
    g_assert_cmpint(edge_native.listener(), ==, -1);
    close(old);
    close(other);
    close(copy);
    engine_free(engine);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/native/moves", test_moves);
    return g_test_run();
}
