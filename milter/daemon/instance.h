/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One daemon for one pid file: the file is locked as long as the daemon lives, so that a second one
 * never starts, and one that was killed leaves nothing in the way.
 *
 * Threads: one.
 */
#ifndef DAEMON_INSTANCE_H
#define DAEMON_INSTANCE_H

#include <stdbool.h>

struct instance;

/* Locks PATH and writes the process id; PATH "" locks nothing. NULL with *WHY_R (owned by the
 * caller) if another process has it, or it cannot be made. */
struct instance *instance_lock(const char *path, char **why_r);

/* Removes the file, or empties it if the folder does not allow that. Accepts NULL. */
void instance_unlock(struct instance *instance);

#endif
