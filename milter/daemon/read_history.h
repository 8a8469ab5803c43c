/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Searches in the history for who asks the read socket: bounded in rows and in time. A row is a
 * line "decision", and behind it, where all of it is wanted, lines "fact" of key and value.
 *
 * Threads: any; the read socket has one for what is slow.
 */
#ifndef DAEMON_READ_HISTORY_H
#define DAEMON_READ_HISTORY_H

#include "policy/snapshot.h"

/* The last decisions of the history in PATH (NULL: there is none), the newest first. Returns an
 * exit status; what there is to say instead is in OUT. */
int read_history_last(const char *path, GString *out);

/* All that it has of WORD (percent-encoded), oldest first, the latest rows if there are many, with
 * every fact. Lists go by the names that SNAPSHOT shows. */
int read_history_search(const char *path, const char *word, const struct snapshot *snapshot,
                        GString *out);

#endif
