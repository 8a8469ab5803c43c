/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tells the service manager that the daemon lives, as long as each of its parts does: a thread of
 * its own asks the filter what an MTA would ask, and wants a beat of the other parts. Whoever hangs
 * is not told of, and the manager restarts the daemon. Load is no reason: what is slow, waits for
 * DNS or is out of descriptors lives.
 *
 * Threads: watchdog_beat from any, the rest from one.
 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include "mta/probe.h"
#include "report/log.h"

enum watchdog_part {
    WATCHDOG_MAIN,   /* takes signals, reloads */
    WATCHDOG_TABLES, /* reads changed tables, saves the state */
    WATCHDOG_EDGE,   /* serves the MTA; asked, not to be told of */
    WATCHDOG_PARTS,
};

struct watchdog;

/* NULL if the service manager has no watchdog. WHERE the filter listens; LOG must outlive it. */
struct watchdog *watchdog_new(const struct socket_address *where, struct log *log);

/* How often a part must beat, in milliseconds; -1, for ever, for NULL. */
int watchdog_interval(const struct watchdog *watchdog);

/* PART is alive. Accepts NULL. */
void watchdog_beat(struct watchdog *watchdog, enum watchdog_part part);

/* Looks no more; parts may go on to beat. Accepts NULL. */
void watchdog_end(struct watchdog *watchdog);

/* No part may beat any more. Accepts NULL. */
void watchdog_free(struct watchdog *watchdog);

#endif
