/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking for keys that are near their limits: all keys of the store, of a fleet's too, which is
 * work; so it is done by a thread of its own, when somebody wants to know and what was found is
 * old.
 *
 * Threads: near_look_now may be called by any.
 */
#ifndef DAEMON_NEAR_LOOK_H
#define DAEMON_NEAR_LOOK_H

#include "limits_control.h"
#include "service.h"

struct near_look;

/* SERVICE must outlive it. */
struct near_look *near_look_new(struct service *service);

/* Waits for a look that goes on, some seconds at most. Accepts NULL. */
void near_look_free(struct near_look *look);

/* What was found last; to be given back with limits_near_unref. Waits for a new look a moment
 * alone; nothing is found, and that is not all, while the first one goes on. */
struct limits_near *near_look_now(struct near_look *look);

#endif
