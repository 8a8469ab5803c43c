/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The native engine as a whole: its loops, and who gets a connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge.h"
#include "listen.h"
#include "base/system.h"
#include "loop.h"

/* Connections taken at a time, so that those that are open have their turn. */
enum { ACCEPT_MOST = 16 };

/* A job of the pool that takes so long, us, is no work any more. */
#define JOB_TIME (30 * G_TIME_SPAN_SECOND)

static struct {
    struct loop_setup setup;
    unsigned threads;
    bool inet, passed; /* over TCP; the listener is the service manager's */
    gint draining;
    GMutex lock; /* of what follows; LOOPS stay what they are as long as one of them runs */
    GCond changed;
    struct loop **loops; /* NULL: none run */
    bool stopping, over;
} native = {.setup.listener = -1};

static bool bind_here(const struct mta_listen *listen, char **why_r)
{
    native.threads = listen->threads > 0 ? listen->threads : g_get_num_processors();
    native.inet = listen->address.kind != SOCKET_UNIX;
    native.setup.listener = listen->passed;
    native.passed = listen->passed >= 0;
    if (native.passed)
        (void)fcntl(listen->passed, F_SETFL, fcntl(listen->passed, F_GETFL) | O_NONBLOCK);
    else
        native.setup.listener = listen_open(listen, why_r);
    return native.setup.listener >= 0;
}

static struct loop *least_busy(void)
{
    struct loop *least = native.loops[0];
    for (unsigned i = 1; i < native.threads; i++)
        if (loop_connections(native.loops[i]) < loop_connections(least))
            least = native.loops[i];
    return least;
}

/* Lest the connection of a machine that has vanished is held for ever. */
static void keep_alive(int fd)
{
    int yes = 1;
    if (native.inet)
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static bool accept_some(void *data)
{
    (void)data;
    /* The manager's socket outlives us: who comes now waits for the next of us. */
    if (native.passed && g_atomic_int_get(&native.draining))
        return false;
    for (int i = 0; i < ACCEPT_MOST; i++) {
        int fd = system_accept(native.setup.listener);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (g_atomic_int_get(&native.draining))
            close(fd);
        else {
            keep_alive(fd);
            loop_add(least_busy(), fd, native.inet);
        }
    }
    return true;
}

static void free_loops(struct loop **loops)
{
    for (unsigned i = 0; i < native.threads; i++)
        loop_free(loops[i]);
    g_free(loops);
}

static void complain(struct engine *engine)
{
    if (errno == EAGAIN)
        engine_message(engine, ENGINE_WARNING,
                       "cannot serve the MTA: no thread can be begun: raise TasksMax= of the unit, "
                       "or how many processes the user may have (ulimit -u)");
    else
        engine_message(engine, ENGINE_WARNING, "cannot serve the MTA: %s", strerror(errno));
}

static struct loop **make_loops(struct engine *engine)
{
    struct loop **loops = g_new0(struct loop *, native.threads);
    for (unsigned i = 0; i < native.threads; i++) {
        loops[i] = loop_new(&native.setup);
        if (loops[i])
            continue;
        complain(engine);
        free_loops(loops);
        return NULL;
    }
    return loops;
}

/* Runs LOOPS until stopped; false if one cannot be begun. */
static bool run_loops(struct engine *engine, struct loop **loops)
{
    bool begun = true;
    g_mutex_lock(&native.lock);
    native.loops = loops;
    for (unsigned i = 0; begun && i < native.threads; i++)
        begun = loop_start(loops[i]);
    int reason = errno;
    while (begun && !native.stopping)
        g_cond_wait(&native.changed, &native.lock);
    g_mutex_unlock(&native.lock);
    for (unsigned i = 0; i < native.threads; i++)
        loop_stop(loops[i]);
    for (unsigned i = 0; i < native.threads; i++)
        loop_join(loops[i]);
    g_mutex_lock(&native.lock);
    native.loops = NULL; /* nobody counts any more */
    g_mutex_unlock(&native.lock);
    errno = reason;
    if (!begun)
        complain(engine);
    return begun;
}

static bool serve(struct engine *engine)
{
    native.setup.engine = engine;
    native.setup.accept = accept_some;
    native.setup.pool = pool_new(native.threads, loop_work);
    if (!native.setup.pool)
        complain(engine);
    struct loop **loops = native.setup.pool ? make_loops(engine) : NULL;
    bool served = loops && run_loops(engine, loops);
    pool_free(native.setup.pool);
    if (loops)
        free_loops(loops);
    g_mutex_lock(&native.lock);
    close(native.setup.listener);
    native.setup.listener = -1; /* its number may be another's from now on */
    native.over = true;
    g_cond_broadcast(&native.changed);
    g_mutex_unlock(&native.lock);
    return served;
}

static int get_listener(void)
{
    g_mutex_lock(&native.lock);
    int listener = native.setup.listener;
    g_mutex_unlock(&native.lock);
    return listener;
}

static bool move(int fd)
{
    g_mutex_lock(&native.lock);
    errno = EBADF;
    bool moved = native.setup.listener >= 0 && listen_replace(native.setup.listener, fd);
    for (unsigned i = 0; moved && native.loops && i < native.threads; i++)
        loop_listen_again(native.loops[i]);
    g_mutex_unlock(&native.lock);
    return moved;
}

static void drain(void)
{
    g_atomic_int_set(&native.draining, 1);
}

static void stop(void)
{
    g_mutex_lock(&native.lock);
    native.stopping = true;
    g_cond_broadcast(&native.changed);
    while (!native.over)
        g_cond_wait(&native.changed, &native.lock);
    g_mutex_unlock(&native.lock);
}

static void counts(struct mta_counts *counts_r)
{
    *counts_r = (struct mta_counts){0};
    g_mutex_lock(&native.lock);
    for (unsigned i = 0; native.loops && i < native.threads; i++)
        loop_add_counts(native.loops[i], counts_r);
    if (native.loops)
        counts_r->stuck = MAX(counts_r->stuck, pool_stuck(native.setup.pool) - JOB_TIME);
    g_mutex_unlock(&native.lock);
}

const struct edge edge_native = {
    .name = "native",
    .stops = true,
    .bind = bind_here,
    .listener = get_listener,
    .move = move,
    .serve = serve,
    .drain = drain,
    .stop = stop,
    .counts = counts,
};
