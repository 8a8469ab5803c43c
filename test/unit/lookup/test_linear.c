/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file of a match list is read in steps in proportion to its length, whatever stands in it.
 */
#include "lookup/matchlist.h"
#include "scratch.h"
#include "steps.h"

enum { SIZE = 6000 };

static struct scratch scratch;

static void read_list(const char *text, size_t size)
{
    g_autofree char *path = scratch_path(&scratch, "f");
    scratch_write(&scratch, "f", text, (gssize)size);
    struct match_list *list = match_list_open(path, MATCH_NETWORKS, &scratch.context);
    g_assert_nonnull(list);
    match_list_unref(list);
    g_free(scratch_problems(&scratch));
}

static const char *const pieces[] = {
    "{",  "}",  "{\n", "}\n",      "\n",           "#",          "!",           " ",
    "{}", "}{", "a:{", "inline:{", "192.0.2.1\n ", "a.example,", "1.2.3.0/24 ", "[::1]",
};

static const struct steps_row readers[] = {
    {"match list", read_list, pieces, G_N_ELEMENTS(pieces), SIZE},
};

/* Braces that have no partner, each of which one could look for in all that follows. */
static void test_braces(void)
{
    static const char *const units[] = {"{\n", "}\n", "{\n{ }\n", "a {{\n}\n", "{\n#}\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        steps_check_linear("match list", read_list, "", units[i], SIZE);
}

static void test_made(void)
{
    steps_check_made(readers, G_N_ELEMENTS(readers));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    scratch = scratch_new();
    g_test_add_func("/linear/braces", test_braces);
    g_test_add_func("/linear/made", test_made);
    int failed = g_test_run();
    scratch_clear(&scratch);
    return failed;
}
