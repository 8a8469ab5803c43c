/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The MTA's question put by ourselves.
 */
#include "mta/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system.h"
#include "base/waiting.h"
#include "mta/mta.h"

/* How often a probe looks whether it is cancelled, in milliseconds. */
enum { STEP = 100 };

/* SMFIC_OPTNEG of version 6, which offers nothing; SMFIC_QUIT. */
static const char question[] = "\0\0\0\15O\0\0\0\6\0\0\0\0\0\0\0\0";
static const char farewell[] = "\0\0\0\1Q";

struct mta_probe {
    struct sockaddr_storage address;
    socklen_t length; /* 0: it could not be found out */
    guint progress;   /* of connections, at the last look */
};

static void find_inet(struct mta_probe *probe, const struct socket_address *where)
{
    struct addrinfo *found, hints = {
                                .ai_family = where->kind == SOCKET_INET6 ? AF_INET6 : AF_INET,
                                .ai_socktype = SOCK_STREAM,
                                .ai_flags = AI_NUMERICSERV,
                            };
    g_autofree char *port = g_strdup_printf("%u", where->port);
    if (getaddrinfo(where->host, port, &hints, &found) != 0)
        return;
    memcpy(&probe->address, found->ai_addr, found->ai_addrlen);
    probe->length = found->ai_addrlen;
    freeaddrinfo(found);
}

struct mta_probe *mta_probe_new(const struct socket_address *where)
{
    struct mta_probe *probe = g_new0(struct mta_probe, 1);
    if (where->kind == SOCKET_UNIX) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        g_strlcpy(address.sun_path, where->path, sizeof(address.sun_path));
        memcpy(&probe->address, &address, sizeof(address));
        probe->length = sizeof(address);
    } else {
        find_inet(probe, where);
    }
    return probe;
}

void mta_probe_free(struct mta_probe *probe)
{
    g_free(probe);
}

/* Without descriptors nobody is answered, but that passes: it is load. */
static bool out_of_descriptors(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0)
        close(copy);
    return copy < 0;
}

static bool wait_for(int fd, short events, gint64 end, const gint *cancel)
{
    struct pollfd one = {.fd = fd, .events = events};
    while (g_get_monotonic_time() < end && !g_atomic_int_get(cancel))
        if (poll(&one, 1, STEP) > 0)
            return true;
    return false;
}

/* Whether the peer of FD answers as a filter does. */
static bool converse(int fd, gint64 end, const gint *cancel)
{
    char answer[5];
    if (!wait_for(fd, POLLOUT, end, cancel) ||
        send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) != sizeof(question) - 1 ||
        !wait_for(fd, POLLIN, end, cancel) ||
        recv(fd, answer, sizeof(answer), 0) != sizeof(answer) || answer[4] != 'O')
        return false;
    ssize_t sent = send(fd, farewell, sizeof(farewell) - 1, MSG_NOSIGNAL);
    (void)sent;
    return true;
}

static enum mta_pulse ask(const struct mta_probe *probe, int fd, gint64 end, const gint *cancel)
{
    if (connect(fd, (const struct sockaddr *)&probe->address, probe->length) != 0) {
        if (errno == EACCES || errno == EPERM)
            return MTA_UNKNOWN; /* the socket is for others than ourselves */
        if (errno != EINPROGRESS)
            return MTA_SILENT;
    }
    if (converse(fd, end, cancel))
        return MTA_ANSWERS;
    return out_of_descriptors(fd) ? MTA_UNKNOWN : MTA_SILENT;
}

enum mta_pulse mta_probe_look(struct mta_probe *probe, int milliseconds, const gint *cancel)
{
    gint64 end = g_get_monotonic_time() + (gint64)milliseconds * 1000;
    struct sockaddr_storage moved;
    socklen_t length = probe->address.ss_family == AF_UNIX ? 0 : mta_address(&moved);
    if (length > 0) { /* a name may have another address by now */
        probe->address = moved;
        probe->length = length;
    }
    if (probe->length == 0)
        return MTA_UNKNOWN;
    int fd = system_socket(probe->address.ss_family, SOCK_STREAM, true);
    if (fd < 0)
        return MTA_UNKNOWN;
    enum mta_pulse pulse = ask(probe, fd, end, cancel);
    close(fd);
    guint before = probe->progress;
    struct mta_counts counts;
    mta_get_counts(&counts);
    probe->progress = counts.progress;
    if (pulse == MTA_SILENT &&
        (probe->progress != before || counts.waiting > 0 || waiting_count() > 0))
        return MTA_BUSY;
    return pulse;
}
