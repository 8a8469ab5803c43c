/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether an MTA that came now would be served.
 *
 * Threads: the command line's; a child is forked.
 */
#ifndef GATEPOSTCTL_PING_H
#define GATEPOSTCTL_PING_H

#include "command.h"

/* Plays a session through the milter socket of the settings, within TIMEOUT ("2s"). NULL: it is
 * well; else what is not, to be freed. */
char *ping_daemon(const struct invocation *invocation, const char *timeout);

#endif
