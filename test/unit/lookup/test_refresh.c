/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that change: what is taken, when, and what those who ask meanwhile see.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lookup/matchlist.h"
#include "lookup/tablestatus.h"
#include "scratch.h"

/* A table is read again after its file was left alone for a real second: ctime cannot be faked. */
enum { QUIET_MS = 1100, PATIENCE_MS = 60000, POLL_MS = 50 };

static void write_by_rename(struct scratch *scratch, const char *name, const char *text)
{
    g_autofree char *path = scratch_path(scratch, name), *fresh = scratch_path(scratch, "fresh");
    scratch_write(scratch, "fresh", text, -1);
    g_assert_cmpint(g_rename(fresh, path), ==, 0);
}

static bool wait_for_swap(struct table *table, struct problems *problems)
{
    for (int ms = 0; ms < PATIENCE_MS; ms += POLL_MS) {
        if (table_refresh(table, problems))
            return true;
        g_usleep(POLL_MS * 1000);
    }
    return false;
}

static void assert_value(struct table *table, const char *key, const char *expected)
{
    g_autoptr(GString) value = g_string_new(NULL);
    enum lookup_status status = table_find(table, key, value);
    g_assert_cmpint(status, ==, expected ? LOOKUP_HIT : LOOKUP_MISS);
    g_assert_cmpstr(value->str, ==, expected ? expected : "");
}

static void test_unchanged(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t", "a 1\n", -1);
    struct table *table = table_open("texthash:t", false, &scratch.context);
    struct table *named = table_open("static:x", false, &scratch.context);
    for (int ms = 0; ms < 2 * QUIET_MS; ms += POLL_MS) {
        g_assert_false(table_refresh(table, scratch.context.problems));
        g_usleep(POLL_MS * 1000);
    }
    g_assert_false(table_refresh(named, scratch.context.problems));
    table_unref(named);
    table_unref(table);
    scratch_clear(&scratch);
}

static void test_changed(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t", "a 1\n", -1);
    struct table *table = table_open("texthash:t", false, &scratch.context);
    write_by_rename(&scratch, "t", "a 2\nbad\n");
    g_assert_false(table_refresh(table, scratch.context.problems));
    assert_value(table, "a", "1");
    g_assert_true(wait_for_swap(table, scratch.context.problems));
    assert_value(table, "a", "2");
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_cmpstr(problems, ==,
                    "t:2: warning: expected a key, white space, a value; the line is skipped");
    /* The same size, in place. */
    scratch_write(&scratch, "t", "a 3\nbad\n", -1);
    g_assert_true(wait_for_swap(table, scratch.context.problems));
    assert_value(table, "a", "3");
    table_unref(table);
    scratch_clear(&scratch);
}

