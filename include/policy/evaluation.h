/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One restriction list, evaluated over the facts of a session with Postfix's semantics of order,
 * permit, refusal, warn_if_reject, defer_if_permit and defer_if_reject. It can stop in the middle
 * to wait for an answer and go on later; it never blocks.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef POLICY_EVALUATION_H
#define POLICY_EVALUATION_H

#include "policy/restriction_list.h"

enum evaluation_result {
    EVALUATION_DUNNO,  /* the list has nothing against it */
    EVALUATION_PERMIT, /* a permit ended it */
    EVALUATION_REFUSE, /* reply, check, perhaps why */
    EVALUATION_WAIT,   /* call evaluation_run again when woken */
};

/* Restrictions that tables name, inside restrictions that tables name: deeper is a mistake, and
 * the answer a temporary refusal (as in Postfix). */
#define EVALUATION_DEPTH_MAX 100

struct evaluation {
    struct check given; /* what every check of the session sees */
    GArray *frames;
    struct check_errand errand; /* of the item that waits */
    char *reply;                /* EVALUATION_REFUSE: owned */
    const char *check;          /* the restriction that decided, refused or permitted; static */
    char *why;                  /* why it could not be decided, or NULL; to be stolen */
    char *entry;                /* of a table, that the decision rests on, or NULL; to be stolen */
    enum wait_source waits_for; /* EVALUATION_WAIT */
};

/* Prepares the evaluation of LIST. *EVALUATION is all zeros, or was cleared. GIVEN holds what a
 * check of it finds: facts, site, effects, notes and what may be asked; all of it, and LIST, must
 * live until evaluation_clear. */
void evaluation_init(struct evaluation *evaluation, const struct restriction_list *list,
                     const struct check *given);

enum evaluation_result evaluation_run(struct evaluation *evaluation);

/* Ends it; memory is kept for another one, until evaluation_free. */
void evaluation_clear(struct evaluation *evaluation);
void evaluation_free(struct evaluation *evaluation);

/* An empty array for notes; it frees their texts. */
GArray *check_notes_new(void);

#endif
