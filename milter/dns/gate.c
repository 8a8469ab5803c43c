/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Waiting for wakers.
 */
#include "dns/gate.h"

#include <errno.h>
#include <time.h>

void gate_init(struct gate *gate)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->opened, &attributes);
    pthread_condattr_destroy(&attributes);
    gate->open = false;
}

void gate_clear(struct gate *gate)
{
    pthread_cond_destroy(&gate->opened);
    pthread_mutex_destroy(&gate->lock);
}

static void open_gate(void *data)
{
    struct gate *gate = data;
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_signal(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

struct dns_waker gate_waker(struct gate *gate)
{
    return (struct dns_waker){open_gate, gate};
}

bool gate_wait(struct gate *gate, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000000, .tv_nsec = deadline % 1000000 * 1000};
    int error = 0;
    pthread_mutex_lock(&gate->lock);
    while (!gate->open && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&gate->opened, &gate->lock, &until);
    bool opened = gate->open;
    gate->open = false;
    pthread_mutex_unlock(&gate->lock);
    return opened;
}
