/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine: what sessions share.
 */
#include "policy/engine.h"

#include <string.h>

struct engine {
    GMutex lock;
    struct snapshot *snapshot;
    struct engine_hooks hooks;
    GHashTable *warned; /* keys of engine_warn_once */
    struct engine_counters counters;
};

struct engine *engine_new(struct snapshot *snapshot, const struct engine_hooks *hooks)
{
    struct engine *engine = g_new0(struct engine, 1);
    g_mutex_init(&engine->lock);
    engine->snapshot = snapshot;
    engine->hooks = *hooks;
    engine->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    snapshot_unref(engine->snapshot);
    g_hash_table_unref(engine->warned);
    g_mutex_clear(&engine->lock);
    g_free(engine);
}

void engine_publish(struct engine *engine, struct snapshot *snapshot)
{
    g_mutex_lock(&engine->lock);
    struct snapshot *old = engine->snapshot;
    engine->snapshot = snapshot;
    g_mutex_unlock(&engine->lock);
    snapshot_unref(old);
}

struct snapshot *engine_acquire(struct engine *engine)
{
    g_mutex_lock(&engine->lock);
    struct snapshot *snapshot = snapshot_ref(engine->snapshot);
    g_mutex_unlock(&engine->lock);
    return snapshot;
}

static void count(struct engine_counters *counters, const struct event *event)
{
    const char *action = event->action;
    bool refused = strcmp(action, "reject") == 0, deferred = strcmp(action, "tempfail") == 0;
    bool held = strcmp(action, "hold") == 0, accepted = strcmp(action, "accept") == 0;
    counters->refused += refused;
    counters->deferred += deferred;
    counters->held += held;
    counters->accepted += accepted;
    if (event->stage == STAGE_MESSAGE && (refused || deferred || held || accepted))
        counters->messages++;
}

void engine_event(struct engine *engine, const struct event *event)
{
    g_mutex_lock(&engine->lock);
    count(&engine->counters, event);
    g_mutex_unlock(&engine->lock);
    engine->hooks.event(engine->hooks.data, event);
}

G_GNUC_PRINTF(3, 0)
static void message(struct engine *engine, enum engine_level level, const char *format,
                    va_list args) G_GNUC_PRINTF(3, 0);
G_GNUC_PRINTF(3, 0)
static void message(struct engine *engine, enum engine_level level, const char *format,
                    va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    engine->hooks.message(engine->hooks.data, level, text);
}

void engine_message(struct engine *engine, enum engine_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message(engine, level, format, args);
    va_end(args);
}

void engine_warn_once(struct engine *engine, const char *key, const char *format, ...)
{
    g_mutex_lock(&engine->lock);
    bool news = !g_hash_table_contains(engine->warned, key) &&
                g_hash_table_size(engine->warned) < ENGINE_WARNINGS_MAX;
    if (news)
        g_hash_table_add(engine->warned, g_strdup(key));
    g_mutex_unlock(&engine->lock);
    if (!news)
        return;
    va_list args;
    va_start(args, format);
    message(engine, ENGINE_WARNING, format, args);
    va_end(args);
}

void engine_session_began(struct engine *engine)
{
    g_mutex_lock(&engine->lock);
    engine->counters.sessions++;
    engine->counters.open++;
    g_mutex_unlock(&engine->lock);
}

void engine_session_ended(struct engine *engine)
{
    g_mutex_lock(&engine->lock);
    engine->counters.open--;
    g_mutex_unlock(&engine->lock);
}

void engine_get_counters(struct engine *engine, struct engine_counters *counters_r)
{
    g_mutex_lock(&engine->lock);
    *counters_r = engine->counters;
    g_mutex_unlock(&engine->lock);
}
