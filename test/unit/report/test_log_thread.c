/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that writes the log: each line soon, whether lines are rare or come fast, in their
 * order, and all of them before it ends.
 */
#include "../../../milter/report/log_thread.h"

#include <stdlib.h>

enum { LINES = 5000, PATIENCE = 60 };

static gint written; /* the number of the last line, from 1 */

static void write_lines(struct log_line *const *lines, unsigned count)
{
    g_assert_cmpint(count, <=, LOG_THREAD_LINES);
    for (unsigned i = 0; i < count; i++) {
        int number = atoi(lines[i]->text);
        g_assert_cmpint(number, ==, g_atomic_int_get(&written) + 1);
        g_atomic_int_set(&written, number);
    }
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log_thread/each", test_each);
    g_test_add_func("/log_thread/all", test_all);
    return g_test_run();
}
