/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Socket activation, as systemd does it: LISTEN_FDS sockets from descriptor 3 on, for the process
 * LISTEN_PID.
 */
#include "mta/passed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 64 };

static unsigned count;

void passed_note(void)
{
    const char *process = g_getenv("LISTEN_PID"), *sockets = g_getenv("LISTEN_FDS");
    guint64 pid = 0, number = 0;
    if (process && sockets && g_ascii_string_to_unsigned(process, 10, 1, G_MAXINT32, &pid, NULL) &&
        g_ascii_string_to_unsigned(sockets, 10, 0, MOST, &number, NULL) && pid == (guint64)getpid())
        count = (unsigned)number;
    for (unsigned i = 0; i < count; i++)
        (void)fcntl(FIRST + (int)i, F_SETFD, FD_CLOEXEC);
    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
}

/* Where FD listens, as gatepost.conf writes it; NULL: it is no socket that does. */
static char *place_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address, size = sizeof(int);
    int listens = 0;
    char host[INET6_ADDRSTRLEN];
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return NULL;
    if (address.ss_family == AF_UNIX) {
        const struct sockaddr_un *local = (const struct sockaddr_un *)&address;
        size_t most = length - offsetof(struct sockaddr_un, sun_path);
        g_autofree char *path = g_strndup(local->sun_path, most);
        return g_strconcat("unix:", path, NULL);
    }
    bool six = address.ss_family == AF_INET6;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
    const void *bytes = six ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr;
    if (!inet_ntop(address.ss_family, bytes, host, sizeof host))
        return NULL;
    return g_strdup_printf("%s:%u@%s", six ? "inet6" : "inet",
                           ntohs(six ? in6->sin6_port : in->sin_port), host);
}

/* What place_of says of a socket at ADDRESS; NULL with *WHY_R if its host has no address. */
static char *place_wanted(const struct socket_address *address, char **why_r)
{
    struct addrinfo *found, hints = {
                                .ai_family = address->kind == SOCKET_INET6 ? AF_INET6 : AF_INET,
                                .ai_socktype = SOCK_STREAM,
                                .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                            };
    char host[INET6_ADDRSTRLEN] = "";
    if (address->kind == SOCKET_UNIX)
        return g_strconcat("unix:", address->path, NULL);
    int failure = getaddrinfo(address->host, NULL, &hints, &found);
    if (failure != 0) {
        *why_r = g_strdup_printf("cannot listen on %s: %s", address->host, gai_strerror(failure));
        return NULL;
    }
    (void)getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0,
                      NI_NUMERICHOST);
    freeaddrinfo(found);
    return g_strdup_printf("%s:%u@%s", address->kind == SOCKET_INET6 ? "inet6" : "inet",
                           address->port, host);
}

bool passed_take(const struct socket_address *address, int *fd_r, char **why_r)
{
    *fd_r = -1;
    if (count == 0)
        return true;
    if (count != 1) {
        *why_r = g_strdup_printf("systemd passes %u sockets, and one is wanted, milter_socket's: "
                                 "leave one ListenStream= in gatepost.socket",
                                 count);
        return false;
    }
    g_autofree char *wanted = place_wanted(address, why_r);
    g_autofree char *place = place_of(FIRST);
    if (!wanted)
        return false;
    if (!place || strcmp(place, wanted) != 0) {
        *why_r = g_strdup_printf("systemd passes the socket %s, but milter_socket is %s: name the "
                                 "same in ListenStream= of gatepost.socket",
                                 place ? place : "of no kind that listens", wanted);
        return false;
    }
    *fd_r = FIRST;
    return true;
}
