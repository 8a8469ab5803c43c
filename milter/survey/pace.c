/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queue of targets, and when each host may be spoken to again.
 */
#include "pace.h"

#include "interrupt.h"

/* An MX host. */
struct host {
    bool busy;
    int64_t free_at; /* us of the monotonic clock */
};

struct pace {
    GMutex lock;
    GCond changed;
    int64_t pause;
    GHashTable *targets; /* by text of the address */
    GHashTable *hosts;   /* by name */
    GPtrArray *due;      /* of struct target, in the order in which they came */
    unsigned busy, visited;
    bool closed;
};

static void target_free(void *data)
{
    struct target *target = data;
    g_free(target->name);
    g_free(target->host);
    g_free(target->versions);
    visit_free(target->visit);
    g_free(target);
}

struct pace *pace_new(int64_t pause_us)
{
    struct pace *pace = g_new0(struct pace, 1);
    g_mutex_init(&pace->lock);
    g_cond_init(&pace->changed);
    pace->pause = pause_us;
    pace->targets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, target_free);
    pace->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pace->due = g_ptr_array_new();
    return pace;
}

void pace_free(struct pace *pace)
{
    g_ptr_array_unref(pace->due);
    g_hash_table_unref(pace->targets);
    g_hash_table_unref(pace->hosts);
    g_cond_clear(&pace->changed);
    g_mutex_clear(&pace->lock);
    g_free(pace);
}

static void make_due(struct pace *pace, struct target *target)
{
    g_ptr_array_add(pace->due, target);
    g_cond_broadcast(&pace->changed);
}

struct target *pace_add(struct pace *pace, const struct ipaddr *address, const char *host,
                        const char *name)
{
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(address, text);
    g_mutex_lock(&pace->lock);
    struct target *target = g_hash_table_lookup(pace->targets, text);
    if (!target) {
        target = g_new0(struct target, 1);
        *target = (struct target){*address, g_strdup(name), g_strdup(host), NULL, NULL};
        g_hash_table_insert(pace->targets, g_strdup(text), target);
        if (!g_hash_table_contains(pace->hosts, host))
            g_hash_table_insert(pace->hosts, g_strdup(host), g_new0(struct host, 1));
        make_due(pace, target);
    }
    g_mutex_unlock(&pace->lock);
    return target;
}

void pace_again(struct pace *pace, struct target *target)
{
    g_mutex_lock(&pace->lock);
    make_due(pace, target);
    g_mutex_unlock(&pace->lock);
}

void pace_close(struct pace *pace)
{
    g_mutex_lock(&pace->lock);
    pace->closed = true;
    g_cond_broadcast(&pace->changed);
    g_mutex_unlock(&pace->lock);
}

void pace_open(struct pace *pace)
{
    g_mutex_lock(&pace->lock);
    pace->closed = false;
    g_mutex_unlock(&pace->lock);
}

/* Takes the first whose host may be spoken to; else *WHEN_R, when one may. With the lock held. */
static struct target *take_ready(struct pace *pace, int64_t now, int64_t *when_r)
{
    *when_r = G_MAXINT64;
    for (guint i = 0; i < pace->due->len; i++) {
        struct target *target = pace->due->pdata[i];
        struct host *host = g_hash_table_lookup(pace->hosts, target->host);
        if (!host->busy && host->free_at <= now) {
            host->busy = true;
            pace->busy++;
            g_ptr_array_remove_index(pace->due, i);
            return target;
        }
        if (!host->busy)
            *when_r = MIN(*when_r, host->free_at);
    }
    return NULL;
}

struct target *pace_take(struct pace *pace)
{
    struct target *target = NULL;
    int64_t when;
    g_mutex_lock(&pace->lock);
    while (!interrupt_came() && !(target = take_ready(pace, g_get_monotonic_time(), &when))) {
        if (pace->closed && pace->due->len == 0 && pace->busy == 0)
            break;
        if (when == G_MAXINT64)
            g_cond_wait(&pace->changed, &pace->lock);
        else
            g_cond_wait_until(&pace->changed, &pace->lock, when);
    }
    g_mutex_unlock(&pace->lock);
    return target;
}

void pace_done(struct pace *pace, struct target *target)
{
    g_mutex_lock(&pace->lock);
    struct host *host = g_hash_table_lookup(pace->hosts, target->host);
    host->busy = false;
    host->free_at = g_get_monotonic_time() + pace->pause;
    pace->busy--;
    pace->visited++;
    g_cond_broadcast(&pace->changed);
    g_mutex_unlock(&pace->lock);
}

void pace_counts(struct pace *pace, unsigned *targets_r, unsigned *visited_r)
{
    g_mutex_lock(&pace->lock);
    *targets_r = g_hash_table_size(pace->targets);
    *visited_r = pace->visited;
    g_mutex_unlock(&pace->lock);
}
