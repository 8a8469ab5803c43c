/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whom the daemon becomes, and giving up root for good.
 *
 * Threads: before there are any.
 */
#ifndef DAEMON_PRIVILEGES_H
#define DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "settings/settings.h"

struct identity {
    char *name;         /* NULL: stays who it is */
    uid_t uid;          /* (uid_t)-1: as it is */
    gid_t gid;          /* (gid_t)-1: as it is */
    gid_t socket_group; /* of the milter socket; (gid_t)-1: as it is */
};

/* What SETTINGS ask for and this process can be; what there is not is an error. */
bool identity_find(const struct settings *settings, struct problems *problems,
                   struct identity *identity_r);
void identity_clear(struct identity *identity);

/* Makes the folder that PATH is in if it is not there and only that one is missing, and gives it
 * to IDENTITY. What goes wrong shows when PATH is made. */
void identity_make_folder(const struct identity *identity, const char *path);

/* Becomes IDENTITY, and makes sure that there is no way back. false with *WHY_R (owned by the
 * caller). */
bool privileges_drop(const struct identity *identity, char **why_r);

/* Allows as many open files as the hard limit does, a connection each, and has the kernel make room
 * for the first 16384 of them. To be called before there is a second thread: with more, Linux makes
 * room for twice as many, and again, by waiting until each core has been elsewhere (RCU), 10 to
 * 20 ms in which who opens a file, or takes a connection, stands still. */
void privileges_raise_files(void);

/* Forbids core dumps, which would hold mail, for good; unless the environment's
 * GATEPOST_CORE_DUMPS is 1. To be called anew after privileges_drop. */
void privileges_forbid_cores(void);

#endif
