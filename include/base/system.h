/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a system gives that POSIX (2008, with XSI) has no call for. Its source is the only one that
 * sees more than POSIX; all others are compiled without. Where a system has not got a call, Meson
 * finds that out, and what stands in for it is said here.
 *
 * Threads: any.
 */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { SYSTEM_RANDOM_MAX = 256 };

/* Fills LENGTH bytes, SYSTEM_RANDOM_MAX at most, with what nobody can guess: from the kernel; if it
 * will not say, from GLib, which is as good as the start of the process is hard to guess. */
void system_random(void *bytes_r, size_t length);

/* Locks the open file FD for this process, without waiting; the lock ends with the process. false
 * with errno, EWOULDBLOCK if another has it. Without flock it is fcntl(2)'s lock, which also
 * ends when the process closes any descriptor of the same file. */
bool system_lock(int fd);

/* Makes the groups of USER, and GROUP, the only ones of this process. false with errno; ENOSYS
 * where a system cannot. */
bool system_take_groups(const char *user, gid_t group);

/* The groups of USER, GROUP first, in GROUPS_R, which has room for MAX; returns how many, MAX at
 * most. It is GROUP alone where a system does not tell. */
int system_groups_of(const char *user, gid_t group, gid_t *groups_r, int max);

/* Whether this process's memory may be written to core dumps, by whomever, and be read by debuggers
 * that are not root's. To be called anew after the user was changed, which forbids it. Where a
 * system has nothing of that kind, nothing is done. */
void system_allow_dumps(bool allowed);

/* Has malloc(3) share MOST arenas (at least 1) among all threads from now on; to be called while
 * there are a few. The GNU C library makes eight for each core, and each keeps what its busiest
 * moment took, so that with many threads the memory in use grows for hours. Threads that share one
 * wait for each other. Nothing where a system has nothing of the kind. */
void system_limit_arenas(unsigned most);

/* Gives whole pages that malloc(3) has free back to the system, wherever they are: by itself it
 * gives back what is free at the end alone. Others who want memory wait meanwhile, a millisecond or
 * so for each 10 MB. Nothing where a system has nothing of the kind. */
void system_give_back(void);

/* Calls EACH for each address of this machine's interfaces that are up; for none where a system
 * does not tell. */
void system_interfaces(void (*each)(const struct sockaddr *address, void *data), void *data);

/* Gives the Unix socket PATH, which this process has just bound, its owner, group ((uid_t)-1,
 * (gid_t)-1: as they are) and permissions. false with errno; EPERM if something else is there by
 * now, a link among it, and then nothing was changed: whoever owns the folder cannot have another
 * file changed in its place. Without O_PATH he has a moment for that. */
bool system_give_socket(const char *path, uid_t owner, gid_t group, mode_t mode);

/* Who is at the other end of the connected unix socket FD; false where a system does not tell. */
bool system_peer(int fd, uid_t *uid_r);

/* The next connection to the listening socket FD: a descriptor that does not block and is closed on
 * exec; -1 with errno. */
int system_accept(int fd);

/* Has what has come in on the TCP connection FD be acknowledged now, not with what is sent next:
 * Sendmail writes a packet in two pieces, and the second waits for that. Nothing where a system has
 * nothing of the kind. */
void system_acknowledge(int fd);

/* A socket, as of socket(2), that is closed on exec; -1 with errno. */
int system_socket(int family, int type, bool nonblocking);

#endif
