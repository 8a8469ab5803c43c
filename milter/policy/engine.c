/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine: what sessions share.
 */
#include "policy/engine.h"

#include <string.h>

#include "checks/limit.h"

struct engine {
    GMutex lock;
    struct snapshot *snapshot;
    GPtrArray *older;   /* snapshots that sessions may hold still */
    GArray *listeners;  /* of struct engine_listener; as it is once there are sessions */
    GHashTable *warned; /* keys of engine_warn_once */
    struct engine_counters counters;
    gint64 last_session; /* the time that the last one was named after, us */
    struct dnsbl_state *dnsbl_state;
    struct engine_dns *dns;
    struct bounce_memory *bounce_memory;
    struct committer committer; /* all NULL: none */
    struct store *store;
    struct committer *limits;   /* over the store */
    struct check_oracle oracle; /* all NULL: none */
};

void engine_set_bounce_memory(struct engine *engine, struct bounce_memory *memory)
{
    engine->bounce_memory = memory;
}

struct bounce_memory *engine_bounce_memory(const struct engine *engine)
{
    return engine->bounce_memory;
}

void engine_set_store(struct engine *engine, struct store *store, const unsigned char *secret)
{
    engine->store = store;
    engine->limits = limit_committer_new(store, secret);
    engine_set_committer(engine, engine->limits);
}

struct store *engine_store(const struct engine *engine)
{
    return engine->store;
}

void engine_set_committer(struct engine *engine, const struct committer *committer)
{
    engine->committer = *committer;
}

void engine_set_oracle(struct engine *engine, const struct check_oracle *oracle)
{
    engine->oracle = *oracle;
}

const struct check_oracle *engine_oracle(const struct engine *engine)
{
    return engine->oracle.say ? &engine->oracle : NULL;
}

const struct committer *engine_committer(const struct engine *engine)
{
    return engine->committer.begin ? &engine->committer : NULL;
}

static void on_list_event(void *data, const struct dnsbl_event *event)
{
    struct engine *engine = data;
    bool well = event->health == DNSBL_IN_USE && event->reason == DNSBL_FINE;
    engine_message(engine, well ? ENGINE_INFO : ENGINE_WARNING, "%s", event->text);
}

void engine_dns_unref(struct engine_dns *dns)
{
    if (!dns || !g_atomic_ref_count_dec(&dns->references))
        return;
    resolver_free(dns->resolver);
    g_free(dns->servers);
    g_free(dns->system);
    g_free(dns);
}

static void on_silence(void *data, bool answers, const char *text)
{
    engine_message(data, answers ? ENGINE_INFO : ENGINE_WARNING, "%s", text);
}

static struct engine_dns *start_dns(struct engine *engine, const struct setting_value *servers)
{
    struct problems *problems = problems_new();
    g_autofree char *system = *servers->text ? NULL : resolver_system_servers();
    struct resolver *resolver =
        resolver_new(servers->text, NULL, problems, servers->file, servers->line);
    for (unsigned i = 0; problems_get(problems, i); i++)
        engine_message(engine, ENGINE_WARNING, "%s", problems_get(problems, i)->text);
    problems_free(problems);
    if (!resolver)
        return NULL;
    struct engine_dns *dns = g_new0(struct engine_dns, 1);
    g_atomic_ref_count_init(&dns->references);
    struct resolver_listener listener = {on_silence, engine};
    resolver_set_listener(resolver, &listener);
    dns->servers = g_strdup(servers->text);
    dns->system = g_steal_pointer(&system);
    dns->resolver = resolver;
    dns->state = engine->dnsbl_state;
    return dns;
}

void engine_set_resolver(struct engine *engine, struct resolver *resolver)
{
    struct engine_dns *dns = g_new0(struct engine_dns, 1);
    g_atomic_ref_count_init(&dns->references);
    dns->servers = g_strdup("");
    dns->resolver = resolver;
    dns->state = engine->dnsbl_state;
    engine_dns_unref(engine->dns);
    engine->dns = dns;
}

