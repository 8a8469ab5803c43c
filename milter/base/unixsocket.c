/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Unix sockets as files.
 */
#include "base/unixsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system.h"

static int connect_with(const char *path, bool nonblocking, unsigned seconds)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (*path == '\0') { /* Linux would take it for an abstract name that anybody may have */
        errno = ENOENT;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = system_socket(AF_UNIX, SOCK_STREAM, nonblocking);
    if (fd < 0)
        return -1;
    /* Linux holds connect() to it, too, where the backlog is full. */
    const struct timeval patience = {.tv_sec = seconds};
    if (seconds)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

int unixsocket_connect(const char *path, unsigned seconds)
{
    return connect_with(path, false, seconds);
}

enum unixsocket_state unixsocket_probe(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? UNIXSOCKET_NONE : UNIXSOCKET_OTHER;
    if (!S_ISSOCK(status.st_mode))
        return UNIXSOCKET_OTHER;
    /* A full backlog (EAGAIN) is somebody, too, who must not be waited for. */
    int fd = connect_with(path, true, 0);
    if (fd < 0)
        return errno == ECONNREFUSED ? UNIXSOCKET_STALE
               : errno == EAGAIN     ? UNIXSOCKET_LIVE
                                     : UNIXSOCKET_OTHER;
    close(fd);
    return UNIXSOCKET_LIVE;
}

bool unixsocket_make_room(const char *path, char **why_r)
{
    switch (unixsocket_probe(path)) {
    case UNIXSOCKET_NONE:
        return true;
    case UNIXSOCKET_LIVE:
        *why_r = g_strdup_printf("%s: another process listens there", path);
        return false;
    case UNIXSOCKET_STALE:
        if (unlink(path) == 0)
            return true;
        *why_r = g_strdup_printf("%s: cannot remove the stale socket: %s", path, strerror(errno));
        return false;
    default:
        *why_r = g_strdup_printf("%s: in the way and no socket of ours; remove it, or choose "
                                 "another path",
                                 path);
        return false;
    }
}

bool unixsocket_set_access(const char *path, uid_t owner, gid_t group, mode_t mode, char **why_r)
{
    if (system_give_socket(path, owner, group, mode))
        return true;
    *why_r = errno == EPERM && geteuid() == 0
                 ? g_strdup_printf("%s: somebody put something else there; look who may write to "
                                   "the folder",
                                   path)
                 : g_strdup_printf("%s: cannot change owner, group and permissions: %s", path,
                                   strerror(errno));
    return false;
}
