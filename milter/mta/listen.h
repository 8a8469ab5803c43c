/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket that the MTA connects to. libmilter opens it, but tells nobody why it could not.
 *
 * Threads: any.
 */
#ifndef MTA_LISTEN_H
#define MTA_LISTEN_H

#include "mta/mta.h"

/* Finds out whether the address can be bound, by doing it; false with *WHY_R. */
bool listen_try(const struct mta_listen *listen, char **why_r);

/* The address in libmilter's words; the caller frees it. */
char *listen_text(const struct socket_address *address);

#endif
