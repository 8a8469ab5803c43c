/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many restriction classes, as a program may write them: found by name, and read in time that grows
 * as their number does.
 */
#include <string.h>
#include <time.h>

#include "policy/restriction_class.h"
#include "policy/snapshot.h"

static struct snapshot *with_classes(unsigned count)
{
    g_autoptr(GString) text = g_string_new("local_domains = a.test\nrestriction_classes =");
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, " class%u", i);
    g_string_append_c(text, '\n');
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, "class%u = permit_mynetworks reject\n", i);
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(text->str, text->len, "c", problems), NULL, problems);
    if (!snapshot)
        problems_print(problems, stderr);
    g_assert_nonnull(snapshot);
    problems_free(problems);
    return snapshot;
}

static void test_found(void)
{
    struct snapshot *snapshot = with_classes(100);
    const struct restriction_classes *classes = snapshot_main_policy(snapshot)->classes;
    g_assert_cmpuint(classes->all->len, ==, 100);
    const struct restriction_class *class = restriction_class_find(classes, "class42");
    g_assert_nonnull(class);
    g_assert_cmpstr(class->name, ==, "class42");
    g_assert_true(classes->all->pdata[42] == class);
    g_assert_null(restriction_class_find(classes, "class100"));
    g_assert_null(restriction_class_find(classes, "CLASS42"));
    g_assert_null(restriction_class_find(NULL, "class42"));
    snapshot_unref(snapshot);
}

/* CPU time of this thread, the least of three: others may be on the machine. */
static int64_t cost_of(unsigned count)
{
    int64_t least = G_MAXINT64;
    for (int i = 0; i < 3; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        snapshot_unref(with_classes(count));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        int64_t cost = (end.tv_sec - begin.tv_sec) * G_GINT64_CONSTANT(1000000000) + end.tv_nsec -
                       begin.tv_nsec;
        least = MIN(least, cost);
    }
    return least;
}

/* Eight times as many cost some eight times as much; where each was looked for among all, it was
 * more than forty times. */
static void test_cost(void)
{
    int64_t few = cost_of(2000), many = cost_of(16000);
    g_test_message("2000: %ld us, 16000: %ld us", (long)(few / 1000), (long)(many / 1000));
    g_assert_cmpint(many, <, few * 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classes/found", test_found);
    g_test_add_func("/classes/cost", test_cost);
    return g_test_run();
}
