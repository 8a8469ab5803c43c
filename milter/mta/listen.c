/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket that the MTA connects to.
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ipaddr.h"
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

static int open_at(const struct sockaddr *address, socklen_t length)
{
    int fd = system_socket(address->sa_family, SOCK_STREAM, true);
    if (fd < 0)
        return -1;
    int yes = 1;
    if (address->sa_family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, address, length) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int open_unix(const char *path, char **why_r)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!unixsocket_make_room(path, why_r))
        return -1;
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    mode_t before = umask(0177);
    int fd = open_at((const struct sockaddr *)&address, sizeof(address));
    umask(before);
    if (fd < 0)
        *why_r = g_strdup_printf("cannot listen on %s: %s", path, strerror(errno));
    return fd;
}

/* What getaddrinfo(3) says of ADDRESS. */
static int look_up(const struct socket_address *address, struct addrinfo **found_r)
{
    const struct addrinfo hints = {
        .ai_family = address->kind == SOCKET_INET6 ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    g_autofree char *port = g_strdup_printf("%u", address->port);
    return getaddrinfo(address->host, port, &hints, found_r);
}

bool listen_is_at(int fd, const struct socket_address *address)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof(own);
    struct ipaddr here, there;
    struct addrinfo *found;
    if (address->kind == SOCKET_UNIX || getsockname(fd, (struct sockaddr *)&own, &length) != 0 ||
        !ipaddr_from_sockaddr((const struct sockaddr *)&own, &here) ||
        look_up(address, &found) != 0)
        return true;
    bool is_at = false;
    for (const struct addrinfo *one = found; one && !is_at; one = one->ai_next)
        is_at = ipaddr_from_sockaddr(one->ai_addr, &there) && ipaddr_equal(&here, &there);
    freeaddrinfo(found);
    return is_at;
}

static int open_inet(const struct socket_address *address, char **why_r)
{
    struct addrinfo *found;
    int failure = look_up(address, &found);
    if (failure != 0) {
        *why_r = g_strdup_printf("cannot listen on %s: %s", address->host, gai_strerror(failure));
        return -1;
    }
    int fd = open_at(found->ai_addr, found->ai_addrlen);
    if (fd < 0)
        *why_r = g_strdup_printf("cannot listen on %s, port %u: %s", address->host, address->port,
                                 strerror(errno));
    freeaddrinfo(found);
    return fd;
}

int listen_open(const struct mta_listen *listen, char **why_r)
{
    const struct socket_address *address = &listen->address;
    if (address->kind != SOCKET_UNIX)
        return open_inet(address, why_r);
    int fd = open_unix(address->path, why_r);
    if (fd < 0 ||
        unixsocket_set_access(address->path, listen->owner, listen->group, listen->mode, why_r))
        return fd;
    (void)unlink(address->path);
    close(fd);
    return -1;
}

bool listen_replace(int old, int fd)
{
    return dup2(fd, old) == old && fcntl(old, F_SETFD, FD_CLOEXEC) == 0;
}

bool listen_try(const struct mta_listen *listen, char **why_r)
{
    const struct socket_address *address = &listen->address;
    bool is_unix = address->kind == SOCKET_UNIX;
    int fd = is_unix ? open_unix(address->path, why_r) : open_inet(address, why_r);
    if (fd < 0)
        return false;
    close(fd);
    if (is_unix && unlink(address->path) != 0) {
        *why_r = g_strdup_printf("cannot remove %s: %s", address->path, strerror(errno));
        return false;
    }
    return true;
}
