/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of the log that wait for whoever reads it, up to so many bytes. What does not fit any more
 * is lost in the order in which one can do without it, and counted.
 *
 * Threads: one thread at a time.
 */
#ifndef REPORT_LOG_QUEUE_H
#define REPORT_LOG_QUEUE_H

#include <glib.h>

#include "settings/settings_table.h"

/* What is lost first stands first. */
enum log_rank {
    LOG_RANK_PASSED,  /* mail that was passed on: the MTA logs it as well */
    LOG_RANK_NOTE,    /* what gatepost says of itself, warnings, mail on hold */
    LOG_RANK_REFUSED, /* nobody but gatepost can tell why mail was refused */
    LOG_RANKS
};

struct log_line {
    GList link;     /* the queue's */
    guint64 number; /* the queue's: in the order in which they came */
    size_t size;    /* the queue's */
    enum log_rank rank;
    enum setting_log_target target;
    int facility, priority; /* of <syslog.h> */
    char *text;             /* for standard error with all that belongs to it */
    GPtrArray *fields;      /* of char *, "KEY=value": for the journal alone, else NULL */
};

void log_line_free(struct log_line *line); /* accepts NULL */

/* What was lost. Times are real time in microseconds. */
struct log_losses {
    guint64 lines[LOG_RANKS];
    gint64 since; /* the first of them; 0: nothing was lost */
};

struct log_queue;

/* MOST: bytes that lines may take, what they need to be kept counted. */
struct log_queue *log_queue_new(size_t most);
void log_queue_free(struct log_queue *queue); /* with its lines; accepts NULL */

/* Takes LINE over. If it does not fit, lines of lower ranks make room, the newest first; if they
 * cannot, it is lost itself. */
void log_queue_put(struct log_queue *queue, struct log_line *line);

/* The oldest line, now the caller's; NULL: there is none. */
struct log_line *log_queue_take(struct log_queue *queue);

guint log_queue_lines(const struct log_queue *queue);
size_t log_queue_bytes(const struct log_queue *queue);

/* Lines lost since the beginning. */
guint64 log_queue_lost(const struct log_queue *queue);

/* Whether there are losses to be told of: some were not told yet, and there is room again (half of
 * it), or they go on for a minute. Then they are in *LOSSES_R, and count as told. */
bool log_queue_take_losses(struct log_queue *queue, struct log_losses *losses_r);

#endif
