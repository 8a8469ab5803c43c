/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sleeping until woken, and budgets of waiting.
 */
#include "base/wait_budget.h"
#include "base/waiting.h"

static void test_woken_before(void)
{
    struct waiting waiting;
    waiting_init(&waiting);
    waiting.waker.wake(waiting.waker.data);
    waiting.waker.wake(waiting.waker.data);
    gint64 start = g_get_monotonic_time();
    g_assert_true(waiting_sleep(&waiting, start + G_TIME_SPAN_MINUTE));
    /* Both wakes were one. */
    g_assert_false(waiting_sleep(&waiting, g_get_monotonic_time() + 20 * G_TIME_SPAN_MILLISECOND));
    g_assert_false(waiting_sleep(&waiting, start));
    g_assert_cmpuint(waiting_count(), ==, 0);
    waiting_clear(&waiting);
}

static void *wake_later(void *data)
{
    struct waker *waker = data;
    while (waiting_count() == 0)
        g_thread_yield();
    waker->wake(waker->data);
    return NULL;
}

static void test_woken_asleep(void)
{
    struct waiting waiting;
    waiting_init(&waiting);
    GThread *thread = g_thread_new("waker", wake_later, &waiting.waker);
    g_assert_true(waiting_sleep(&waiting, g_get_monotonic_time() + G_TIME_SPAN_MINUTE));
    g_thread_join(thread);
    waiting_clear(&waiting);
}

static void test_budget_of_each(void)
{
    struct wait_budget budget = {0};
    g_assert_true(wait_budget_expired(&budget, WAIT_DNS));
    g_assert_cmpint(wait_budget_deadline(&budget), ==, 0);
    wait_budget_set(&budget, WAIT_DNS, 10 * G_TIME_SPAN_MILLISECOND);
    wait_budget_set(&budget, WAIT_STORE, G_TIME_SPAN_MINUTE);
    wait_budget_begin(&budget, WAIT_DNS);
    int64_t deadline = wait_budget_deadline(&budget);
    g_assert_cmpint(deadline, >, 0);
    wait_budget_begin(&budget, WAIT_DNS); /* the same wait, asked again */
    g_assert_cmpint(wait_budget_deadline(&budget), ==, deadline);
    g_usleep(15 * G_TIME_SPAN_MILLISECOND);
    g_assert_true(wait_budget_expired(&budget, WAIT_DNS));
    g_assert_false(wait_budget_expired(&budget, WAIT_STORE));
    wait_budget_begin(&budget, WAIT_STORE); /* ends the other */
    g_assert_cmpint(wait_budget_deadline(&budget), >, deadline + 30 * G_TIME_SPAN_SECOND);
    wait_budget_end(&budget);
    wait_budget_end(&budget);
    g_assert_cmpint(budget.waited[WAIT_DNS], >=, 15 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(budget.waited[WAIT_STORE], <, G_TIME_SPAN_SECOND * 30);
    g_assert_cmpint(wait_budget_deadline(&budget), ==, 0);
    /* Who ran out of time once gets no more of it by renewal. */
    wait_budget_renew(&budget, WAIT_DNS, G_TIME_SPAN_MINUTE);
    g_assert_true(wait_budget_expired(&budget, WAIT_DNS));
    wait_budget_renew(&budget, WAIT_STORE, 2 * G_TIME_SPAN_MINUTE);
    g_assert_cmpint(budget.left[WAIT_STORE], ==, 2 * G_TIME_SPAN_MINUTE);
    wait_budget_set(&budget, WAIT_DNS, 1);
    g_assert_false(wait_budget_expired(&budget, WAIT_DNS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/waiting/woken-before", test_woken_before);
    g_test_add_func("/waiting/woken-asleep", test_woken_asleep);
    g_test_add_func("/waiting/budget-of-each", test_budget_of_each);
    return g_test_run();
}
