/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Waiting on a condition variable.
 */
#include "policy/waiting.h"

/* A session that waits without a deadline is asked again after this at the latest, us. */
#define LONGEST_SLEEP (10 * G_TIME_SPAN_SECOND)

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

static void sleep_until_woken(struct waiting *waiting, gint64 deadline)
{
    g_atomic_int_inc(&asleep);
    g_mutex_lock(&waiting->lock);
    while (!waiting->is_woken)
        if (!g_cond_wait_until(&waiting->woken, &waiting->lock, deadline))
            break;
    waiting->is_woken = false;
    g_mutex_unlock(&waiting->lock);
    g_atomic_int_add(&asleep, -1);
}

unsigned waiting_count(void)
{
    return (unsigned)g_atomic_int_get(&asleep);
}

void waiting_settle(struct waiting *waiting, struct session *session, enum session_step step)
{
    while (step == SESSION_WAIT) {
        gint64 latest = g_get_monotonic_time() + LONGEST_SLEEP;
        gint64 deadline = session_deadline(session);
        sleep_until_woken(waiting, deadline ? MIN(deadline, latest) : latest);
        step = session_resume(session);
    }
}