/* A time in the future must neither be trusted nor keep the file from being read. */
static void test_future(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t", "a 1\n", -1);
    struct table *table = table_open("texthash:t", false, &scratch.context);
    g_autofree char *path = scratch_path(&scratch, "t");
    scratch_write(&scratch, "t", "a 2\n", -1);
    struct timespec times[2] = {{time(NULL) + 86400, 0}, {time(NULL) + 86400, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    g_assert_false(table_refresh(table, scratch.context.problems));
    g_assert_true(wait_for_swap(table, scratch.context.problems));
    assert_value(table, "a", "2");
    g_usleep(QUIET_MS * 1000);
    g_assert_false(table_refresh(table, scratch.context.problems));
    g_assert_false(table_refresh(table, scratch.context.problems));
    table_unref(table);
    scratch_clear(&scratch);
}

static void test_trouble(void)
{
    struct scratch scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "t");
    scratch_write(&scratch, "t", "a 1\n", -1);
    struct table *table = table_open("texthash:t", false, &scratch.context);
    for (int round = 0; round < 2; round++) {
        g_assert_cmpint(g_unlink(path), ==, 0);
        for (int i = 0; i < 3; i++)
            g_assert_false(table_refresh(table, scratch.context.problems));
        assert_value(table, "a", "1");
        g_autofree char *problems = scratch_problems(&scratch);
        g_assert_cmpstr(problems, ==,
                        "t: warning: cannot be read again: No such file or directory; what was "
                        "read before stays in force");
        scratch_write(&scratch, "t", "a 1\nb 2\n", -1);
        g_assert_true(wait_for_swap(table, scratch.context.problems));
        g_assert_cmpuint(problems_warnings(scratch.context.problems), ==, 0);
    }
    assert_value(table, "b", "2");
    table_unref(table);
    scratch_clear(&scratch);
}

static void test_set(void)
{
    struct scratch scratch = scratch_new();
    struct ipaddr address;
    g_assert_true(ipaddr_parse("192.0.2.1", &address));
    scratch_write(&scratch, "t", "a 1\n", -1);
    scratch_write(&scratch, "c", "10.0.0.0/8 x\n", -1);
    scratch_write(&scratch, "n", "10.0.0.0/8\n", -1);
    struct table_set *set = table_set_new();
    scratch.context.set = set;
    struct table *table = table_open("texthash:t", false, &scratch.context);
    g_autofree char *value = g_strdup_printf("%s/n cidr:c", scratch.dir);
    struct match_list *list = match_list_open(value, MATCH_NETWORKS, &scratch.context);
    g_assert_cmpint(match_list_find_address(list, &address), ==, LOOKUP_MISS);
    write_by_rename(&scratch, "t", "a 2\n");
    write_by_rename(&scratch, "n", "cidr:c\n");
    write_by_rename(&scratch, "c", "192.0.2.0/24 x\n");
    unsigned swapped = 0;
    for (int ms = 0; ms < PATIENCE_MS && swapped < 3; ms += POLL_MS) {
        swapped += table_set_refresh(set, scratch.context.problems);
        g_usleep(POLL_MS * 1000);
    }
    g_assert_cmpuint(swapped, ==, 3);
    assert_value(table, "a", "2");
    g_assert_cmpint(match_list_find_address(list, &address), ==, LOOKUP_HIT);
    /* A table named in a file of patterns is refreshed too, with the list. */
    write_by_rename(&scratch, "c", "10.0.0.0/8 x\n");
    for (int ms = 0; ms < PATIENCE_MS && swapped < 5; ms += POLL_MS) {
        swapped += table_set_refresh(set, scratch.context.problems);
        g_usleep(POLL_MS * 1000);
    }
    g_assert_cmpuint(swapped, ==, 5);
    g_assert_cmpint(match_list_find_address(list, &address), ==, LOOKUP_MISS);
    table_set_free(set);
    /* What is still held lives on. */
    assert_value(table, "a", "2");
    g_assert_false(match_list_refresh(list, scratch.context.problems));
    match_list_unref(list);
    table_unref(table);
    scratch_clear(&scratch);
}

/* Readers ask for the first and the last key of a large table while it is replaced and rewritten.
 * All values of one version are its number: whoever sees two numbers in one reading of the table,
 * or a missing key, saw half of it. */
enum { READERS = 4, ROWS = 20000, ROUNDS = 4 };

struct race {
    struct scratch scratch;
    struct table *table;
    int done;     /* atomic */
    int failures; /* atomic */
    int lookups;  /* atomic */
};

struct seen {
    GString *first;
    unsigned rows;
    bool mixed;
};

static bool see(void *data, const char *file, unsigned line, const char *key, const char *value)
{
    struct seen *seen = data;
    (void)file;
    (void)line;
    (void)key;
    if (seen->first->len == 0)
        g_string_assign(seen->first, value);
    else if (!g_str_equal(seen->first->str, value))
        seen->mixed = true;
    seen->rows++;
    return true;
}

static void *race_reader(void *data)
{
    struct race *race = data;
    g_autoptr(GString) value = g_string_new(NULL), first = g_string_new(NULL);
    g_autofree char *last = g_strdup_printf("key%d", ROWS - 1);
    while (!g_atomic_int_get(&race->done)) {
        struct seen seen = {.first = first};
        bool whole = table_find(race->table, "key0", value) == LOOKUP_HIT &&
                     table_find(race->table, last, value) == LOOKUP_HIT;
        g_string_truncate(first, 0);
        table_foreach(race->table, see, &seen);
        if (!whole || seen.mixed || seen.rows != 1)
            g_atomic_int_inc(&race->failures);
        g_atomic_int_inc(&race->lookups);
        g_usleep(1000);
    }
    return NULL;
}

static char *version_text(int version)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < ROWS; i++)
        g_string_append_printf(text, "key%d version%d\n", i, version);
    return g_string_free(text, FALSE);
}

