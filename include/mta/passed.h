/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket that a service manager has opened for us (socket activation, sd_listen_fds(3)).
 *
 * Threads: for the beginning of main.
 */
#ifndef MTA_PASSED_H
#define MTA_PASSED_H

#include <stdbool.h>

#include "settings/socket.h"

/* Takes note of what was passed to this process; before it forks. No child of it will see them. */
void passed_note(void);

/* The socket that was passed for ADDRESS, in *FD_R; -1 if none was passed at all. false with *WHY_R
 * (owned by the caller) if what was passed is not one socket that listens at ADDRESS. */
bool passed_take(const struct socket_address *address, int *fd_r, char **why_r);

#endif
