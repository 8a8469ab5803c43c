/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What persons ask the daemon of limits and greylisting, and do to them by hand.
 *
 * Threads: that of the control socket.
 */
#ifndef LIMITS_CONTROL_H
#define LIMITS_CONTROL_H

#include "policy/snapshot.h"
#include "report/log.h"
#include "store/store.h"

struct limits_control {
    struct store *store;
    const struct snapshot *snapshot; /* in force */
    struct log *log;
};

/* "limits [--json] [--near N%] [LIMIT [KEY]]", "limits reset LIMIT KEY", "limits allow LIMIT KEY N
 * TIME", "limits release": writes what is printed, returns the exit status. KEY may be of several
 * words. */
int limits_control_run(const struct limits_control *control, const char *const *words,
                       GString *out);

/* "greylist [--json] [ADDRESS|IP|DOMAIN]", "greylist pass IP|DOMAIN". */
int greylist_control_run(const struct limits_control *control, const char *const *words,
                         GString *out);

#endif
