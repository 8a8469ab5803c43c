/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Waiting on a condition variable.
 */
#include "base/waiting.h"

static void wake(void *data)
{
    struct waiting *waiting = data;
    g_mutex_lock(&waiting->lock);
    waiting->is_woken = true;
    g_cond_signal(&waiting->woken);
    g_mutex_unlock(&waiting->lock);
}

void waiting_init(struct waiting *waiting)
{
    *waiting = (struct waiting){.waker = {.wake = wake, .data = waiting}};
    g_mutex_init(&waiting->lock);
    g_cond_init(&waiting->woken);
}

void waiting_clear(struct waiting *waiting)
{
    g_mutex_clear(&waiting->lock);
    g_cond_clear(&waiting->woken);
}

/* For waiting_count. */
static gint asleep;

bool waiting_sleep(struct waiting *waiting, int64_t deadline)
{
    g_atomic_int_inc(&asleep);
    g_mutex_lock(&waiting->lock);
    while (!waiting->is_woken)
        if (!g_cond_wait_until(&waiting->woken, &waiting->lock, deadline))
            break;
    bool woken = waiting->is_woken;
    waiting->is_woken = false;
    g_mutex_unlock(&waiting->lock);
    g_atomic_int_add(&asleep, -1);
    return woken;
}

unsigned waiting_count(void)
{
    return (unsigned)g_atomic_int_get(&asleep);
}
