/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections: how many there are, and how one waits.
 */
#include "connection.h"

#include <stdarg.h>

static struct {
    GMutex lock;
    struct engine *engine;
    bool allowed;
    unsigned count;
    unsigned messages;
} all;

static gint progress;

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

void connections_count(struct mta_counts *counts_r)
{
    g_mutex_lock(&all.lock);
    *counts_r = (struct mta_counts){.connections = all.count, .messages = all.messages};
    g_mutex_unlock(&all.lock);
    counts_r->progress = (guint)g_atomic_int_get(&progress);
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
    waiting_init(&connection->waiting);
    connection->session = session_new(all.engine, &connection->waiting.waker);
    return connection;
}

void connection_free(struct connection_state *connection)
{
    if (!connection)
        return;
    connection_end_message(connection);
    session_free(connection->session);
    waiting_clear(&connection->waiting);
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
    all.messages--;
    g_mutex_unlock(&all.lock);
}

void connection_settle(struct connection_state *connection, enum session_step step)
{
    session_settle(connection->session, step, &connection->waiting);
    g_atomic_int_inc(&progress);
}

void connection_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    engine_message(all.engine, ENGINE_WARNING, "%s", text);
}
