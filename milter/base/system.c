/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls that POSIX does not have: the only file that may use them.
 */
#undef _XOPEN_SOURCE
#define _GNU_SOURCE 1

#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_FLOCK
#include <sys/file.h>
#endif
#ifdef HAVE_GETIFADDRS
#include <ifaddrs.h>
#include <net/if.h>
#endif
#if defined HAVE_M_ARENA_MAX || defined HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#ifdef HAVE_PR_SET_DUMPABLE
#include <sys/prctl.h>
#endif

static bool ask_kernel(void *bytes_r, size_t length)
{
#ifdef HAVE_GETENTROPY
    if (getentropy(bytes_r, length) == 0)
        return true;
#endif
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, bytes_r, length);
    close(fd);
    return got == (ssize_t)length;
}

void system_random(void *bytes_r, size_t length)
{
    g_assert(length <= SYSTEM_RANDOM_MAX);
    if (ask_kernel(bytes_r, length))
        return;
    unsigned char *bytes = bytes_r;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)g_random_int();
}

#ifdef HAVE_FLOCK
bool system_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}
#else
bool system_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &whole) == 0)
        return true;
    if (errno == EACCES || errno == EAGAIN)
        errno = EWOULDBLOCK;
    return false;
}
#endif

bool system_take_groups(const char *user, gid_t group)
{
#ifdef HAVE_INITGROUPS
    return initgroups(user, group) == 0;
#else
    (void)user;
    (void)group;
    errno = ENOSYS;
    return false;
#endif
}

int system_groups_of(const char *user, gid_t group, gid_t *groups_r, int max)
{
    int count = max;
#ifdef HAVE_GETGROUPLIST
    return getgrouplist(user, group, groups_r, &count) < 0 ? max : count;
#else
    (void)user;
    (void)count;
    groups_r[0] = group;
    return 1;
#endif
}

void system_allow_dumps(bool allowed)
{
#ifdef HAVE_PR_SET_DUMPABLE
    (void)prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0);
#else
    (void)allowed;
#endif
}

void system_limit_arenas(unsigned most)
{
#ifdef HAVE_M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, (int)most);
#else
    (void)most;
#endif
}

void system_give_back(void)
{
#ifdef HAVE_MALLOC_TRIM
    (void)malloc_trim(0);
#endif
}

void system_interfaces(void (*each)(const struct sockaddr *address, void *data), void *data)
{
#ifdef HAVE_GETIFADDRS
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
        if (entry->ifa_addr && entry->ifa_flags & IFF_UP)
            each(entry->ifa_addr, data);
    freeifaddrs(list);
#else
    (void)each;
    (void)data;
#endif
}

/* A socket of ours that has no other name; else EPERM. */
static bool is_own_socket(const struct stat *status)
{
    if (S_ISSOCK(status->st_mode) && status->st_uid == geteuid() && status->st_nlink == 1)
        return true;
    errno = EPERM;
    return false;
}

#ifdef HAVE_O_PATH
static bool give_open(int fd, uid_t owner, gid_t group, mode_t mode)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !is_own_socket(&status) ||
        fchownat(fd, "", owner, group, AT_EMPTY_PATH) != 0)
        return false;
    if ((status.st_mode & 07777) == mode)
        return true;
    /* A descriptor of this kind is no good to fchmod(2). */
    g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", fd);
    return chmod(name, mode) == 0;
}

bool system_give_socket(const char *path, uid_t owner, gid_t group, mode_t mode)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool given = give_open(fd, owner, group, mode);
    int reason = errno;
    close(fd);
    errno = reason;
    return given;
}
#else
bool system_give_socket(const char *path, uid_t owner, gid_t group, mode_t mode)
{
    struct stat status;
    return lstat(path, &status) == 0 && is_own_socket(&status) &&
           fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) == 0 &&
           lchown(path, owner, group) == 0;
}
#endif

int system_socket(int family, int type, bool nonblocking)
{
#if defined SOCK_CLOEXEC && defined SOCK_NONBLOCK
    return socket(family, type | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
#else
    int fd = socket(family, type, 0);
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (nonblocking)
            (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    return fd;
#endif
}

int system_accept(int fd)
{
#if defined SOCK_CLOEXEC && defined SOCK_NONBLOCK
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    int taken = accept(fd, NULL, NULL);
    if (taken >= 0) {
        (void)fcntl(taken, F_SETFD, FD_CLOEXEC);
        (void)fcntl(taken, F_SETFL, fcntl(taken, F_GETFL) | O_NONBLOCK);
    }
    return taken;
#endif
}

void system_acknowledge(int fd)
{
#ifdef TCP_QUICKACK
    int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
#else
    (void)fd;
#endif
}

bool system_peer(int fd, uid_t *uid_r)
{
#ifdef SO_PEERCRED
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    *uid_r = peer.uid;
    return true;
#else
    (void)fd, (void)uid_r;
    return false;
#endif
}
