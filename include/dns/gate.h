/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For callers that do wait: a waker that ends a wait.
 *
 *     gate_init(&gate);
 *     question = resolver_ask(resolver, name, DNS_A, gate_waker(&gate));
 *     while (dns_question_state(question) == DNS_PENDING && gate_wait(&gate, deadline))
 *         continue;
 *
 * Threads: one waits, any number wake.
 */
#ifndef DNS_GATE_H
#define DNS_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dns/resolver.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

void gate_init(struct gate *gate);

/* All questions with its waker must be dropped before. */
void gate_clear(struct gate *gate);

/* The waker that opens the gate. */
struct dns_waker gate_waker(struct gate *gate);

/* Waits until the gate was opened since the last wait, and closes it; false at DEADLINE (us of the
 * monotonic clock). */
bool gate_wait(struct gate *gate, int64_t deadline);

#endif
