/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals and other happenings for the main thread, through a pipe.
 *
 * libmilter has a thread that takes SIGTERM, SIGINT and SIGHUP by sigwait(3), and drops all
 * connections when it gets one; which thread gets a signal is the kernel's choice. So this program
 * has a sigwait of its own, which the linker prefers to the C library's, and which never returns.
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
