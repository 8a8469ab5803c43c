/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of the status that tells of lookup tables: what is in force, how old it is, and what
 * keeps a newer file from taking its place.
 *
 * Threads: pure.
 */
#ifndef DAEMON_STATUS_TABLES_H
#define DAEMON_STATUS_TABLES_H

#include <glib.h>

/* A line for each of TABLES (of struct table_status *), seen at NOW (Unix time); nothing without
 * any. */
void status_tables_write_text(const GPtrArray *tables, gint64 now, GString *out);

/* The member "tables" of an object that is open. */
void status_tables_write_json(const GPtrArray *tables, gint64 now, GString *out);

#endif
