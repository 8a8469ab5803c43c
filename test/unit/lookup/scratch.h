/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder of its own for a test that needs files, and a context to open tables with.
 */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lookup/table.h"

struct scratch {
    char *dir;
    struct table_context context; /* base_dir: the folder; file "main", line 7 */
};

static inline struct scratch scratch_new(void)
{
    struct scratch scratch = {.dir = g_dir_make_tmp("gatepost-XXXXXX", NULL)};
    g_assert_nonnull(scratch.dir);
    scratch.context = (struct table_context){
        .base_dir = scratch.dir, .problems = problems_new(), .file = "main", .line = 7};
    return scratch;
}

static inline char *scratch_path(const struct scratch *scratch, const char *name)
{
    return g_build_filename(scratch->dir, name, NULL);
}

/* Writes in place, not by rename. */
static inline void scratch_write(const struct scratch *scratch, const char *name, const char *text,
                                 gssize length)
{
    g_autofree char *path = scratch_path(scratch, name);
    FILE *stream = g_fopen(path, "w");
    g_assert_nonnull(stream);
    size_t size = length < 0 ? strlen(text) : (size_t)length;
    g_assert_cmpuint(fwrite(text, 1, size, stream), ==, size);
    g_assert_cmpint(fclose(stream), ==, 0);
}

static inline void scratch_clear(struct scratch *scratch)
{
    GDir *dir = g_dir_open(scratch->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = scratch_path(scratch, name);
        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(scratch->dir);
    g_free(scratch->dir);
    problems_free(scratch->context.problems);
}

/* All problems, a line each, with the folder's name cut off; forgets them. For g_free. */
static inline char *scratch_problems(struct scratch *scratch)
{
    GString *all = g_string_new(NULL);
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(scratch->context.problems, i)); i++) {
        g_autofree char *line = problem_format(problem);
        g_string_append_printf(all, "%s%s", i > 0 ? "\n" : "", line);
    }
    g_autofree char *prefix = g_strconcat(scratch->dir, "/", NULL);
    g_string_replace(all, prefix, "", 0);
    problems_free(scratch->context.problems);
    scratch->context.problems = problems_new();
    return g_string_free(all, FALSE);
}

#endif
