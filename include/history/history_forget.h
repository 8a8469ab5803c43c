/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is taken out of the history before its time.
 *
 * Threads: any, beside a daemon that writes.
 */
#ifndef HISTORY_HISTORY_FORGET_H
#define HISTORY_HISTORY_FORGET_H

#include "history/history_person.h"

struct history_forgotten {
    uint64_t rows;       /* decisions that are deleted */
    uint64_t extensions; /* of these: those that name extensions of the address alone */
};

/* Takes a person out of the history in the file PATH for good: every decision that names it, as
 * sender, recipient, login, in a reply or in a header that was kept, is deleted, and what it took
 * is overwritten. What the daemon has not written yet stays: history_writer_flush comes before.
 * false with *WHY_R (owned by the caller). */
bool history_forget(const char *path, const struct history_person *person,
                    struct history_forgotten *forgotten_r, char **why_r);

/* Removes what was put aside of the history in PATH because it was broken, and was last written
 * before OLDEST (us since 1970; G_MAXINT64: whenever): nobody can say what it holds. Names of the
 * files that are removed; the caller frees them. */
GPtrArray *history_remove_aside(const char *path, int64_t oldest);

#endif
