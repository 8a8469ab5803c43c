/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message costs: counted once, between the verdict and the answer, when everything else has
 * let it pass. Checks lay charges into their effects; those of a recipient that is refused, of a
 * message that is refused or never ends, are dropped unseen. A committer carries out the rest,
 * perhaps asking a store for each, and its answer is the message's: a refusal turns the message
 * away, and what was counted for it before is given back.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef CHECKS_COMMIT_H
#define CHECKS_COMMIT_H

#include "checks/check.h"

/* The first member of whatever a committer makes of it. Owned by the effects that hold it. */
struct charge {
    void (*free)(struct charge *charge);
    const void *what; /* is charged, by its address, for check_effects_charged */
    const char *key;  /* and to whom; NULL: nobody asks */
};

/* Adds CHARGE, which the effects own from now on, behind those that are there. */
void check_effects_charge(struct check_effects *effects, struct charge *charge);

/* Moves all charges of FROM there. */
void check_effects_take_charges(struct check_effects *into, struct check_effects *from);

/* The last charge of WHAT to KEY; NULL: there is none. However many there are it takes no longer.
 */
const struct charge *check_effects_charged(const struct check_effects *effects, const void *what,
                                           const char *key);

/* Who carries charges out. Every function gets a CHECK like that of a restriction: facts with the
 * message and all its recipients, the effects of the message (a hold may be added), notes, the
 * budget, the waker. None may block. */
struct committer {
    /* Begins to carry out CHARGES (of struct charge *, in the order in which checks laid them,
     * which stay where they are until the commit ends): sends what can be sent, decides nothing
     * yet. The commit, never NULL. */
    void *(*begin)(void *data, const GPtrArray *charges, struct check *check);

    /* Goes on as far as it can; false: it waits for check->waits_for, and is called again when the
     * session is woken and at the end of the budget. Once the budget is used up it must not wait
     * any more: it decides by what it knows. */
    bool (*advance)(void *commit, struct check *check);

    /* After ADVANCE said true, how it went: CHECK_DUNNO, CHECK_REFUSE with check->reply, or
     * CHECK_CANNOT_TELL with check->why; of the latter two check->name is whose charge it was. */
    enum check_result (*result)(void *commit, struct check *check);

    /* Ends and frees the commit, at any moment. KEEP: the message passes and what was counted
     * stays; else all of it is given back, that which is still on its way too. Wakes nobody
     * afterwards. */
    void (*end)(void *commit, bool keep);

    void *data;
};

#endif
