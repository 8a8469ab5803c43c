/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For callers that have a thread of their own and nothing else to do meanwhile: a waker that ends a
 * sleep. An event loop has wakers of its own instead.
 *
 *     waiting_init(&waiting);
 *     question = resolver_ask(resolver, name, DNS_A, waiting.waker);
 *     while (dns_question_state(question) == DNS_PENDING && waiting_sleep(&waiting, deadline))
 *         continue;
 *
 * Threads: one waits, any number wake.
 */
#ifndef BASE_WAITING_H
#define BASE_WAITING_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/waker.h"

struct waiting {
    struct waker waker; /* ends the sleep */
    GMutex lock;
    GCond woken;
    bool is_woken;
};

void waiting_init(struct waiting *waiting);

/* Nobody may hold its waker any more. */
void waiting_clear(struct waiting *waiting);

/* Sleeps until woken since the last sleep; false at DEADLINE (us of the monotonic clock). */
bool waiting_sleep(struct waiting *waiting, int64_t deadline);

/* How many threads of this process are asleep in waiting_sleep now. */
unsigned waiting_count(void);

#endif
