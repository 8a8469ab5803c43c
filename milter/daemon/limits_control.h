/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What persons ask the daemon of limits and greylisting, and do to them by hand.
 *
 * Threads: those of the control socket and the read socket.
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

/* A key that has used so much of its limit that somebody should know. */
struct limit_near {
    char *limit, *key;
    uint64_t used, max;
    int64_t room_in; /* seconds until there is room for one more */
    double share;    /* of it that is used */
};

/* Those that have used SHARE (0 to 1) of their limit, by how much of it: an array of struct
 * limit_near * that frees its elements. Waits for the store, a few seconds at most: what it has not
 * told by then is left out, and all while it is away; then *COMPLETE_R is false. */
GPtrArray *limits_control_near(const struct limits_control *control, double share,
                               bool *complete_r);

/* "greylist [--json] [ADDRESS|IP|DOMAIN]", "greylist pass IP|DOMAIN". */
int greylist_control_run(const struct limits_control *control, const char *const *words,
                         GString *out);

#endif
