/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a large texthash costs: bench_texthash [LINES] prints the time to load it, the memory it
 * takes, and the time of a lookup in it and in a table of ten lines.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lookup/table.h"

enum { LOOKUPS = 2000000, SMALL = 10 };

static long resident_kb(void)
{
    long pages = 0, resident = 0;
    FILE *stream = fopen("/proc/self/statm", "r");
    if (stream && fscanf(stream, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (stream)
        fclose(stream);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void make_key(GString *key, unsigned i)
{
    g_string_printf(key, "user%u.some.name@department%u.example.com", i, i % 1000);
}

static char *write_table(const char *dir, unsigned lines)
{
    char *path = g_strdup_printf("%s/t%u", dir, lines);
    FILE *stream = g_fopen(path, "w");
    g_autoptr(GString) key = g_string_new(NULL);
    for (unsigned i = 0; stream && i < lines; i++) {
        make_key(key, i);
        fprintf(stream, "%s REJECT no longer here\n", key->str);
    }
    if (!stream || fclose(stream) != 0)
        exit(1);
    return path;
}

static struct table *load(const char *path, struct problems *problems)
{
    struct table_context context = {.problems = problems, .file = "bench"};
    struct table *table = table_open(path, true, &context);
    problems_print(problems, stderr);
    if (!table)
        exit(1);
    return table;
}

/* Nanoseconds of a lookup; every second key is not in the table. */
static double measure(struct table *table, unsigned lines)
{
    g_autoptr(GString) value = g_string_new(NULL), key = g_string_new(NULL);
    g_autoptr(GRand) dice = g_rand_new_with_seed(1);
    enum { SAMPLE = 4096 };
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    unsigned hits = 0;
    gint64 spent = 0;
    for (unsigned done = 0; done < LOOKUPS; done += SAMPLE) {
        g_ptr_array_set_size(keys, 0);
        for (unsigned i = 0; i < SAMPLE; i++) {
            make_key(key, (unsigned)g_rand_int_range(dice, 0, (gint32)lines) + (i % 2 ? lines : 0));
            g_ptr_array_add(keys, g_strdup(key->str));
        }
        gint64 start = g_get_monotonic_time();
        for (unsigned i = 0; i < SAMPLE; i++)
            hits += table_find(table, keys->pdata[i], value) == LOOKUP_HIT;
        spent += g_get_monotonic_time() - start;
    }
    if (hits == 0)
        exit(1);
    return (double)spent * 1000 / LOOKUPS;
}

int main(int argc, char **argv)
{
    unsigned lines = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
    g_autofree char *dir = g_dir_make_tmp("bench-XXXXXX", NULL);
    g_autofree char *large_path = write_table(dir, lines), *small_path = write_table(dir, SMALL);
    struct problems *problems = problems_new();
    struct table *small = load(small_path, problems);
    long before = resident_kb();
    gint64 start = g_get_monotonic_time();
    struct table *large = load(large_path, problems);
    printf("%u lines: loaded in %.2f s, %ld MB resident\n", lines,
           (double)(g_get_monotonic_time() - start) / 1e6, (resident_kb() - before) / 1024);
    double one = measure(small, SMALL), other = measure(large, lines);
    printf("a lookup: %.0f ns in %d lines, %.0f ns in %u lines, ratio %.1f\n", one, SMALL, other,
           lines, other / one);
    table_unref(small);
    table_unref(large);
    problems_free(problems);
    g_remove(large_path);
    g_remove(small_path);
    g_rmdir(dir);
    return 0;
}
