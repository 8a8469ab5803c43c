/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many questions go out, counted, by a clock of the test's own.
 */
#include <glib.h>

#include "../../../milter/dns/pacing.h"

/* Sends all that is allowed at NOW, no more than MOST. */
static unsigned send_all(struct pacing *pacing, int64_t now, unsigned most)
{
    unsigned sent = 0;
    for (; sent < most && pacing_allows(pacing, now); sent++)
        pacing_sent(pacing);
    return sent;
}

/* A server that says nothing gets what its buffer holds, and no more until time allows it. */
static void test_silence(void)
{
    struct pacing pacing = {0};
    g_assert_cmpuint(send_all(&pacing, 1000, 2000), ==, PACING_BURST);
    g_assert_cmpuint(send_all(&pacing, 1000 + PACING_SLOW_US - 1, 2000), ==, 0);
    g_assert_cmpint(pacing.renewed_at, ==, 1000 + PACING_SLOW_US);
    g_assert_cmpuint(send_all(&pacing, 1000 + PACING_SLOW_US, 2000), ==, PACING_BURST);
}

/* One that answers at once is never sent more than it has room for, and never waits. */
static void test_answers(void)
{
    struct pacing pacing = {0};
    unsigned under_way = send_all(&pacing, 1000, 2000);
    for (unsigned i = 0; i < 5000; i++) {
        pacing_over(&pacing);
        under_way--;
        under_way += send_all(&pacing, 2000, 2000);
        g_assert_cmpuint(under_way, ==, PACING_BURST);
    }
    for (unsigned i = 0; i < 1000; i++) /* nor saves anybody up what was not sent */
        pacing_over(&pacing);
    g_assert_cmpuint(send_all(&pacing, 2000, 2000), ==, PACING_BURST);
}

/* Where nothing is lost time allows more and more; only what was used up shows that. */
static void test_speed(void)
{
    struct pacing pacing = {0};
    int64_t now = 1000;
    for (unsigned i = 0; i < 10; i++, now = pacing.renewed_at)
        send_all(&pacing, now, PACING_BURST - 1);
    g_assert_cmpint(pacing.every, ==, PACING_SLOW_US);
    for (unsigned i = 0; i < 10; i++, now = pacing.renewed_at)
        send_all(&pacing, now, 2000);
    g_assert_cmpint(pacing.every, ==, PACING_FAST_US);

    g_assert_false(pacing_loses(&pacing));
    pacing_lost(&pacing);
    g_assert_true(pacing_loses(&pacing));
    for (unsigned i = 0; i < PACING_CLEAN; i++, now = pacing.renewed_at)
        g_assert_cmpuint(send_all(&pacing, now, 2000), ==, PACING_BURST);
    g_assert_cmpint(pacing.every, ==, PACING_SLOW_US);
    send_all(&pacing, now, 2000);
    g_assert_cmpint(pacing.every, ==, PACING_SLOW_US / 2);
}

/* RFC 6298 2: the first answer, and what steady ones come to; an answer that took longer for once
 * makes patience longer at once. */
static void test_round_trip(void)
{
    struct pacing pacing = {0};
    g_assert_false(pacing_knows(&pacing));
    g_assert_cmpint(pacing_patience(&pacing), ==, PACING_AGAIN_LEAST_US);
    pacing_measure(&pacing, 100000);
    g_assert_cmpint(pacing_patience(&pacing), ==, 300000);
    for (unsigned i = 1; i < PACING_MEASURED_LEAST; i++) {
        g_assert_false(pacing_knows(&pacing));
        pacing_measure(&pacing, 100000);
    }
    g_assert_true(pacing_knows(&pacing));
    for (unsigned i = 0; i < 50; i++)
        pacing_measure(&pacing, 100000);
    g_assert_cmpint(pacing_patience(&pacing), ==, 150000);
    pacing_measure(&pacing, 500000);
    g_assert_cmpint(pacing_patience(&pacing), >, 500000);
    for (unsigned i = 0; i < 100; i++)
        pacing_measure(&pacing, 300);
    g_assert_cmpint(pacing_patience(&pacing), ==, PACING_AGAIN_LEAST_US);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns/pacing/silence", test_silence);
    g_test_add_func("/dns/pacing/answers", test_answers);
    g_test_add_func("/dns/pacing/speed", test_speed);
    g_test_add_func("/dns/pacing/round-trip", test_round_trip);
    return g_test_run();
}
