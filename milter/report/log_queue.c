/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queue of log lines.
 */
#include "log_queue.h"

#include <string.h>

/* Who loses lines all the time is told how many that often, in microseconds. */
enum { TELL_EVERY = 60 * G_USEC_PER_SEC };

struct log_queue {
    size_t most;
    guint64 next_number, lost;
    GQueue ranks[LOG_RANKS]; /* of struct log_line, by the links in them */
    size_t bytes[LOG_RANKS]; /* of each */
    struct log_losses losses;
    gint64 told; /* when losses were told of last, or first began */
};

void log_line_free(struct log_line *line)
{
    if (!line)
        return;
    g_free(line->text);
    if (line->fields)
        g_ptr_array_unref(line->fields);
    g_free(line);
}

/* What malloc and GLib add to each piece is a guess, on the safe side. */
static size_t size_of(const struct log_line *line)
{
    enum { PIECE = 32 };
    size_t size = sizeof(*line) + strlen(line->text) + 2 * PIECE;
    for (guint i = 0; line->fields && i < line->fields->len; i++)
        size += strlen(line->fields->pdata[i]) + PIECE;
    return size;
}

struct log_queue *log_queue_new(size_t most)
{
    struct log_queue *queue = g_new0(struct log_queue, 1);
    queue->most = most;
    for (int rank = 0; rank < LOG_RANKS; rank++)
        g_queue_init(&queue->ranks[rank]);
    return queue;
}

void log_queue_free(struct log_queue *queue)
{
    if (!queue)
        return;
    struct log_line *line;
    while ((line = log_queue_take(queue)))
        log_line_free(line);
    g_free(queue);
}

static void lose(struct log_queue *queue, struct log_line *line)
{
    if (queue->lost == 0)
        queue->told = g_get_monotonic_time();
    if (queue->losses.since == 0)
        queue->losses.since = g_get_real_time();
    queue->losses.lines[line->rank]++;
    queue->lost++;
    log_line_free(line);
}

static struct log_line *take_out(struct log_queue *queue, GList *link)
{
    struct log_line *line = link->data;
    g_queue_unlink(&queue->ranks[line->rank], link);
    queue->bytes[line->rank] -= line->size;
    return line;
}

/* Makes room by what ranks below RANK; false if that is not enough, and then nothing is lost. */
static bool make_room(struct log_queue *queue, enum log_rank rank, size_t size)
{
    size_t kept = size;
    for (int other = (int)rank; other < LOG_RANKS; other++)
        kept += queue->bytes[other];
    if (kept > queue->most)
        return false;
    for (int other = 0; other < (int)rank; other++) {
        GList *last;
        while (log_queue_bytes(queue) + size > queue->most && (last = queue->ranks[other].tail))
            lose(queue, take_out(queue, last));
    }
    return true;
}

void log_queue_put(struct log_queue *queue, struct log_line *line)
{
    size_t size = size_of(line);
    if (!make_room(queue, line->rank, size)) {
        lose(queue, line);
        return;
    }
    line->number = queue->next_number++;
    line->size = size;
    line->link = (GList){.data = line};
    g_queue_push_tail_link(&queue->ranks[line->rank], &line->link);
    queue->bytes[line->rank] += size;
}

struct log_line *log_queue_take(struct log_queue *queue)
{
    int oldest = LOG_RANKS;
    guint64 least = G_MAXUINT64;
    for (int rank = 0; rank < LOG_RANKS; rank++) {
        const struct log_line *line = g_queue_peek_head(&queue->ranks[rank]);
        if (!line || line->number >= least)
            continue;
        least = line->number;
        oldest = rank;
    }
    return oldest < LOG_RANKS ? take_out(queue, queue->ranks[oldest].head) : NULL;
}

guint log_queue_lines(const struct log_queue *queue)
{
    guint lines = 0;
    for (int rank = 0; rank < LOG_RANKS; rank++)
        lines += queue->ranks[rank].length;
    return lines;
}

size_t log_queue_bytes(const struct log_queue *queue)
{
    size_t bytes = 0;
    for (int rank = 0; rank < LOG_RANKS; rank++)
        bytes += queue->bytes[rank];
    return bytes;
}

guint64 log_queue_lost(const struct log_queue *queue)
{
    return queue->lost;
}

bool log_queue_take_losses(struct log_queue *queue, struct log_losses *losses_r)
{
    if (queue->losses.since == 0 || (log_queue_bytes(queue) > queue->most / 2 &&
                                     g_get_monotonic_time() - queue->told < TELL_EVERY))
        return false;
    *losses_r = queue->losses;
    queue->losses = (struct log_losses){0};
    queue->told = g_get_monotonic_time();
    return true;
}