/* Writes TEXT in place, bit by bit, polling the table in between. */
static void rewrite_slowly(struct race *race, const char *text)
{
    g_autofree char *path = scratch_path(&race->scratch, "t");
    FILE *stream = g_fopen(path, "w");
    size_t length = strlen(text), step = length / 20 + 1;
    for (size_t at = 0; at < length; at += step) {
        size_t size = MIN(step, length - at);
        g_assert_cmpuint(fwrite(text + at, 1, size, stream), ==, size);
        fflush(stream);
        g_assert_false(table_refresh(race->table, race->scratch.context.problems));
        g_usleep(5000);
    }
    fclose(stream);
}

static void test_race(void)
{
    struct race race = {.scratch = scratch_new()};
    g_autofree char *original = version_text(0);
    scratch_write(&race.scratch, "t", original, -1);
    race.table = table_open("texthash:t", false, &race.scratch.context);
    GThread *threads[READERS];
    for (int i = 0; i < READERS; i++)
        threads[i] = g_thread_new("reader", race_reader, &race);
    for (int round = 1; round <= ROUNDS; round++) {
        g_autofree char *text = version_text(round);
        g_autofree char *expected = g_strdup_printf("version%d", round);
        if (round % 2 == 0)
            write_by_rename(&race.scratch, "t", text);
        else
            rewrite_slowly(&race, text);
        g_assert_true(wait_for_swap(race.table, race.scratch.context.problems));
        assert_value(race.table, "key7", expected);
    }
    g_atomic_int_set(&race.done, 1);
    for (int i = 0; i < READERS; i++)
        g_thread_join(threads[i]);
    g_test_message("%d readings", race.lookups);
    g_assert_cmpint(race.failures, ==, 0);
    g_assert_cmpint(race.lookups, >, 10);
    g_assert_cmpuint(problems_warnings(race.scratch.context.problems), ==, 0);
    table_unref(race.table);
    scratch_clear(&race.scratch);
}

/* One pattern table, asked by many threads at once. */
static void *pattern_reader(void *data)
{
    g_autoptr(GString) value = g_string_new(NULL);
    for (int i = 0; i < 2000; i++) {
        g_autofree char *key = g_strdup_printf("user%d@example%d.com", i, i % 7);
        g_autofree char *expected = g_strdup_printf("<user%d,%d>", i, i % 7);
        if (table_find(data, key, value) != LOOKUP_HIT || !g_str_equal(value->str, expected))
            return data;
    }
    return NULL;
}

static void test_patterns_in_threads(void)
{
    static const char *const types[] = {"pcre:t", "regexp:t"};
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t", "/^nobody/ x\n/^([a-z0-9]+)@example([0-9])\\.com$/ <$1,$2>\n", -1);
    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        struct table *table = table_open(types[t], false, &scratch.context);
        GThread *threads[READERS];
        for (int i = 0; i < READERS; i++)
            threads[i] = g_thread_new("reader", pattern_reader, table);
        for (int i = 0; i < READERS; i++)
            g_assert_null(g_thread_join(threads[i]));
        table_unref(table);
    }
    scratch_clear(&scratch);
}

/* A configuration, and one list of it. */
struct config {
    struct table_set *set;
    struct match_list *list;
};

/* Opens the list that VALUE says, "@" for the folder, after OLDER, which may be NULL. */
static struct config configure(const struct scratch *scratch, const char *value,
                               const struct config *older)
{
    struct config config = {.set = table_set_new()};
    struct table_context context = scratch->context;
    g_autoptr(GString) text = g_string_new(value);
    g_string_replace(text, "@", scratch->dir, 0);
    context.set = config.set;
    context.older = older ? older->set : NULL;
    config.list = match_list_open(text->str, MATCH_DOMAINS, &context);
    g_assert_nonnull(config.list);
    return config;
}

static void config_clear(struct config *config)
{
    match_list_unref(config->list);
    table_set_free(config->set);
}

/* When file NAME was read; it is one of those of CONFIG. */
static int64_t loaded_at(const struct config *config, const char *name)
{
    g_autoptr(GPtrArray) statuses = table_set_status(config->set);
    for (unsigned i = 0; i < statuses->len; i++) {
        const struct table_status *status = statuses->pdata[i];
        if (g_str_has_suffix(status->name, name))
            return status->loaded_at;
    }
    g_assert_not_reached();
}

static void write_list(const struct scratch *scratch, const char *name, const char *text)
{
    g_autoptr(GString) whole = g_string_new(text);
    g_string_replace(whole, "@", scratch->dir, 0);
    scratch_write((struct scratch *)(uintptr_t)scratch, name, whole->str, -1);
}

