/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters by label: the same labels are the same counter, whoever makes it; none is lost.
 */
#include "base/tally.h"

#include <stdio.h>
#include <string.h>

static uint64_t count_of(const struct tally *tally, const char *a, const char *b)
{
    const char *labels[] = {a, b};
    uint64_t count = 0;
    g_assert_true(tally_get(tally, labels, &count));
    return count;
}

static void add(struct tally *tally, const char *a, const char *b, uint64_t n)
{
    const char *labels[] = {a, b};
    tally_add(tally, labels, n);
}

static void join(void *data, const char *const *labels, uint64_t count)
{
    g_string_append_printf(data, "%s/%s=%d ", labels[0], labels[1], (int)count);
}

static void test_labels(void)
{
    struct tally *tally = tally_new(2, 4);
    g_autoptr(GString) text = g_string_new(NULL);
    add(tally, "a", "bc", 0);
    add(tally, "ab", "c", 2); /* not the same, though the letters are */
    add(tally, "a", "bc", 1);
    add(tally, "", "", 5);
    g_assert_cmpuint(count_of(tally, "a", "bc"), ==, 1);
    tally_foreach(tally, join, text);
    g_assert_cmpstr(text->str, ==, "a/bc=1 ab/c=2 /=5 ");
    const char *unknown[] = {"x", "y"};
    g_assert_false(tally_get(tally, unknown, NULL));
    tally_free(tally);
    tally_free(NULL);
}

/* What comes when it is full is counted together, and what was there before by itself. */
static void test_full(void)
{
    struct tally *tally = tally_new(2, 2);
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 100; i++) {
        g_autofree char *label = g_strdup_printf("%d", i);
        add(tally, label, "x", 1);
    }
    add(tally, "1", "x", 1);
    tally_foreach(tally, join, text);
    g_assert_cmpstr(text->str, ==, "0/x=1 1/x=2 other/other=98 ");
    tally_free(tally);
}

/* Threads that make the same counters at the same time. */
enum { THREADS = 8, ROUNDS = 20000, LABELS = 50 };

static void *count_up(void *data)
{
    for (int i = 0; i < ROUNDS; i++) {
        char label[16];
        g_snprintf(label, sizeof label, "%d", i % LABELS);
        add(data, label, "t", 1);
    }
    return NULL;
}

static void test_threads(void)
{
    struct tally *tally = tally_new(2, 2 * LABELS * THREADS);
    GThread *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("count", count_up, tally);
    for (int i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    for (int i = 0; i < LABELS; i++) {
        g_autofree char *label = g_strdup_printf("%d", i);
        g_assert_cmpuint(count_of(tally, label, "t"), ==, THREADS * ROUNDS / LABELS);
    }
    tally_free(tally);
}

static void test_histogram(void)
{
    static const struct {
        int64_t us;
        unsigned bucket;
    } rows[] = {{0, 0},
                {-5, 0},
                {100, 0},
                {101, 1},
                {1000000, 8},
                {1000001, 9},
                {30000000, HISTOGRAM_BOUNDS - 1},
                {30000001, HISTOGRAM_BOUNDS}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct histogram histogram = {0};
        histogram_add(&histogram, rows[i].us);
        g_assert_cmpuint(histogram.buckets[rows[i].bucket], ==, 1);
        g_assert_cmpuint(histogram.sum, ==, (uint64_t)MAX(rows[i].us, 0));
    }
}

/* What it costs a message: told, not judged. */
static void test_cost(void)
{
    struct tally *tally = tally_new(3, 1000);
    const char *labels[] = {"rcpt", "reject_unauth_destination", "550"};
    gint64 begin = g_get_monotonic_time();
    for (int i = 0; i < 1000000; i++)
        tally_add(tally, labels, 1);
    printf("# a count takes %d ns\n", (int)((g_get_monotonic_time() - begin) / 1000));
    tally_free(tally);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tally/labels", test_labels);
    g_test_add_func("/tally/full", test_full);
    g_test_add_func("/tally/threads", test_threads);
    g_test_add_func("/tally/histogram", test_histogram);
    g_test_add_func("/tally/cost", test_cost);
    return g_test_run();
}
