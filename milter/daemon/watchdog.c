/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The watchdog.
 */
#include "watchdog.h"

#include "mta/mta.h"
#include "notify.h"

/* A part that did not beat for so many intervals hangs; the manager waits for two. But tables are
 * looked at once a second, so that a shorter time than this, in microseconds, says nothing. */
#define PATIENCE       2
#define PATIENCE_LEAST (3 * G_TIME_SPAN_SECOND)

struct watchdog {
    int interval; /* milliseconds */
    struct log *log;
    struct mta_probe *probe;
    GThread *thread;
    GMutex lock; /* of what follows */
    GCond ended;
    gint end; /* atomic as well: probes read it */
    gint64 beats[WATCHDOG_PARTS];
    bool hangs[WATCHDOG_PARTS]; /* was told */
};

static const char *const names[WATCHDOG_PARTS] = {
    [WATCHDOG_MAIN] = "the thread that takes signals and reloads",
    [WATCHDOG_TABLES] = "the thread that reads changed tables and saves the state",
    [WATCHDOG_EDGE] = "the filter that serves the MTA",
};

void watchdog_beat(struct watchdog *watchdog, enum watchdog_part part)
{
    if (!watchdog)
        return;
    g_mutex_lock(&watchdog->lock);
    watchdog->beats[part] = g_get_monotonic_time();
    g_mutex_unlock(&watchdog->lock);
}

/* Says what is new of PART. */
static void tell(struct watchdog *watchdog, enum watchdog_part part, bool hangs, gint64 since)
{
    if (hangs == watchdog->hangs[part])
        return;
    watchdog->hangs[part] = hangs;
    if (hangs)
        log_warning(watchdog->log, "watchdog: %s hangs, for %d s now", names[part],
                    (int)(since / G_USEC_PER_SEC));
    else
        log_info(watchdog->log, "watchdog: %s lives again", names[part]);
}

static gint64 patience(const struct watchdog *watchdog)
{
    return MAX((gint64)watchdog->interval * PATIENCE * 1000, PATIENCE_LEAST);
}

/* A loop that answers hides none that stands still. */
static bool edge_lives(struct watchdog *watchdog)
{
    struct mta_counts counts;
    mta_get_counts(&counts);
    return counts.stuck <= patience(watchdog) &&
           mta_probe_look(watchdog->probe, watchdog->interval / 2, &watchdog->end) != MTA_SILENT;
}

static bool all_live(struct watchdog *watchdog)
{
    gint64 beats[WATCHDOG_PARTS], now = g_get_monotonic_time();
    gint64 most = patience(watchdog);
    bool live = true;
    g_mutex_lock(&watchdog->lock);
    for (size_t i = 0; i < WATCHDOG_PARTS; i++)
        beats[i] = watchdog->beats[i];
    g_mutex_unlock(&watchdog->lock);
    for (size_t i = 0; i < WATCHDOG_PARTS; i++) {
        bool hangs = now - beats[i] > most;
        tell(watchdog, (enum watchdog_part)i, hangs, now - beats[i]);
        live = live && !hangs;
    }
    return live;
}

/* Until it is over, or for an interval. */
static bool pause_goes_on(struct watchdog *watchdog, gint64 until)
{
    g_mutex_lock(&watchdog->lock);
    while (!watchdog->end && g_cond_wait_until(&watchdog->ended, &watchdog->lock, until))
        continue;
    bool goes_on = !watchdog->end;
    g_mutex_unlock(&watchdog->lock);
    return goes_on;
}

static void *look(void *data)
{
    struct watchdog *watchdog = data;
    gint64 next = g_get_monotonic_time();
    do {
        next += (gint64)watchdog->interval * 1000;
        if (edge_lives(watchdog))
            watchdog_beat(watchdog, WATCHDOG_EDGE);
        if (all_live(watchdog))
            notify_alive();
    } while (pause_goes_on(watchdog, next));
    return NULL;
}

struct watchdog *watchdog_new(const struct socket_address *where, struct log *log)
{
    int interval = notify_interval();
    if (interval < 0)
        return NULL;
    struct watchdog *watchdog = g_new0(struct watchdog, 1);
    watchdog->interval = interval;
    watchdog->log = log;
    watchdog->probe = mta_probe_new(where);
    g_mutex_init(&watchdog->lock);
    g_cond_init(&watchdog->ended);
    for (size_t i = 0; i < WATCHDOG_PARTS; i++)
        watchdog->beats[i] = g_get_monotonic_time();
    watchdog->thread = g_thread_new("watchdog", look, watchdog);
    return watchdog;
}

int watchdog_interval(const struct watchdog *watchdog)
{
    return watchdog ? watchdog->interval : -1;
}

void watchdog_end(struct watchdog *watchdog)
{
    if (!watchdog || !watchdog->thread)
        return;
    g_mutex_lock(&watchdog->lock);
    g_atomic_int_set(&watchdog->end, 1);
    g_cond_signal(&watchdog->ended);
    g_mutex_unlock(&watchdog->lock);
    g_thread_join(watchdog->thread);
    watchdog->thread = NULL;
}

void watchdog_free(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    watchdog_end(watchdog);
    mta_probe_free(watchdog->probe);
    g_mutex_clear(&watchdog->lock);
    g_cond_clear(&watchdog->ended);
    g_free(watchdog);
}
