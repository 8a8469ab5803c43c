/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the service manager is told, by the protocol of sd_notify(3): datagrams to the socket that
 * the environment's NOTIFY_SOCKET names; without one nobody is told. They are sent from a
 * descriptor of our own, opened early: a daemon that is out of descriptors still says that it
 * lives. A manager that does not read is waited for by a second at most; then the notice is lost.
 *
 * Threads: notify_open before there are any; the rest any.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <glib.h>

void notify_open(void);

/* FORMAT says, in a line, how we are, for who asks the manager (systemctl status). */
void notify_ready(const char *format, ...) G_GNUC_PRINTF(1, 2);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);

/* How often notify_alive is wanted, in milliseconds: half of what WATCHDOG_USEC says, if
 * WATCHDOG_PID means this process; -1: never. */
int notify_interval(void);

#endif
