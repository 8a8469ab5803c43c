/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The systemd journal, or its absence: journal_systemd.c or journal_none.c is built.
 *
 * Threads: any.
 */
#ifndef REPORT_JOURNAL_H
#define REPORT_JOURNAL_H

#include <glib.h>
#include <stdbool.h>

/* Whether this program was built with libsystemd. */
bool journal_is_built_in(void);

/* Whether there is a journal now that would take lines. */
bool journal_is_there(void);

/* Sends FIELDS, of char * "KEY=value". */
void journal_send(const GPtrArray *fields);

#endif
