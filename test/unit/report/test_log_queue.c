/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queue of log lines: what is lost, what is kept, in which order.
 */
#include <stdlib.h>

#include "../../../milter/report/log_queue.h"

enum { ROOM = 1 << 20, LENGTH = 1000 };

static void put(struct log_queue *queue, enum log_rank rank, unsigned number)
{
    struct log_line *line = g_new0(struct log_line, 1);
    g_autofree char *padding = g_strnfill(LENGTH, 'x');
    line->rank = rank;
    line->text = g_strdup_printf("%u %s", number, padding);
    log_queue_put(queue, line);
}

/* The number of the oldest line; -1: there is none. */
static int take(struct log_queue *queue)
{
    struct log_line *line = log_queue_take(queue);
    int number = line ? atoi(line->text) : -1;
    log_line_free(line);
    return number;
}

static void test_order(void)
{
    struct log_queue *queue = log_queue_new(ROOM);
    static const enum log_rank ranks[] = {LOG_RANK_REFUSED, LOG_RANK_PASSED, LOG_RANK_NOTE};
    g_assert_cmpint(take(queue), ==, -1);
    for (unsigned i = 0; i < 30; i++)
        put(queue, ranks[i % 3], i);
    g_assert_cmpuint(log_queue_lines(queue), ==, 30);
    for (int i = 0; i < 30; i++)
        g_assert_cmpint(take(queue), ==, i);
    g_assert_cmpint(take(queue), ==, -1);
    g_assert_cmpuint(log_queue_bytes(queue), ==, 0);
    g_assert_cmpuint(log_queue_lost(queue), ==, 0);
    log_queue_free(queue);
}

/* Fills it with lines of RANK until one is lost; how many are in it. */
static unsigned fill(struct log_queue *queue, enum log_rank rank)
{
    guint64 before = log_queue_lost(queue);
    while (log_queue_lost(queue) == before)
        put(queue, rank, log_queue_lines(queue));
    g_assert_cmpuint(log_queue_bytes(queue), <=, ROOM);
    return log_queue_lines(queue);
}

static void test_ranks(void)
{
    struct log_queue *queue = log_queue_new(ROOM);
    unsigned count = fill(queue, LOG_RANK_PASSED);
    struct log_losses losses;
    g_assert_cmpuint(count, >, ROOM / LENGTH / 2);
    g_assert_false(log_queue_take_losses(queue, &losses)); /* it is still full */
    for (unsigned i = 0; i < 10; i++)
        put(queue, LOG_RANK_NOTE, 100000 + i);
    for (unsigned i = 0; i < 10; i++)
        put(queue, LOG_RANK_REFUSED, 200000 + i);
    put(queue, LOG_RANK_PASSED, 300000);
    g_assert_cmpuint(log_queue_lines(queue), ==, count);
    g_assert_cmpuint(log_queue_lost(queue), ==, 22);
    for (unsigned i = 0; i < 2 * count; i++) /* now refusals alone are in it */
        put(queue, LOG_RANK_REFUSED, 200000);
    put(queue, LOG_RANK_NOTE, 400000);
    put(queue, LOG_RANK_PASSED, 500000);
    int number;
    while ((number = take(queue)) >= 0)
        g_assert_cmpint(number, <, 300000);
    g_assert_true(log_queue_take_losses(queue, &losses));
    g_assert_cmpuint(losses.lines[LOG_RANK_REFUSED], >, 0);
    g_assert_cmpuint(losses.lines[LOG_RANK_REFUSED], <, count + 20);
    g_assert_cmpuint(losses.lines[LOG_RANK_NOTE], ==, 11);
    g_assert_cmpuint(losses.lines[LOG_RANK_PASSED], ==, count + 3);
    g_assert_cmpint(losses.since, >, g_get_real_time() - 60 * G_USEC_PER_SEC);
    g_assert_false(log_queue_take_losses(queue, &losses)); /* told once */
    log_queue_free(queue);
}

/* The newest lines are lost: those that tell how it began stay. */
static void test_oldest_stay(void)
{
    struct log_queue *queue = log_queue_new(ROOM);
    unsigned count = fill(queue, LOG_RANK_PASSED);
    put(queue, LOG_RANK_REFUSED, 200000);
    for (int i = 0; i < (int)count - 1; i++)
        g_assert_cmpint(take(queue), ==, i);
    g_assert_cmpint(take(queue), ==, 200000);
    log_queue_free(queue);
}

/* A line that could never fit is lost, and costs no other. */
static void test_too_long(void)
{
    struct log_queue *queue = log_queue_new(ROOM);
    struct log_line *line = g_new0(struct log_line, 1);
    put(queue, LOG_RANK_PASSED, 1);
    line->rank = LOG_RANK_REFUSED;
    line->text = g_strnfill(ROOM, 'x');
    log_queue_put(queue, line);
    g_assert_cmpuint(log_queue_lines(queue), ==, 1);
    g_assert_cmpuint(log_queue_lost(queue), ==, 1);
    log_queue_free(queue);
}

/* Fields count, too. */
static void test_fields(void)
{
    struct log_queue *queue = log_queue_new(ROOM);
    for (unsigned i = 0; i < 2 * ROOM / LENGTH; i++) {
        struct log_line *line = g_new0(struct log_line, 1);
        line->text = g_strdup("");
        line->fields = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(line->fields, g_strnfill(LENGTH, 'x'));
        log_queue_put(queue, line);
    }
    g_assert_cmpuint(log_queue_lost(queue), >, ROOM / LENGTH);
    log_queue_free(queue);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log_queue/order", test_order);
    g_test_add_func("/log_queue/ranks", test_ranks);
    g_test_add_func("/log_queue/oldest_stay", test_oldest_stay);
    g_test_add_func("/log_queue/too_long", test_too_long);
    g_test_add_func("/log_queue/fields", test_fields);
    return g_test_run();
}
