/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The edge to the MTA: what it says becomes steps of sessions, and their answers replies. The
 * milter protocol is spoken by libmilter, or by an engine of our own. There is one filter in a
 * process.
 *
 * Threads: mta_bind, before all others, and mta_serve from one thread each, the rest from any. What
 * one connection says is taken one after another, in changing threads.
 */
#ifndef MTA_MTA_H
#define MTA_MTA_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "policy/engine.h"
#include "settings/settings_table.h"
#include "settings/socket.h"

struct mta_listen {
    enum setting_milter_engine engine;
    unsigned threads; /* of the native engine; 0: one a core */
    struct socket_address address;
    mode_t mode; /* of a unix socket */
    uid_t owner; /* (uid_t)-1: as it is */
    gid_t group; /* (gid_t)-1: as it is */
    int passed;  /* -1, or a socket that listens there already, whose owner and mode are another's
                    to say (mta/passed.h) */
};

/* Opens the socket; a stale one is replaced, one on which somebody listens never. false with *WHY_R
 * (owned by the caller). */
bool mta_bind(const struct mta_listen *listen, char **why_r);

enum mta_move { MTA_STAYS, MTA_MOVED, MTA_CANNOT_MOVE };

/* Looks the host name up that is listened on, if it is one: where it has another address by now,
 * that is listened on, and open connections go on. CANNOT_MOVE with *WHY_R (owned by the caller):
 * the old one is. One thread at a time. */
enum mta_move mta_follow(char **why_r);

/* The address of the TCP socket that listens; its length, 0: it is not known, or no TCP. Any
 * thread. */
socklen_t mta_address(struct sockaddr_storage *address_r);

/* Serves until libmilter gives up, or gets to see SIGTERM, SIGINT or SIGHUP; the native engine
 * until mta_stop. false if it failed. ENGINE must live as long as there are connections. */
bool mta_serve(struct engine *engine);

/* From now on new connections are closed at once, so that the MTA takes us for gone. */
void mta_drain(void);

/* After mta_drain: cuts off what is open, and has mta_serve return. false if the engine cannot do
 * that: then it may go on calling as long as there are connections. */
bool mta_stop(void);

struct mta_counts {
    unsigned connections; /* of the MTA that are open */
    unsigned messages;    /* under way, from MAIL to their end */
    unsigned waiting;     /* connections that wait for DNS, a store or work without a thread */
    unsigned progress;    /* changes with every step that a session took */
    int64_t stuck;        /* us that the slowest loop has not come round; 0: none is slow */
};
void mta_get_counts(struct mta_counts *counts_r);

/* "libmilter", "native": the one that serves. */
const char *mta_engine_name(void);

/* "8.17.1": the version of libmilter that gatepost is linked with; the caller frees it. */
char *mta_library_version(void);

#endif
