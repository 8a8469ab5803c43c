/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Collected problems: their text, their number, what is said twice.
 */
#include "base/problems.h"

static void test_format(void)
{
    struct problems *problems = problems_new();
    problems_error(problems, "a.conf", 3, "no %s", "such\nthing");
    problems_warning(problems, "a.conf", 0, "odd");
    g_autofree char *first = problem_format(problems_get(problems, 0));
    g_autofree char *second = problem_format(problems_get(problems, 1));
    g_assert_cmpstr(first, ==, "a.conf:3: error: no such\\nthing");
    g_assert_cmpstr(second, ==, "a.conf:1: warning: odd");
    g_assert_null(problems_get(problems, 2));
    /* Kept as it is, shown with one escape. */
    g_assert_cmpstr(problems_get(problems, 0)->text, ==, "no such\nthing");
    g_assert_cmpuint(problems_errors(problems), ==, 1);
    g_assert_cmpuint(problems_warnings(problems), ==, 1);
    problems_free(problems);
}

static void test_twice(void)
{
    struct problems *problems = problems_new();
    for (int i = 0; i < 3; i++) {
        problems_error(problems, "a.conf", 1, "x");
        problems_error(problems, "a.conf", 2, "x");
        problems_error(problems, "b.conf", 1, "x");
        problems_error(problems, "a.conf", 1, "y");
        problems_warning(problems, "a.conf", 1, "x");
    }
    g_assert_cmpuint(problems_errors(problems), ==, 4);
    g_assert_cmpuint(problems_warnings(problems), ==, 1);
    g_assert_nonnull(problems_get(problems, 4));
    g_assert_null(problems_get(problems, 5));
    problems_free(problems);
}

static void test_many(void)
{
    struct problems *problems = problems_new();
    for (unsigned i = 0; i < PROBLEMS_MAX + 5; i++)
        problems_warning(problems, "a.conf", i, "x");
    g_assert_cmpuint(problems_warnings(problems), ==, PROBLEMS_MAX + 5);
    g_assert_nonnull(problems_get(problems, PROBLEMS_MAX - 1));
    g_assert_null(problems_get(problems, PROBLEMS_MAX));
    problems_free(problems);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/problems/format", test_format);
    g_test_add_func("/base/problems/twice", test_twice);
    g_test_add_func("/base/problems/many", test_many);
    return g_test_run();
}
