/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much one key has used of a limit: pure arithmetic on a time that is told.
 *
 * A sliding window is kept in slots of a 24th of it. What counts is the slot under way and the 24
 * before it, each whole: more than the window at any moment, so that in no window passes more than
 * is allowed, whoever knows where slots begin; the price is up to one slot in which a sender waits
 * longer than he had to. (An estimate, a bucket that leaks, or 24 slots in all admit nearly twice
 * the maximum to who sends it all before and behind an edge.) A calendar window is one slot, whose
 * number is the date.
 *
 * A counter of networks keeps each network with the slot in which it was used last.
 *
 * A clock that is set back leaves slots of a future: they are taken as the slot under way, so that
 * they neither free anybody nor bind him for longer than one window. Only around the end of a
 * calendar window that of the next one is right: the clock of another daemon may be ahead, and who
 * began before midnight may be done behind it. Then it stays where it is, and counts for both. For
 * the same reason the last calendar window that is over is not forgotten until a later one is: it
 * counts no more, but for whoever is in it still.
 *
 * Threads: one at a time.
 */
#ifndef STORE_COUNTER_H
#define STORE_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* Slots of a sliding window before the one under way. */
#define COUNTER_SLOTS 24
/* Most networks that one counter keeps; further ones change nothing. */
#define COUNTER_NETWORKS_MAX 4096

/* A window: sliding, or one of the calendar. */
struct store_window {
    int64_t length; /* ms of a sliding one; 0: of the calendar */
    uint32_t date;  /* of the calendar: its number, see store/calendar.h */
    int64_t end; /* of the calendar: when DATE is over, ms since 1970, to an hour or so; 0: not for
                  * long */
    uint32_t next; /* the date behind it */
};

struct counter_slot {
    uint32_t slot;
    uint32_t uses;  /* of networks: by how many messages in this window */
    uint64_t value; /* what was counted in the slot; of networks: the network */
};

/* To be made by zeroing, emptied with counter_clear. */
struct counter {
    struct counter_slot *slots; /* in no order */
    uint32_t count, room;
    bool networks;
};

void counter_clear(struct counter *counter);

/* The sum in the window at NOW (ms since 1970), or the number of networks. Drops what has left the
 * window, as all functions with a NOW do but those that add. */
uint64_t counter_used(struct counter *counter, const struct store_window *window, int64_t now);

/* Adds N to the slot under way, whatever there is already; *SLOT_R is that slot. What has left the
 * window stays until somebody asks. */
void counter_add(struct counter *counter, const struct store_window *window, int64_t now,
                 uint64_t n, uint32_t *slot_r);

/* Whether NETWORK is known in the window. */
bool counter_knows(struct counter *counter, const struct store_window *window, int64_t now,
                   uint64_t network);

/* Notes that a message came from NETWORK; false if there are too many to keep it. */
bool counter_add_network(struct counter *counter, const struct store_window *window, int64_t now,
                         uint64_t network, uint32_t *slot_r);

/* Takes N out of SLOT again, as far as it is still there. */
void counter_take_back(struct counter *counter, uint32_t slot, uint64_t n);
void counter_take_back_network(struct counter *counter, uint64_t network);

/* Makes the sum USED by adding to the slot under way, or by taking from the oldest: what somebody
 * else who counts the same key has found. Not for networks. */
void counter_align(struct counter *counter, const struct store_window *window, int64_t now,
                   uint64_t used);

/* Adds what OTHER, of the same kind, has counted besides. */
void counter_merge(struct counter *counter, const struct counter *other);

/* Milliseconds from NOW until ROOM or less are used, if nothing more is counted; 0: already; -1:
 * the calendar says. */
int64_t counter_wait(struct counter *counter, const struct store_window *window, int64_t now,
                     uint64_t room);

/* After how many ms nothing of what is counted now matters any more. */
int64_t counter_lifetime(const struct store_window *window);

#endif
