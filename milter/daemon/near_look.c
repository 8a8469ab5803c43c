/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that looks for keys near their limits.
 */
#include "near_look.h"

#include "checks/limit.h"
#include "limits_control.h"

/* How long what was found counts: a server is asked once a minute, or again soon where not all was
 * found. And how long who wants to know waits for what is newer. */
enum { FRESH_SECONDS = 10, FRESH_SECONDS_SERVER = 60, PATIENCE_MS = 500 };

struct near_look {
    struct service *service;
    GMutex lock; /* of what follows */
    GCond changed;
    GThread *thread; /* NULL: nobody has asked yet */
    bool wanted;
    gint stop; /* atomic */
    struct limits_near *found;
    gint64 until; /* monotonic: it counts for so long; 0: nobody has looked */
};

/* LOCK is held, but not meanwhile. */
static void look_once(struct near_look *look)
{
    g_mutex_unlock(&look->lock);
    struct snapshot *snapshot = engine_acquire(service_engine(look->service));
    const struct limits_control control = {.store = service_store(look->service),
                                           .snapshot = snapshot,
                                           .log = service_log(look->service),
                                           .stop = &look->stop};
    unsigned percent = snapshot_main_policy(snapshot)->site.limits->warn_percent;
    struct limits_near *found = limits_control_near(&control, percent ? percent / 100.0 : 1);
    bool server = store_is_shared(control.store);
    snapshot_unref(snapshot);
    g_mutex_lock(&look->lock);
    limits_near_unref(look->found);
    look->found = found;
    look->until =
        g_get_monotonic_time() +
        (server && found->complete ? FRESH_SECONDS_SERVER : FRESH_SECONDS) * G_USEC_PER_SEC;
}

static void *run(void *data)
{
    struct near_look *look = data;
    g_mutex_lock(&look->lock);
    while (!g_atomic_int_get(&look->stop)) {
        if (look->wanted) {
            look_once(look);
            look->wanted = false;
            g_cond_broadcast(&look->changed);
        } else {
            g_cond_wait(&look->changed, &look->lock);
        }
    }
    g_mutex_unlock(&look->lock);
    return NULL;
}

struct near_look *near_look_new(struct service *service)
{
    struct near_look *look = g_new0(struct near_look, 1);
    look->service = service;
    g_mutex_init(&look->lock);
    g_cond_init(&look->changed);
    look->found = limits_near_new();
    return look;
}

void near_look_free(struct near_look *look)
{
    if (!look)
        return;
    g_mutex_lock(&look->lock);
    g_atomic_int_set(&look->stop, 1);
    g_cond_broadcast(&look->changed);
    g_mutex_unlock(&look->lock);
    if (look->thread)
        g_thread_join(look->thread);
    limits_near_unref(look->found);
    g_mutex_clear(&look->lock);
    g_cond_clear(&look->changed);
    g_free(look);
}

struct limits_near *near_look_now(struct near_look *look)
{
    gint64 now = g_get_monotonic_time(), end = now + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
    g_mutex_lock(&look->lock);
    if (!look->thread) /* g_thread_new would end the daemon where none can be begun */
        look->thread = g_thread_try_new("near", run, look, NULL);
    bool waits = !look->wanted; /* who comes while a look goes on takes what there is */
    if (look->thread && look->until <= now && !look->wanted) {
        look->wanted = true;
        g_cond_broadcast(&look->changed);
    }
    while (waits && look->wanted && g_cond_wait_until(&look->changed, &look->lock, end))
        continue;
    struct limits_near *found = limits_near_ref(look->found);
    g_mutex_unlock(&look->lock);
    return found;
}
