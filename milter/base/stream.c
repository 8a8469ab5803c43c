/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Outgoing TCP connections with deadlines.
 */
#include "base/stream.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/system.h"

enum stream_result stream_wait(int fd, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - g_get_monotonic_time();
        struct pollfd one = {.fd = fd, .events = events};
        if (left <= 0)
            return STREAM_TIMEOUT;
        /* rounded up, else the last millisecond is spent turning round */
        int ready = poll(&one, 1, (int)MIN(left / 1000 + 1, G_MAXINT));
        if (ready > 0)
            return STREAM_GOOD;
        if (ready < 0 && errno != EINTR)
            return STREAM_CLOSED;
    }
}

static socklen_t make_address(const struct ipaddr *address, unsigned port,
                              struct sockaddr_storage *storage)
{
    memset(storage, 0, sizeof *storage);
    if (address->family == IP_V4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        memcpy(&v4->sin_addr, address->bytes, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    memcpy(&v6->sin6_addr, address->bytes, 16);
    return sizeof *v6;
}

/* What a connect(2) that was under way came to. */
static int connect_error(int fd, int64_t deadline)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (stream_wait(fd, POLLOUT, deadline) == STREAM_TIMEOUT)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int stream_connect(const struct ipaddr *address, unsigned port, int64_t deadline)
{
    struct sockaddr_storage storage;
    socklen_t size = make_address(address, port, &storage);
    int fd = system_socket(storage.ss_family, SOCK_STREAM, true);
    if (fd < 0)
        return -1;
    int error = connect(fd, (struct sockaddr *)&storage, size) == 0 ? 0 : errno;
    if (error == EINPROGRESS || error == EINTR)
        error = connect_error(fd, deadline);
    if (!error)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

enum stream_result stream_read(int fd, void *buffer, size_t room, size_t *got_r, int64_t deadline)
{
    for (;;) {
        enum stream_result ready = stream_wait(fd, POLLIN, deadline);
        if (ready != STREAM_GOOD)
            return ready;
        ssize_t got = recv(fd, buffer, room, 0);
        if (got > 0) {
            *got_r = (size_t)got;
            return STREAM_GOOD;
        }
        if (got == 0)
            errno = 0;
        if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return STREAM_CLOSED;
    }
}

enum stream_result stream_write(int fd, const void *data, size_t length, int64_t deadline)
{
    const char *at = data;
    while (length > 0) {
        enum stream_result ready = stream_wait(fd, POLLOUT, deadline);
        if (ready != STREAM_GOOD)
            return ready;
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR && errno != EAGAIN)
            return STREAM_CLOSED;
        if (sent > 0) {
            at += sent;
            length -= (size_t)sent;
        }
    }
    return STREAM_GOOD;
}