static bool has(const struct config *config, const char *domain)
{
    return match_list_find_domain(config->list, domain) == LOOKUP_HIT;
}

/* What is as it was is not read again for the next configuration: neither a list's file, nor those
 * that it names. What is not so is. */
static void test_lists_shared(void)
{
    static const char *const names[] = {"/outer", "/same", "/other"};
    struct scratch scratch = scratch_new();
    write_list(&scratch, "table", "t.example yes\n");
    write_list(&scratch, "outer", "o.example @/same\n@/other texthash:@/table\n");
    write_list(&scratch, "same", "s.example\n");
    write_list(&scratch, "other", "a.example\n");
    write_list(&scratch, "bad", "b.example [\n");
    g_usleep(100000); /* until nobody can have written to them within the clock's tick */
    struct config first = configure(&scratch, "@/outer @/bad", NULL);
    g_autofree char *warnings = scratch_problems(&scratch);
    g_assert_nonnull(strstr(warnings, "bad:1: warning"));
    struct config second = configure(&scratch, "x.example @/outer @/bad", &first);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpint(loaded_at(&first, names[i]), ==, loaded_at(&second, names[i]));
    g_autofree char *again = scratch_problems(&scratch); /* told anew, hence read anew */
    g_assert_cmpstr(again, ==, warnings);
    g_assert_cmpint(loaded_at(&first, "/bad"), !=, loaded_at(&second, "/bad"));

    /* to keep out, the same file is another one */
    struct config except = configure(&scratch, "!@/outer x.example", &second);
    g_assert_cmpint(loaded_at(&second, "/outer"), !=, loaded_at(&except, "/outer"));
    g_assert_false(has(&except, "o.example"));

    write_list(&scratch, "other", "c.example\n");
    struct config third = configure(&scratch, "@/outer", &second);
    g_assert_cmpint(loaded_at(&second, "/same"), ==, loaded_at(&third, "/same"));
    g_assert_cmpint(loaded_at(&second, "/other"), !=, loaded_at(&third, "/other"));
    g_assert_true(has(&third, "c.example") && !has(&third, "a.example"));
    g_assert_true(has(&second, "a.example"));

    /* and a table that it names */
    struct config fourth = configure(&scratch, "@/outer", &third);
    write_list(&scratch, "table", "other.example yes\n");
    struct config fifth = configure(&scratch, "@/outer", &fourth);
    g_assert_true(has(&fourth, "t.example") && !has(&fifth, "t.example"));
    config_clear(&first);
    config_clear(&second);
    config_clear(&except);
    config_clear(&third);
    config_clear(&fourth);
    g_assert_true(has(&fifth, "s.example") && has(&fifth, "other.example"));
    config_clear(&fifth);
    scratch_clear(&scratch);
}

/* A file that two configurations share is read again once for both. */
static void test_lists_refreshed(void)
{
    struct scratch scratch = scratch_new();
    write_list(&scratch, "f", "a.example\n");
    g_usleep(100000);
    struct config first = configure(&scratch, "@/f", NULL);
    struct config second = configure(&scratch, "@/f", &first);
    write_list(&scratch, "f", "b.example c.example\n");
    bool swapped = false;
    for (int ms = 0; !swapped && ms < PATIENCE_MS; ms += POLL_MS) {
        swapped = table_set_refresh(first.set, scratch.context.problems) > 0;
        g_usleep(POLL_MS * 1000);
    }
    g_assert_true(swapped);
    g_assert_true(has(&second, "b.example") && !has(&second, "a.example"));
    g_assert_cmpint(loaded_at(&first, "/f"), ==, loaded_at(&second, "/f"));
    g_assert_cmpuint(table_set_refresh(second.set, scratch.context.problems), ==, 0);
    config_clear(&first);
    g_assert_true(has(&second, "c.example"));
    config_clear(&second);
    scratch_clear(&scratch);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/refresh/unchanged", test_unchanged);
    g_test_add_func("/refresh/changed", test_changed);
    g_test_add_func("/refresh/future", test_future);
    g_test_add_func("/refresh/trouble", test_trouble);
    g_test_add_func("/refresh/set", test_set);
    g_test_add_func("/refresh/race", test_race);
    g_test_add_func("/refresh/patterns-in-threads", test_patterns_in_threads);
    g_test_add_func("/refresh/lists-shared", test_lists_shared);
    g_test_add_func("/refresh/lists-refreshed", test_lists_refreshed);
    return g_test_run();
}