/* Whether resolv.conf names other servers than DNS was started with. While it names none, because
 * it is being written, those stay. */
static bool is_outdated(const struct engine_dns *dns)
{
    g_autofree char *system = *dns->servers ? NULL : resolver_system_servers();
    return system && g_strcmp0(system, dns->system) != 0;
}

/* The resolver that SNAPSHOT needs: the one there is, or another if the servers have changed. Only
 * one thread publishes. */
static struct engine_dns *dns_for(struct engine *engine, const struct snapshot *snapshot)
{
    if (!snapshot_get_needs(snapshot)->dns)
        return NULL;
    const struct setting_value *servers =
        settings_get(snapshot_settings(snapshot), NULL, SETTING_DNS_SERVERS);
    if (engine->dns && strcmp(engine->dns->servers, servers->text) == 0 &&
        !is_outdated(engine->dns)) {
        g_atomic_ref_count_inc(&engine->dns->references);
        return engine->dns;
    }
    return start_dns(engine, servers);
}

void engine_add_listener(struct engine *engine, const struct engine_listener *listener)
{
    g_array_append_val(engine->listeners, *listener);
}

struct engine *engine_new(struct snapshot *snapshot, const struct engine_listener *listener)
{
    struct engine *engine = g_new0(struct engine, 1);
    g_mutex_init(&engine->lock);
    engine->snapshot = snapshot;
    engine->older = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_unref);
    engine->listeners = g_array_new(FALSE, FALSE, sizeof(struct engine_listener));
    engine_add_listener(engine, listener);
    engine->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    engine->dnsbl_state = dnsbl_state_new(on_list_event, engine);
    engine->dns = dns_for(engine, snapshot);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    snapshot_unref(engine->snapshot);
    g_ptr_array_unref(engine->older);
    engine_dns_unref(engine->dns);
    dnsbl_state_free(engine->dnsbl_state);
    g_array_unref(engine->listeners);
    g_hash_table_unref(engine->warned);
    g_mutex_clear(&engine->lock);
    limit_committer_free(engine->limits);
    g_free(engine);
}

/* The older snapshots that sessions hold, with references of the caller's own; the others are
 * forgotten. A session takes none of these any more, so that the last reference stays the last. */
static GPtrArray *held_snapshots(struct engine *engine)
{
    g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_unref);
    GPtrArray *held = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_unref);
    g_mutex_lock(&engine->lock);
    for (guint i = engine->older->len; i-- > 0;) {
        struct snapshot *snapshot = engine->older->pdata[i];
        if (snapshot_is_last(snapshot))
            g_ptr_array_add(done, g_ptr_array_steal_index_fast(engine->older, i));
        else
            g_ptr_array_add(held, snapshot_ref(snapshot));
    }
    g_mutex_unlock(&engine->lock);
    return held;
}

void engine_publish(struct engine *engine, struct snapshot *snapshot)
{
    struct engine_dns *dns = dns_for(engine, snapshot);
    g_mutex_lock(&engine->lock);
    g_ptr_array_add(engine->older, engine->snapshot);
    struct engine_dns *old_dns = engine->dns;
    engine->snapshot = snapshot;
    engine->dns = dns;
    g_mutex_unlock(&engine->lock);
    dnsbl_state_retry(engine->dnsbl_state);
    g_ptr_array_unref(held_snapshots(engine));
    engine_dns_unref(old_dns);
}

bool engine_refresh_dns(struct engine *engine)
{
    if (!engine->dns || !is_outdated(engine->dns))
        return false;
    struct snapshot *now = engine_acquire(engine);
    struct engine_dns *dns =
        start_dns(engine, settings_get(snapshot_settings(now), NULL, SETTING_DNS_SERVERS));
    snapshot_unref(now);
    if (!dns)
        return false;
    g_mutex_lock(&engine->lock);
    struct engine_dns *old_dns = engine->dns;
    engine->dns = dns;
    g_mutex_unlock(&engine->lock);
    dnsbl_state_retry(engine->dnsbl_state);
    engine_dns_unref(old_dns);
    return true;
}

