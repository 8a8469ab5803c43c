/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS lists and tables by the names that others than the administrator may see: a list's name can
 * be the key to a paid service, and an inline: table stands in its own name with all that it holds.
 *
 * Threads: pure; the snapshot's tables are asked.
 */
#ifndef DAEMON_SHOWN_H
#define DAEMON_SHOWN_H

#include "policy/engine.h"

/* The lists that the policies of SNAPSHOT ask, whether or not they were asked yet, by the name that
 * dnsbl_reply_map shows, each name once: an array of struct dnsbl_list_status that frees its
 * elements. STATUS: of all lists that were ever asked. */
GPtrArray *shown_lists(const struct snapshot *snapshot, const GPtrArray *status);

/* The tables of SNAPSHOT, by their file or else by parameter and position
 * ("client_restrictions:2"): an array of struct table_status that frees its elements. */
GPtrArray *shown_tables(const struct snapshot *snapshot);

#endif
