/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the read socket answers: how the daemon is, metrics, and bounded searches. Nothing here
 * changes anything. Lists and tables go by the names that may be shown.
 *
 *   status [--json]    as gatepostctl prints it
 *   metrics            Prometheus' text format
 *   about              for the page: what runs, since when
 *   overview           for the page: numbers, hours, lists, tables, the store; nothing personal
 *   near               keys that are near their limits
 *   decisions          the last of the history
 *   search WORD        what the history has of WORD, percent-encoded, with every fact
 *
 * The answers for the page are lines of fields with a tab between them, the first of which says
 * what the line is; in fields what would break a line is escaped as text_escape does.
 *
 * Threads: that of the read socket; searches in that of slow commands.
 */
#ifndef DAEMON_READ_COMMANDS_H
#define DAEMON_READ_COMMANDS_H

#include "control/control.h"
#include "service.h"

struct reader;

/* The data of the commands; SERVICE must outlive it. */
struct reader *reader_new(struct service *service);
void reader_free(struct reader *reader); /* accepts NULL */

extern const struct control_command read_commands[];

#endif
