/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket that the MTA connects to.
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system.h"
#include "base/unixsocket.h"

char *listen_text(const struct socket_address *address)
{
    struct in6_addr numeric;
    const char *kind = address->kind == SOCKET_INET6 ? "inet6" : "inet";
    int family = address->kind == SOCKET_INET6 ? AF_INET6 : AF_INET;
    if (address->kind == SOCKET_UNIX)
        return g_strconcat("unix:", address->path, NULL);
    bool brackets = inet_pton(family, address->host, &numeric) == 1;
    return g_strdup_printf(brackets ? "%s:%u@[%s]" : "%s:%u@%s", kind, address->port,
                           address->host);
}

static bool try_bind(const struct sockaddr *address, socklen_t length)
{
    int fd = system_socket(address->sa_family, SOCK_STREAM, false);
    if (fd < 0)
        return false;
    int yes = 1;
    if (address->sa_family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    bool bound = bind(fd, address, length) == 0 && listen(fd, 1) == 0;
    int reason = errno;
    close(fd);
    errno = reason;
    return bound;
}

static bool try_unix(const char *path, char **why_r)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!unixsocket_make_room(path, why_r))
        return false;
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (try_bind((const struct sockaddr *)&address, sizeof(address)))
        return unlink(path) == 0;
    *why_r = g_strdup_printf("cannot listen on %s: %s", path, strerror(errno));
    return false;
}

static bool try_inet(const struct socket_address *address, char **why_r)
{
    struct addrinfo *found, hints = {
                                .ai_family = address->kind == SOCKET_INET6 ? AF_INET6 : AF_INET,
                                .ai_socktype = SOCK_STREAM,
                                .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                            };
    g_autofree char *port = g_strdup_printf("%u", address->port);
    int failure = getaddrinfo(address->host, port, &hints, &found);
    if (failure != 0) {
        *why_r = g_strdup_printf("cannot listen on %s: %s", address->host, gai_strerror(failure));
        return false;
    }
    bool bound = try_bind(found->ai_addr, found->ai_addrlen);
    if (!bound)
        *why_r = g_strdup_printf("cannot listen on %s, port %u: %s", address->host, address->port,
                                 strerror(errno));
    freeaddrinfo(found);
    return bound;
}

bool listen_try(const struct mta_listen *listen, char **why_r)
{
    return listen->address.kind == SOCKET_UNIX ? try_unix(listen->address.path, why_r)
                                               : try_inet(&listen->address, why_r);
}
