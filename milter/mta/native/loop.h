/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An event loop with a thread of its own: reads and writes for many connections of the MTA, each a
 * conversation. Nothing blocks it: what waits is set aside until it is woken, what takes long is
 * done by the pool.
 *
 * Threads: loop_new, loop_start, loop_join and loop_free from one; the rest from any.
 */
#ifndef NATIVE_LOOP_H
#define NATIVE_LOOP_H

#include <stdbool.h>

#include "mta/mta.h"
#include "pool.h"

struct loop;

/* What loops share. */
struct loop_setup {
    struct engine *engine;
    struct pool *pool;
    int listener; /* a socket that listens and does not block, for one loop alone; -1: another's */
    /* Takes the connections that wait there and gives each to a loop; on the loop's thread. false:
     * it cannot now, for want of descriptors or memory. */
    bool (*accept)(void *data);
    /* Whose a connection is as soon as its offer has been answered; NULL: it stays here. */
    struct loop *(*next)(void *data);
    void *data;
};

/* SETUP must outlive the loop. NULL with errno. */
struct loop *loop_new(const struct loop_setup *setup);

/* false with errno. */
bool loop_start(struct loop *loop);

/* The listener's descriptor is another socket's now: it is to be looked at anew. Any thread. */
void loop_listen_again(struct loop *loop);

/* Has the thread cut off what is open and end, and waits until it has, if it was begun. */
void loop_stop(struct loop *loop);
void loop_join(struct loop *loop);

/* The thread has ended, and the pool does nothing more. Accepts NULL. */
void loop_free(struct loop *loop);

/* Gives the loop a connection, FD, which it closes. INET: over TCP. */
void loop_add(struct loop *loop, int fd, bool inet);

/* Adds what the loop has to COUNTS; its STUCK becomes the larger of both. */
void loop_add_counts(const struct loop *loop, struct mta_counts *counts);

/* Connections that are the loop's. */
unsigned loop_connections(const struct loop *loop);

/* Whether it sleeps, or did a moment ago: it could do more. */
bool loop_has_time(const struct loop *loop);

/* A job of the pool. */
void loop_work(void *data);

#endif
