/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing lines, some at a time. To be woken for each costs more than to write it: where lines come
 * fast, they gather for a moment.
 */
#include "log_thread.h"

/* Lines that come sooner than OFTEN, us, after those before them may wait for GATHER. */
enum { OFTEN = 5000, GATHER = 1000 };

struct log_thread {
    const struct log_thread_class *class;
    void *data;
    GThread *thread;
    GMutex lock; /* of what follows; never held while a line is written */
    GCond changed;
    struct log_queue *queue;
    gint64 writing; /* what is being written now was begun; 0: nothing is */
    bool asleep;    /* until it is told of a line */
    bool stop;      /* as soon as there is nothing left */
    bool ended;
};

/* Writes LINES, one call after the other: each counts as begun when it is, so that many that are a
 * bit slow are not taken for one that stands still. Locked; not while it writes. */
static void write_lines(struct log_thread *thread, struct log_line **lines, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        thread->writing = g_get_monotonic_time();
        g_mutex_unlock(&thread->lock);
        unsigned written = thread->class->write(lines + done, count - done);
        for (unsigned i = 0; i < written; i++)
            log_line_free(lines[done + i]);
        g_mutex_lock(&thread->lock);
        done += written;
    }
    thread->writing = 0;
}

/* What is to be written next; 0: nothing. */
static unsigned next_lines(struct log_thread *thread, struct log_line **lines_r)
{
    struct log_losses losses;
    unsigned count = 0;
    if (log_queue_take_losses(thread->queue, &losses))
        lines_r[count++] = thread->class->tell(thread->data, &losses);
    while (count < LOG_THREAD_LINES && (lines_r[count] = log_queue_take(thread->queue)))
        count++;
    return count;
}

static void *run(void *data)
{
    struct log_thread *thread = data;
    gint64 last = 0; /* it was woken */
    g_mutex_lock(&thread->lock);
    for (;;) {
        struct log_line *lines[LOG_THREAD_LINES];
        unsigned count = next_lines(thread, lines);
        if (count > 0) {
            write_lines(thread, lines, count);
        } else if (!thread->stop) {
            /* Waits for a line, and a moment longer if the last ones came at LAST, a short time
             * ago. */
            thread->asleep = true;
            g_cond_wait(&thread->changed, &thread->lock);
            thread->asleep = false; /* woken for another reason */
            gint64 now = g_get_monotonic_time();
            while (!thread->stop && now - last < OFTEN &&
                   g_cond_wait_until(&thread->changed, &thread->lock, now + GATHER))
                continue;
            last = now;
        } else {
            break;
        }
    }
    thread->ended = true;
    g_cond_broadcast(&thread->changed);
    g_mutex_unlock(&thread->lock);
    return NULL;
}

struct log_thread *log_thread_new(const struct log_thread_class *class, void *data, size_t most)
{
    struct log_thread *thread = g_new0(struct log_thread, 1);
    thread->class = class;
    thread->data = data;
    thread->queue = log_queue_new(most);
    g_mutex_init(&thread->lock);
    g_cond_init(&thread->changed);
    thread->thread = g_thread_new("log", run, thread);
    return thread;
}

bool log_thread_put(struct log_thread *thread, struct log_line *line)
{
    g_mutex_lock(&thread->lock);
    bool takes = !thread->ended;
    if (takes) {
        log_queue_put(thread->queue, line);
        if (thread->asleep)
            g_cond_signal(&thread->changed);
        thread->asleep = false;
    }
    g_mutex_unlock(&thread->lock);
    return takes;
}

bool log_thread_stop(struct log_thread *thread, gint64 microseconds)
{
    gint64 end = g_get_monotonic_time() + microseconds;
    g_mutex_lock(&thread->lock);
    thread->stop = true;
    g_cond_broadcast(&thread->changed);
    while (!thread->ended && g_cond_wait_until(&thread->changed, &thread->lock, end))
        continue;
    bool ended = thread->ended;
    g_mutex_unlock(&thread->lock);
    if (ended)
        g_clear_pointer(&thread->thread, g_thread_join);
    return ended;
}

void log_thread_free(struct log_thread *thread)
{
    if (!thread)
        return;
    log_queue_free(thread->queue);
    g_mutex_clear(&thread->lock);
    g_cond_clear(&thread->changed);
    g_free(thread);
}

void log_thread_get_state(struct log_thread *thread, struct log_state *state_r)
{
    g_mutex_lock(&thread->lock);
    *state_r = (struct log_state){
        .waiting = log_queue_lines(thread->queue),
        .bytes = log_queue_bytes(thread->queue),
        .lost = log_queue_lost(thread->queue),
        .writing = thread->writing > 0 ? g_get_monotonic_time() - thread->writing : 0,
    };
    g_mutex_unlock(&thread->lock);
}
