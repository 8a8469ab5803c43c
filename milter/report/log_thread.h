/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that writes the log: whoever has a line hands it over and goes on, however long those
 * who read the log take.
 *
 * Threads: locks itself; log_thread_new, log_thread_stop and log_thread_free are one thread's.
 */
#ifndef REPORT_LOG_THREAD_H
#define REPORT_LOG_THREAD_H

#include "log_queue.h"
#include "report/log.h"

/* Lines that the thread has in its hands at a time, at most. */
enum { LOG_THREAD_LINES = 16 };

/* What the thread calls; either may take as long as it likes. */
struct log_thread_class {
    /* Writes the first of COUNT lines, 1 to LOG_THREAD_LINES, and perhaps the next ones, as long as
     * they take one call of the system; how many it has written. */
    unsigned (*write)(struct log_line *const *lines, unsigned count);
    /* The line that tells of LOSSES; the thread frees it. */
    struct log_line *(*tell)(void *data, const struct log_losses *losses);
};

struct log_thread;

/* Starts the thread. MOST: bytes of lines that wait. */
struct log_thread *log_thread_new(const struct log_thread_class *class, void *data, size_t most);

/* Takes LINE over, unless the thread has ended: then false, and LINE is still the caller's. */
bool log_thread_put(struct log_thread *thread, struct log_line *line);

/* Has the thread end when it has written all lines, and waits for that, MICROSECONDS at most.
 * false: it has not; it may be asked again. */
bool log_thread_stop(struct log_thread *thread, gint64 microseconds);

/* Stopped before; accepts NULL. */
void log_thread_free(struct log_thread *thread);

void log_thread_get_state(struct log_thread *thread, struct log_state *state_r);

#endif
