/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the running daemon.
 *
 * Threads: the command line's.
 */
#ifndef GATEPOSTCTL_DAEMON_H
#define GATEPOSTCTL_DAEMON_H

#include <stdio.h>

#include "command.h"
#include "settings/settings.h"

/* Where the daemon listens, by the settings or by default: SETTING is that of a socket. The caller
 * frees it. */
char *daemon_place(const struct invocation *invocation, enum setting setting);

/* Prints what the daemon answers to REQUEST, a line of words, to STREAM, or to stderr what keeps it
 * from an answer; returns its exit status. Waits for two minutes at most. */
enum exit_code daemon_ask(const struct invocation *invocation, const char *request, FILE *stream);

#endif
