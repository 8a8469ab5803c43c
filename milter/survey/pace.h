/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who may be spoken to now: each address once, an MX host by one connection at a time and at its
 * pace. Workers take targets and give them back.
 *
 * Threads: all functions may be called by any thread; locks inside.
 */
#ifndef SURVEY_PACE_H
#define SURVEY_PACE_H

#include <glib.h>
#include <stdbool.h>

#include "visit.h"

struct target {
    struct ipaddr address;
    char *name; /* the MX host that it was first met as, or DANE's name for it: asked by SNI */
    char *host; /* the MX host whose pace is kept */
    struct visit *visit; /* the last one; NULL: not made yet */
    char *versions;      /* those that were spoken when tried alone; NULL: not tried */
};

struct pace;

struct pace *pace_new(int64_t pause_us);
void pace_free(struct pace *pace); /* and its targets */

/* The target for ADDRESS: a new one, which is then due, or the one that was added before. */
struct target *pace_add(struct pace *pace, const struct ipaddr *address, const char *host,
                        const char *name);

/* Makes a target due once more. */
void pace_again(struct pace *pace, struct target *target);

/* No more targets will be added by others than workers: pace_take ends when none is left. */
void pace_close(struct pace *pace);
/* As it was before pace_close: more may be added. */
void pace_open(struct pace *pace);

/* Waits for a target that may be asked; NULL when there will be none, or interrupt_came. It is then
 * the caller's, and its host's other addresses wait, until pace_done. */
struct target *pace_take(struct pace *pace);
void pace_done(struct pace *pace, struct target *target);

/* How many targets there are, and how many were visited. */
void pace_counts(struct pace *pace, unsigned *targets_r, unsigned *visited_r);

#endif
