/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What persons ask the daemon of limits and greylisting, and do to them by hand.
 *
 * Threads: any; that of the control socket, and the one that looks for keys near their limits.
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
    gint *stop; /* atomic: not 0 ends limits_control_near; NULL: nothing does */
};

/* How many keys the store is asked for at a time: of a server, which has a fleet's mail to answer
 * for, a few. */
guint limits_control_batch(const struct limits_control *control);

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

/* What was found near its limit: the nearest few, and how many there are of each limit. A stranger
 * may bring about as many as the store has room for, so not all are kept. */
struct limits_near {
    GPtrArray *nearest; /* of struct limit_near *, those with the largest share first */
    GHashTable *counts; /* name of a limit -> number of keys, as GUINT_TO_POINTER */
    bool complete;      /* all keys were looked at */
};

/* Most that are kept of them. */
#define LIMITS_NEAR_KEPT 50

/* Those that have used SHARE (0 to 1) of their limit; to be given back with limits_near_unref.
 * Waits for a server some seconds at most, for the keys of memory half a minute: what was not told
 * by then is left out, and all while the store is away; then it is not complete. */
struct limits_near *limits_control_near(const struct limits_control *control, double share);

/* One of nothing, which is not complete: nobody has looked. */
struct limits_near *limits_near_new(void);
struct limits_near *limits_near_ref(struct limits_near *near);
void limits_near_unref(struct limits_near *near);

/* How many keys of the limit of that name there are. */
guint limits_near_count(const struct limits_near *near, const char *limit);

/* "greylist [--json] [ADDRESS|IP|DOMAIN]", "greylist pass IP|DOMAIN". */
int greylist_control_run(const struct limits_control *control, const char *const *words,
                         GString *out);

#endif
