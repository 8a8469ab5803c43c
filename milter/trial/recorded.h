/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A resolver that answers from a recorded row: what was asked then is answered as it was answered;
 * what was not asked never has an answer, so that whoever needs it waits.
 *
 * Threads: as the resolver; rows are changed between sessions.
 */
#ifndef TRIAL_RECORDED_H
#define TRIAL_RECORDED_H

#include "dns/resolver.h"
#include "history/history_row.h"

struct recorded;

struct recorded *recorded_new(void);
void recorded_free(struct recorded *recorded); /* after its resolver; accepts NULL */

/* Answers from ROW from now on, which it borrows. */
void recorded_set(struct recorded *recorded, const struct history_row *row);

/* The resolver; the caller frees it with resolver_free. */
struct resolver *recorded_resolver(struct recorded *recorded);

#endif
