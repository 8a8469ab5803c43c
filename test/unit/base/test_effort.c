/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/effort.h"

enum { LIMIT = 20000 };

static void test_waiting(void)
{
    struct effort effort = effort_begin();
    g_assert_false(effort_is_spent(&effort, LIMIT));
    g_usleep(3 * LIMIT);
    g_assert_false(effort_is_spent(&effort, LIMIT));
    g_usleep(3 * LIMIT);
    g_assert_false(effort_is_spent(&effort, LIMIT)); /* to wait is no work */
}

static void test_working(void)
{
    struct effort effort = effort_begin();
    gint64 end = g_get_monotonic_time() + 60 * G_TIME_SPAN_SECOND;
    while (!effort_is_spent(&effort, LIMIT))
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    g_assert_cmpint(g_get_monotonic_time() - effort.begun, >=, 2 * LIMIT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/effort/waiting", test_waiting);
    g_test_add_func("/effort/working", test_working);
    return g_test_run();
}
