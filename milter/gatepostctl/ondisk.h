/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether the daemon, if one runs, goes by what the disk has.
 */
#ifndef ONDISK_H
#define ONDISK_H

#include "command.h"

/* Tells on stderr what the disk has and a daemon that runs does not go by yet; says nothing where
 * all is the same, no daemon runs, or this user may not ask it. Waits for 2 seconds at most. */
void ondisk_warn(const struct invocation *invocation);

#endif
