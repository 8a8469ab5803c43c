/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The filter as a whole: binding, serving, stopping.
 */
#include "mta/mta.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/unixsocket.h"
#include "callbacks.h"
#include "connection.h"
#include "listen.h"

/* Connections that wait to be accepted; libmilter's own 20 are soon exhausted. */
enum { BACKLOG = 1024 };

static bool open_socket(const struct mta_listen *listen, char **why_r)
{
    g_autofree char *text = listen_text(&listen->address);
    /* Nobody may connect before owner and mode are as they shall be. */
    mode_t before = umask(0177);
    bool opened = smfi_register(mta_filter) == MI_SUCCESS && smfi_setconn(text) == MI_SUCCESS &&
                  smfi_setbacklog(BACKLOG) == MI_SUCCESS && smfi_opensocket(false) == MI_SUCCESS;
    umask(before);
    if (!opened)
        *why_r = g_strdup_printf("cannot listen on %s: libmilter tells in syslog why", text);
    return opened;
}

bool mta_bind(const struct mta_listen *listen, char **why_r)
{
    if (!listen_try(listen, why_r) || !open_socket(listen, why_r))
        return false;
    return listen->address.kind != SOCKET_UNIX ||
           unixsocket_set_access(listen->address.path, listen->owner, listen->group, listen->mode,
                                 why_r);
}

bool mta_serve(struct engine *engine)
{
    connections_open(engine);
    return smfi_main() == MI_SUCCESS;
}

void mta_drain(void)
{
    connections_close();
}

unsigned mta_connections(void)
{
    return connections_count();
}

unsigned mta_messages(void)
{
    return connections_messages();
}

char *mta_library_version(void)
{
    unsigned major = 0, minor = 0, patch = 0;
    smfi_version(&major, &minor, &patch);
    return g_strdup_printf("%u.%u.%u", major, minor, patch);
}
