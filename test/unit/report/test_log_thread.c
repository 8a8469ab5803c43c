/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that writes the log: each line soon, whether lines are rare or come fast, in their
 * order, and all of them before it ends.
 */
#include "../../../milter/report/log_thread.h"

#include <stdlib.h>

enum { LINES = 5000, PATIENCE = 60 };

static gint written; /* the number of the last line, from 1 */

static unsigned write_lines(struct log_line *const *lines, unsigned count)
{
    g_assert_cmpint(count, <=, LOG_THREAD_LINES);
    for (unsigned i = 0; i < count; i++) {
        int number = atoi(lines[i]->text);
        g_assert_cmpint(number, ==, g_atomic_int_get(&written) + 1);
        g_atomic_int_set(&written, number);
    }
    return count;
}

static const struct log_thread_class class = {.write = write_lines};

static void put(struct log_thread *thread, int number)
{
    struct log_line *line = g_new0(struct log_line, 1);
    line->text = g_strdup_printf("%d", number);
    g_assert_true(log_thread_put(thread, line));
}

static void wait_for(int number)
{
    gint64 end = g_get_monotonic_time() + PATIENCE * G_TIME_SPAN_SECOND;
    while (g_atomic_int_get(&written) < number) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(50);
    }
}

/* Each is waited for: no wake may be lost, neither in quiet nor in a hurry. */
static void test_each(void)
{
    struct log_thread *thread = log_thread_new(&class, NULL, 1 << 20);
    g_atomic_int_set(&written, 0);
    for (int number = 1; number <= 600; number++) {
        put(thread, number);
        wait_for(number);
        g_usleep(number % 100 == 0 ? 10000 : 0);
    }
    g_assert_true(log_thread_stop(thread, PATIENCE * G_TIME_SPAN_SECOND));
    log_thread_free(thread);
}

static void test_all(void)
{
    struct log_thread *thread = log_thread_new(&class, NULL, 1 << 24);
    g_atomic_int_set(&written, 0);
    for (int number = 1; number <= LINES; number++)
        put(thread, number);
    g_assert_true(log_thread_stop(thread, PATIENCE * G_TIME_SPAN_SECOND));
    g_assert_cmpint(g_atomic_int_get(&written), ==, LINES);
    log_thread_free(thread);
}

/* Slow lines that are written one by one: the first waits for the others, which are in one hand. */
static struct {
    struct log_thread *thread;
    gint64 ended; /* the last call */
    gint calls, gate;
} slow;

static unsigned write_slowly(struct log_line *const *lines, unsigned count)
{
    (void)lines;
    if (slow.calls > 0) {
        struct log_state state;
        log_thread_get_state(slow.thread, &state);
        g_assert_cmpint(state.writing, <=, g_get_monotonic_time() - slow.ended);
    }
    if (slow.calls == 1)
        g_assert_cmpuint(count, ==, 8);
    while (!g_atomic_int_get(&slow.gate))
        g_usleep(50);
    g_usleep(20000);
    slow.calls++;
    slow.ended = g_get_monotonic_time();
    return 1;
}

/* Each counts from when it was begun, not from when the first one was. */
static void test_slow(void)
{
    static const struct log_thread_class slowly = {.write = write_slowly};
    slow.thread = log_thread_new(&slowly, NULL, 1 << 20);
    put(slow.thread, 1);
    struct log_state state;
    do
        log_thread_get_state(slow.thread, &state);
    while (state.waiting > 0);
    for (int number = 2; number <= 9; number++)
        put(slow.thread, number);
    g_atomic_int_set(&slow.gate, 1);
    g_assert_true(log_thread_stop(slow.thread, PATIENCE * G_TIME_SPAN_SECOND));
    g_assert_cmpint(slow.calls, ==, 9);
    log_thread_free(slow.thread);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log_thread/each", test_each);
    g_test_add_func("/log_thread/all", test_all);
    g_test_add_func("/log_thread/slow", test_slow);
    return g_test_run();
}
