/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The native engine as a whole: its loops, and who gets a connection. One loop more than was asked
 * for takes the connections, answers their offers and hands them over: it does nothing that takes
 * long, so that who is new has an answer at once, whatever keeps the others busy, and the kernel
 * prefers its thread to theirs.
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

/* Connections taken at a time, so that those that have been taken are answered. */
enum { ACCEPT_MOST = 256 };

/* Connections that one loop has before another has any, though it could do more: a burst comes
 * sooner than it is seen in what loops do, and they stay where they are, so that a message that is
 * judged on the loop itself delays all who share it. */
enum { TOGETHER = 16 };

/* A job of the pool that takes so long, us, is no work any more. */
#define JOB_TIME (30 * G_TIME_SPAN_SECOND)

static struct {
    struct loop_setup setup, greeting;
    unsigned threads;
    bool inet, passed; /* over TCP; the listener is the service manager's */
    gint draining;
    GMutex lock; /* of what follows; LOOPS stay what they are as long as one of them runs */
    GCond changed;
    struct loop **loops; /* the last one greets; NULL: none run */
    bool stopping, over;
} native = {.setup.listener = -1, .greeting.listener = -1};

static bool bind_here(const struct mta_listen *listen, char **why_r)
{
    native.threads = listen->threads > 0 ? listen->threads : g_get_num_processors();
    native.inet = listen->address.kind != SOCKET_UNIX;
    native.greeting.listener = listen->passed;
    native.passed = listen->passed >= 0;
    if (native.passed)
        (void)fcntl(listen->passed, F_SETFL, fcntl(listen->passed, F_GETFL) | O_NONBLOCK);
    else
        native.greeting.listener = listen_open(listen, why_r);
    return native.greeting.listener >= 0;
}

static unsigned loop_count(void)
{
    return native.threads + 1;
}

/* The first that has time and few connections has one more: to wake another costs more than a
 * packet. Else who has the fewest. */
static struct loop *find_loop(void *data)
{
    (void)data;
    struct loop *least = native.loops[0];
    for (unsigned i = 0; i < native.threads; i++)
        if (loop_connections(native.loops[i]) < TOGETHER && loop_has_time(native.loops[i]))
            return native.loops[i];
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
        int fd = system_accept(native.greeting.listener);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (g_atomic_int_get(&native.draining))
            close(fd);
        else {
            keep_alive(fd);
            loop_add(native.loops[native.threads], fd, native.inet);
        }
    }
    return true;
}

static void free_loops(struct loop **loops)
{
    for (unsigned i = 0; i < loop_count(); i++)
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
    struct loop **loops = g_new0(struct loop *, loop_count());
    for (unsigned i = 0; i < loop_count(); i++) {
        loops[i] = loop_new(i < native.threads ? &native.setup : &native.greeting);
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
    for (unsigned i = 0; begun && i < loop_count(); i++)
        begun = loop_start(loops[i]);
    int reason = errno;
    while (begun && !native.stopping)
        g_cond_wait(&native.changed, &native.lock);
    g_mutex_unlock(&native.lock);
    for (unsigned i = 0; i < loop_count(); i++)
        loop_stop(loops[i]);
    for (unsigned i = 0; i < loop_count(); i++)
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
    native.setup.engine = native.greeting.engine = engine;
    native.greeting.accept = accept_some;
    native.greeting.next = find_loop;
    native.setup.pool = native.greeting.pool = pool_new(native.threads, loop_work);
    if (!native.setup.pool)
        complain(engine);
    struct loop **loops = native.setup.pool ? make_loops(engine) : NULL;
    bool served = loops && run_loops(engine, loops);
    pool_free(native.setup.pool);
    if (loops)
        free_loops(loops);
    g_mutex_lock(&native.lock);
    close(native.greeting.listener);
    native.greeting.listener = -1; /* its number may be another's from now on */
    native.over = true;
    g_cond_broadcast(&native.changed);
    g_mutex_unlock(&native.lock);
    return served;
}

static int get_listener(void)
{
    g_mutex_lock(&native.lock);
    int listener = native.greeting.listener;
    g_mutex_unlock(&native.lock);
    return listener;
}

static bool move(int fd)
{
    g_mutex_lock(&native.lock);
    errno = EBADF;
    bool moved = native.greeting.listener >= 0 && listen_replace(native.greeting.listener, fd);
    if (moved && native.loops)
        loop_listen_again(native.loops[native.threads]);
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

/* The greeter's first: who is handed over meanwhile may count twice, but not for nobody. */
static void counts(struct mta_counts *counts_r)
{
    *counts_r = (struct mta_counts){0};
    g_mutex_lock(&native.lock);
    for (unsigned i = loop_count(); native.loops && i-- > 0;)
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
