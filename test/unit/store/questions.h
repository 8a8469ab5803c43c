/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every store must answer, wherever it keeps what it knows.
 */
#ifndef TEST_STORE_QUESTIONS_H
#define TEST_STORE_QUESTIONS_H

#include <glib.h>

#include "store/store.h"

#define DAY  (86400LL * 1000)
#define HOUR (3600LL * 1000)

/* One question about a counter of a day's length. */
struct store_answer ask(struct store *store, enum store_action action, const char *key, uint64_t n,
                        uint64_t max);

/* Of a store without counters; NOW is its time. Leaves l:b. */
void check_counters(struct store *store, int64_t now);

/* Leaves l:n. */
void check_networks(struct store *store);

/* NOW is the store's time. Leaves l:d. */
void check_calendar(struct store *store, int64_t now);

/* MINUTE: how many ms stand for one; PASS lets so many of them pass. Leaves k:x. */
void check_marks(struct store *store, int64_t minute, void (*pass)(int64_t ms));

#endif
