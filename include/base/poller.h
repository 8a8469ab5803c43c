/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many descriptors looked at by one thread: which of them can be read or written, and which have
 * been hung up. Its source is the only one that knows Linux's calls for that.
 *
 * Threads: one at a time; poller_wake from any.
 */
#ifndef BASE_POLLER_H
#define BASE_POLLER_H

#include <stdbool.h>
#include <stddef.h>

/* What is looked for. That a descriptor was hung up is told of whether wanted or not. */
enum {
    POLLER_IN = 1,
    POLLER_OUT = 2,
    POLLER_HANGUP = 4, /* nothing more will come from the other side, or an error */
};

struct poller_event {
    void *data;
    unsigned what; /* POLLER_ */
};

struct poller;

/* NULL with errno. */
struct poller *poller_new(void);
void poller_free(struct poller *poller); /* accepts NULL; descriptors stay open */

/* Looks at FD for WHAT; events name DATA, which must not be NULL. false with errno. */
bool poller_add(struct poller *poller, int fd, unsigned what, void *data);

/* Looks for WHAT from now on. */
bool poller_change(struct poller *poller, int fd, unsigned what, void *data);
void poller_remove(struct poller *poller, int fd);

/* Waits MILLISECONDS at most (-1: for ever), or until woken; returns how many events there are in
 * EVENTS_R, MOST of them at most. */
int poller_wait(struct poller *poller, int milliseconds, struct poller_event *events_r, int most);

/* Ends the wait, or the next one if there is none. */
void poller_wake(struct poller *poller);

#endif
