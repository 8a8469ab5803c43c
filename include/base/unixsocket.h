/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Unix sockets as files: is somebody listening, was it left behind, who may connect.
 *
 * Threads: any; the file system is asked.
 */
#ifndef BASE_UNIXSOCKET_H
#define BASE_UNIXSOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

enum unixsocket_state {
    UNIXSOCKET_NONE,  /* nothing of that name */
    UNIXSOCKET_LIVE,  /* somebody listens */
    UNIXSOCKET_STALE, /* left behind: nobody listens any more */
    UNIXSOCKET_OTHER, /* something that is no socket, or cannot be looked at */
};

/* Connects to PATH to see whether somebody answers. */
enum unixsocket_state unixsocket_probe(const char *path);

/* Makes PATH free to be bound: removes a stale socket. false with *WHY_R (owned by the caller) if
 * somebody listens there, or it is no socket, or cannot be removed; then nothing was changed. */
bool unixsocket_make_room(const char *path, char **why_r);

/* Gives a socket that this process has just bound its owner, group ((uid_t)-1, (gid_t)-1: as they
 * are) and permissions; false with *WHY_R (owned by the caller). Whoever owns its folder cannot
 * have something else changed by that, whatever he puts in its place. */
bool unixsocket_set_access(const char *path, uid_t owner, gid_t group, mode_t mode, char **why_r);

/* Connects to PATH; returns a descriptor that closes on exec, or -1 with errno. Neither this nor
 * sending takes longer than SECONDS (0: as long as it takes) at a time: EAGAIN then. */
int unixsocket_connect(const char *path, unsigned seconds);

#endif
