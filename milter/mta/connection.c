/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections: how many there are, and how one waits.
 */
#include "connection.h"

#include <stdarg.h>

/* A waiting session is asked again after so long even if nobody woke it. */
enum { WAIT_MICROSECONDS = G_USEC_PER_SEC };

static struct {
    GMutex lock;
    GCond changed; /* messages became 0 */
    struct engine *engine;
    bool allowed;
    unsigned count;
    unsigned messages;
} all;

void connections_open(struct engine *engine)
{
    g_mutex_lock(&all.lock);
    all.engine = engine;
    all.allowed = true;
    g_mutex_unlock(&all.lock);
}

void connections_close(void)
{
    g_mutex_lock(&all.lock);
    all.allowed = false;
    g_mutex_unlock(&all.lock);
}

unsigned connections_count(void)
{
    g_mutex_lock(&all.lock);
    unsigned count = all.count;
    g_mutex_unlock(&all.lock);
    return count;
}

unsigned connections_messages(void)
{
    g_mutex_lock(&all.lock);
    unsigned messages = all.messages;
    g_mutex_unlock(&all.lock);
    return messages;
}

bool connections_wait_for_messages(gint64 microseconds)
{
    gint64 end = g_get_monotonic_time() + microseconds;
    g_mutex_lock(&all.lock);
    while (all.messages > 0 && g_cond_wait_until(&all.changed, &all.lock, end))
        continue;
    bool none = all.messages == 0;
    g_mutex_unlock(&all.lock);
    return none;
}

static void wake(void *data)
{
    struct connection_state *connection = data;
    g_mutex_lock(&connection->lock);
    connection->woken = true;
    g_cond_signal(&connection->cond);
    g_mutex_unlock(&connection->lock);
}

struct connection_state *connection_new(void)
{
    g_mutex_lock(&all.lock);
    bool allowed = all.allowed;
    all.count += allowed;
    g_mutex_unlock(&all.lock);
    if (!allowed)
        return NULL;
    struct connection_state *connection = g_new0(struct connection_state, 1);
    g_mutex_init(&connection->lock);
    g_cond_init(&connection->cond);
    struct session_waker waker = {.wake = wake, .data = connection};
    connection->session = session_new(all.engine, &waker);
    return connection;
}

void connection_free(struct connection_state *connection)
{
    if (!connection)
        return;
    connection_end_message(connection);
    session_free(connection->session);
    g_mutex_clear(&connection->lock);
    g_cond_clear(&connection->cond);
    g_free(connection);
    g_mutex_lock(&all.lock);
    all.count--;
    g_mutex_unlock(&all.lock);
}

void connection_begin_message(struct connection_state *connection)
{
    if (connection->in_message)
        return;
    connection->in_message = true;
    g_mutex_lock(&all.lock);
    all.messages++;
    g_mutex_unlock(&all.lock);
}

void connection_end_message(struct connection_state *connection)
{
    if (!connection->in_message)
        return;
    connection->in_message = false;
    g_mutex_lock(&all.lock);
    if (--all.messages == 0)
        g_cond_broadcast(&all.changed);
    g_mutex_unlock(&all.lock);
}

static void wait_for_wake(struct connection_state *connection)
{
    gint64 end = g_get_monotonic_time() + WAIT_MICROSECONDS;
    g_mutex_lock(&connection->lock);
    while (!connection->woken && g_cond_wait_until(&connection->cond, &connection->lock, end))
        continue;
    connection->woken = false;
    g_mutex_unlock(&connection->lock);
}

void connection_settle(struct connection_state *connection, enum session_step step)
{
    while (step == SESSION_WAIT) {
        wait_for_wake(connection);
        step = session_resume(connection->session);
    }
}

void connection_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    engine_message(all.engine, ENGINE_WARNING, "%s", text);
}
