/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals and other happenings for the main thread, through a pipe.
 *
 * libmilter waits for SIGTERM, SIGINT and SIGHUP in a thread of its own, and drops all connections
 * when it gets one. The kernel prefers the main thread while that does not block a signal; so the
 * main thread never does, libmilter runs in another, and other threads block them all.
 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include <stdbool.h>

enum happening {
    HAPPENING_NONE,       /* the time was over */
    HAPPENING_RELOAD,     /* SIGUSR1, SIGHUP */
    HAPPENING_STOP,       /* SIGTERM, SIGINT */
    HAPPENING_EDGE_ENDED, /* the thread that serves the MTA returned */
};

/* From now on signals are kept for signals_wait. false with errno. */
bool signals_init(void);

/* Between these two calls the main thread makes others, which inherit its mask. What comes
 * meanwhile is kept. */
void signals_block(void);
void signals_unblock(void);

/* Tells the main thread. Any thread. */
void signals_tell(enum happening happening);

/* The next happening, waited for MILLISECONDS at most (-1: for ever). */
enum happening signals_wait(int milliseconds);

#endif
