/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The edge to the MTA: libmilter's callbacks become steps of sessions, and their answers replies.
 * libmilter knows one filter in a process, and so does this.
 *
 * Threads: mta_bind and mta_serve from one thread each, the rest from any. libmilter runs the
 * callbacks of one connection one after another, in changing threads.
 */
#ifndef MTA_MTA_H
#define MTA_MTA_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/engine.h"
#include "settings/socket.h"

struct mta_listen {
    struct socket_address address;
    mode_t mode; /* of a unix socket */
    uid_t owner; /* (uid_t)-1: as it is */
    gid_t group; /* (gid_t)-1: as it is */
};

/* Opens the socket; a stale one is replaced, one on which somebody listens never. false with *WHY_R
 * (owned by the caller). */
bool mta_bind(const struct mta_listen *listen, char **why_r);

/* Serves until libmilter gives up, or gets to see SIGTERM, SIGINT or SIGHUP. false if it failed.
 * ENGINE must live as long as mta_connections() is not 0. */
bool mta_serve(struct engine *engine);

/* From now on new connections are closed at once, so that the MTA takes us for gone. */
void mta_drain(void);

/* Connections of the MTA that are open, and messages under way (from MAIL to their end). */
unsigned mta_connections(void);
unsigned mta_messages(void);

/* "8.17.1": the version of libmilter that is at work; the caller frees it. */
char *mta_library_version(void);

#endif