/* What was said of a table that policies share is not said again. */
unsigned engine_refresh_tables(struct engine *engine, struct problems *problems)
{
    struct snapshot *now = engine_acquire(engine);
    unsigned renewed = snapshot_refresh_tables(now, problems);
    snapshot_unref(now);
    g_autoptr(GPtrArray) held = held_snapshots(engine);
    for (guint i = 0; i < held->len; i++)
        snapshot_refresh_tables(held->pdata[i], problems);
    return renewed;
}

struct engine_dns *engine_dns_acquire(struct engine *engine)
{
    g_mutex_lock(&engine->lock);
    struct engine_dns *dns = engine->dns;
    if (dns)
        g_atomic_ref_count_inc(&dns->references);
    g_mutex_unlock(&engine->lock);
    return dns;
}

void engine_dns_status(struct engine *engine, struct engine_dns_status *status_r)
{
    struct engine_dns *dns = engine_dns_acquire(engine);
    *status_r = (struct engine_dns_status){.lists = dnsbl_state_status(engine->dnsbl_state)};
    if (dns)
        resolver_counts(dns->resolver, &status_r->counts);
    engine_dns_unref(dns);
}

void engine_dns_status_clear(struct engine_dns_status *status)
{
    g_clear_pointer(&status->lists, g_ptr_array_unref);
}

struct snapshot *engine_acquire(struct engine *engine)
{
    g_mutex_lock(&engine->lock);
    struct snapshot *snapshot = snapshot_ref(engine->snapshot);
    g_mutex_unlock(&engine->lock);
    return snapshot;
}

void engine_event(struct engine *engine, const struct event *event)
{
    g_mutex_lock(&engine->lock);
    bool end = event->stage == STAGE_MESSAGE && !action_is_note(event->action);
    *(event->monitor ? &engine->counters.would_refuse : &engine->counters.refused) +=
        event->action == ACTION_REJECT;
    *(event->monitor ? &engine->counters.would_defer : &engine->counters.deferred) +=
        event->action == ACTION_TEMPFAIL;
    *(event->monitor ? &engine->counters.would_hold : &engine->counters.held) +=
        event->action == ACTION_HOLD;
    engine->counters.accepted += end && (event->monitor || event->action == ACTION_ACCEPT);
    engine->counters.messages += end;
    g_mutex_unlock(&engine->lock);
    for (guint i = 0; i < engine->listeners->len; i++) {
        const struct engine_listener *listener =
            &g_array_index(engine->listeners, struct engine_listener, i);
        if (listener->event)
            listener->event(listener->data, event);
    }
}

void engine_connection(struct engine *engine, const struct policy *policy,
                       const struct facts *facts)
{
    for (guint i = 0; i < engine->listeners->len; i++) {
        const struct engine_listener *listener =
            &g_array_index(engine->listeners, struct engine_listener, i);
        if (listener->connection)
            listener->connection(listener->data, policy, facts);
    }
}

G_GNUC_PRINTF(3, 0)
static void message(struct engine *engine, enum engine_level level, const char *format,
                    va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    for (guint i = 0; i < engine->listeners->len; i++) {
        const struct engine_listener *listener =
            &g_array_index(engine->listeners, struct engine_listener, i);
        if (listener->message)
            listener->message(listener->data, level, text);
    }
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

void engine_session_began(struct engine *engine, char *id_r)
{
    static const char digits[] = "0123456789bcdfghjklmnpqrstvwxyz"; /* no vowels: no words */
    enum { BASE = sizeof(digits) - 1, WIDTH = 11 }; /* BASE^WIDTH microseconds: 800 years */
    g_mutex_lock(&engine->lock);
    engine->counters.sessions++;
    engine->counters.open++;
    engine->last_session = MAX(engine->last_session + 1, g_get_real_time());
    gint64 rest = engine->last_session;
    g_mutex_unlock(&engine->lock);
    id_r[WIDTH] = '\0';
    for (int i = WIDTH - 1; i >= 0; i--, rest /= BASE)
        id_r[i] = digits[rest % BASE];
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
