/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the service manager is told: notify_systemd.c or notify_none.c is built.
 *
 * Threads: any.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <glib.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);

/* How often notify_alive is wanted, in milliseconds; -1: never. */
int notify_interval(void);

#endif
