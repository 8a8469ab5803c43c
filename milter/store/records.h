/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters and marks in this process's memory: the memory store, what SQLite writes behind, and
 * what a daemon knows while its server is away.
 *
 * Threads: locks itself, a lock for each of several parts.
 */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include "store/store.h"

struct records;

/* Most records; then the stalest of a few makes room. Some 400 bytes each at most times. */
#define RECORDS_MAX 500000

/* TRACKS: records_changes will be called. */
struct records *records_new(const struct store_clock *clock, unsigned records_max, bool tracks);
void records_free(struct records *records); /* accepts NULL */

int64_t records_now(const struct records *records);

/* Carries out REQUEST; fills all of ANSWER_R. */
void records_apply(struct records *records, const struct store_request *request,
                   struct store_answer *answer_r);

/* Makes the counter of REQUEST have USED: what a server told of it. */
void records_align(struct records *records, const struct store_request *request, uint64_t used);

/* Keys that begin with PREFIX, of char *. */
GPtrArray *records_keys(struct records *records, const char *prefix);

uint64_t records_count(struct records *records);
uint64_t records_forgotten(struct records *records);

/* For writing behind: calls VISIT for each record that changed since the last call that was
 * confirmed (ALL: for each), with its text form, or NULL for one that is gone. */
typedef void records_visitor(void *data, const char *key, const char *text, int64_t expires);
void records_changes(struct records *records, bool all, records_visitor *visit, void *data);

bool records_has_changes(struct records *records);

/* Whether there were more changes than records before they could be written: which of them are gone
 * is not known any more. Whoever writes them begins anew, and asks for ALL. */
bool records_lost_changes(struct records *records);

/* What records_changes gave last was written, or was not and comes again. */
void records_confirm(struct records *records, bool written);

/* A record from its text form; false if it is none. With one that is there already it counts
 * together: both were begun from nothing. One that was removed meanwhile does not come back. */
bool records_restore(struct records *records, const char *key, const char *text, int64_t expires);

/* Frees what expired. */
void records_purge(struct records *records);

#endif
