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

#include "service.h"

struct near_look;

/* SERVICE must outlive it. */
struct near_look *near_look_new(struct service *service);

/* Waits for a look that goes on, some seconds at most. Accepts NULL. */
void near_look_free(struct near_look *look);

/* What was found last: of struct limit_near *, those with the largest share first; to be given back
 * with g_ptr_array_unref. *COMPLETE_R: all keys were looked at. Waits for a new look a moment
 * alone; nothing is found, and that is not all, while the first one goes on. */
GPtrArray *near_look_now(struct near_look *look, bool *complete_r);

#endif
