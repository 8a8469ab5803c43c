/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libmilter as an engine: binding, serving.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge.h"
#include "listen.h"
#include "base/system.h"
#include "base/unixsocket.h"
#include "mta/mta.h"
#include "callbacks.h"
#include "connection.h"

/* Of malloc(3), however few cores there are. */
enum { FEWEST_ARENAS = 2 };

static int listener = -1;

/* The socket that libmilter has opened, of which it tells nobody: NUMBER, which was the next free
 * descriptor, if it listens. */
static int find_listener(int number)
{
    int listens = 0;
    socklen_t length = sizeof(listens);
    bool found = getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
    return found ? number : -1;
}

static bool open_socket(const char *text, char **why_r)
{
    int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (next >= 0)
        close(next);
    /* Nobody may connect before owner and mode are as they shall be. */
    mode_t before = umask(0177);
    bool opened = smfi_register(mta_filter) == MI_SUCCESS &&
                  smfi_setconn((char *)(uintptr_t)text) == MI_SUCCESS &&
                  smfi_setbacklog(LISTEN_BACKLOG) == MI_SUCCESS &&
                  smfi_opensocket(false) == MI_SUCCESS;
    umask(before);
    listener = opened ? find_listener(next) : -1;
    if (!opened)
        *why_r = g_strdup_printf("cannot listen on %s: libmilter tells in syslog why", text);
    return opened;
}

/* Debian's libmilter takes a socket that is open already; others do not know "fd:". */
static bool take_socket(int fd, char **why_r)
{
    g_autofree char *text = g_strdup_printf("fd:%d", fd);
    if (open_socket(text, why_r))
        return true;
    g_free(*why_r);
    *why_r = g_strdup("this libmilter cannot use the socket that systemd passes: set milter_engine "
                      "= native, or disable gatepost.socket");
    return false;
}

/* There may be as many threads as connections, from now on. */
static bool bind_here(const struct mta_listen *listen, char **why_r)
{
    system_limit_arenas(MAX(g_get_num_processors(), FEWEST_ARENAS));
    if (listen->passed >= 0)
        return take_socket(listen->passed, why_r);
    g_autofree char *text = listen_text(&listen->address);
    if (!listen_try(listen, why_r) || !open_socket(text, why_r))
        return false;
    return listen->address.kind != SOCKET_UNIX ||
           unixsocket_set_access(listen->address.path, listen->owner, listen->group, listen->mode,
                                 why_r);
}

static bool serve(struct engine *engine)
{
    connections_open(engine);
    return smfi_main() == MI_SUCCESS;
}

static int get_listener(void)
{
    return listener;
}

/* It looks for connections anew every five seconds. */
static bool move(int fd)
{
    return listen_replace(listener, fd);
}

/* It cannot be stopped by any call, but by a signal alone. */
static void stop(void)
{
}

char *mta_library_version(void)
{
    unsigned major = 0, minor = 0, patch = 0;
    smfi_version(&major, &minor, &patch);
    return g_strdup_printf("%u.%u.%u", major, minor, patch);
}

const struct edge edge_libmilter = {
    .name = "libmilter",
    .bind = bind_here,
    .listener = get_listener,
    .move = move,
    .serve = serve,
    .drain = connections_close,
    .stop = stop,
    .counts = connections_count,
};
