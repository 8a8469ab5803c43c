/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the stores share: tickets, and a table of what a store does.
 */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include "store/store.h"
#include "records.h"

struct store_ticket {
    gatomicrefcount references; /* the asker's, and the store's while it works on it */
    struct store *store;
    struct store_request request; /* key and client are copies */
    struct waker waker;
    struct store_answer answer;
    gint ready; /* atomic */
    /* under the store's lock */
    bool unwanted; /* what it counts is to be taken back */
    bool waking;
};

struct store_kind {
    const char *name;
    bool shared; /* others count with it */
    /* Answers at once with store_ticket_settle, or later. */
    void (*ask)(struct store *store, struct store_ticket *ticket);
    GPtrArray *(*list)(struct store *store, const char *prefix, char **why_r);
    void (*status)(struct store *store, struct store_status *status_r);
    /* Writes for the last time; it is asked still. NULL: there is nothing to write. */
    void (*finish)(struct store *store);
    /* Ends what the kind has of its own; nothing may be asked any more. */
    void (*close)(struct store *store);
};

/* Stands first in the struct of each kind. */
struct store {
    const struct store_kind *kind;
    struct records *records;
    GMutex lock; /* guards UNWANTED, WAKING and the waker of tickets */
    GCond woken;
    GThread *thread; /* who wakes; NULL: nobody */
    _Atomic uint64_t asked, own;
};

void store_init(struct store *store, const struct store_kind *kind, struct records *records);

/* The answer is there: wakes the asker. Returns whether what it counted is to be taken back. To be
 * called once a ticket; the caller keeps his reference. */
bool store_ticket_settle(struct store_ticket *ticket, const struct store_answer *answer);

struct store_ticket *store_ticket_ref(struct store_ticket *ticket);
void store_ticket_unref(struct store_ticket *ticket);

#endif
