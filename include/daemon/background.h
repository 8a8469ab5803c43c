/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Going into the background, in such a way that whoever started the daemon learns whether it came
 * up: the parent waits until the child says so, or has ended with its own exit code.
 *
 * Threads: before there are any.
 */
#ifndef DAEMON_BACKGROUND_H
#define DAEMON_BACKGROUND_H

#include <stdbool.h>

/* Forks. Returns in the child alone, which leads a session of its own and is in "/"; the parent
 * ends when the child calls background_ready, or ends. false if it cannot fork. */
bool background_begin(void);

/* Tells the parent that all is well, and lets go of the terminal (of standard error unless
 * KEEP_STDERR). Does nothing without background_begin. */
void background_ready(bool keep_stderr);

#endif
