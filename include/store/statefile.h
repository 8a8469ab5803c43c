/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SQLite file of the state: one module owns the file, its mode and what is done when it is
 * broken; whoever keeps something in it is its client and brings a table of its own.
 *
 * The file is in WAL mode, one connection writes. A file that is no database any more is renamed
 * aside (FILE.broken-DATE), never deleted, and a new one begun; one that was removed or replaced
 * under our feet is opened anew. In both cases the generation changes: a client whose rows were
 * in the file before writes all of them again.
 *
 * Threads: locks itself; one transaction at a time.
 */
#ifndef STORE_STATEFILE_H
#define STORE_STATEFILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct state_file;

/* What the name of a file that was put aside has behind that of the file. */
#define STATE_FILE_ASIDE ".broken-"

/* PATH is looked at when it is used first. The caller frees it with state_file_free. */
struct state_file *state_file_new(const char *path);
void state_file_free(struct state_file *file); /* accepts NULL */

const char *state_file_path(const struct state_file *file);

/* Runs WORK in a transaction (a missing file is made, mode 0600, when WRITES; else it is the same
 * as an empty one and WORK is not run). WORK returns SQLITE_OK, or what SQLite said; then nothing
 * is changed. When the file is found broken, it is put aside and WORK runs once more. false with
 * *WHY_R (owned by the caller), which names the file. Waits for a file that another process has
 * locked, two seconds at most. Statements that WORK prepares and leaves, reset, serve the next time
 * (sqlite3_next_stmt); they go when the file is closed. */
typedef int state_file_work(sqlite3 *db, void *data);
bool state_file_run(struct state_file *file, bool writes, state_file_work *work, void *data,
                    char **why_r);

/* Which file it is; it changes when another one is begun. To be asked within WORK. */
uint64_t state_file_generation(const struct state_file *file);

/* Whether what was opened last still stands at the path; false when nothing is open. */
bool state_file_is_there(struct state_file *file);

/* Where the last broken file was put since this was called last; NULL: none. Owned by the caller.
 */
char *state_file_put_aside(struct state_file *file);

#endif
