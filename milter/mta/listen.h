/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket that the MTA connects to. libmilter opens it itself, but tells nobody why it could
 * not.
 *
 * Threads: any.
 */
#ifndef MTA_LISTEN_H
#define MTA_LISTEN_H

#include "mta/mta.h"

/* Connections that wait to be accepted; libmilter's own 20 are soon exhausted. */
#define LISTEN_BACKLOG 1024

/* A socket that listens at the address, does not block and closes on exec; a unix socket has owner,
 * group and mode as they shall be before anybody can connect. -1 with *WHY_R. */
int listen_open(const struct mta_listen *listen, char **why_r);

/* Whether FD listens at ADDRESS: at one of those that its host name leads to now. Where the name
 * leads nowhere, or it is a unix socket, it does. */
bool listen_is_at(int fd, const struct socket_address *address);

/* Has FD listen by the number OLD, so that whoever waits there waits at it from now on; FD stays
 * the caller's. false with errno. */
bool listen_replace(int old, int fd);

/* Finds out whether the address can be bound, by doing it; false with *WHY_R. */
bool listen_try(const struct mta_listen *listen, char **why_r);

/* The address in libmilter's words; the caller frees it. */
char *listen_text(const struct socket_address *address);

#endif
