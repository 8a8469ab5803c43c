/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Differences, told by name.
 */
#include "policy/snapshot_changes.h"

#include <string.h>
#include <sys/stat.h>

#include "base/siphash.h"
#include "base/wholefile.h"
#include "checks/spam.h"
#include "lookup/tablestatus.h"
#include "ruleset/ruleset.h"

enum { NAMES_SHOWN = 20 };

/* As large as a rule file may be, and more. */
enum { RULE_FILE_MOST = 64 << 20 };

void changes_add_names(GString *out, const GPtrArray *names)
{
    for (guint i = 0; i < MIN(names->len, NAMES_SHOWN); i++)
        g_string_append_printf(out, "%s%s", i ? ", " : "", (const char *)names->pdata[i]);
    if (names->len > NAMES_SHOWN)
        g_string_append_printf(out, " and %u more", names->len - NAMES_SHOWN);
}

/* ", 2 WHAT: A, B"; nothing for none. */
static void add_some(GString *out, const GPtrArray *names, const char *what)
{
    if (names->len == 0)
        return;
    g_string_append_printf(out, ", %u %s: ", names->len, what);
    changes_add_names(out, names);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* BEFORE and NOW: name -> what it is, as text. */
static void add_line(GString *out, const char *what, GHashTable *before, GHashTable *now)
{
    g_autoptr(GPtrArray) changed = g_ptr_array_new(), added = g_ptr_array_new();
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, now);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        const char *old = g_hash_table_lookup(before, name);
        if (!old)
            g_ptr_array_add(added, name);
        else if (strcmp(old, value) != 0)
            g_ptr_array_add(changed, name);
    }
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &name, &value))
        if (!g_hash_table_contains(now, name))
            g_ptr_array_add(gone, name);
    g_ptr_array_sort(changed, compare);
    g_ptr_array_sort(added, compare);
    g_ptr_array_sort(gone, compare);
    g_string_append_printf(out, "%s: %u", what, g_hash_table_size(now));
    add_some(out, changed, "changed");
    add_some(out, added, "new");
    add_some(out, gone, "gone");
    g_string_append(out, changed->len + added->len + gone->len ? "\n" : ", none changed\n");
}

static GHashTable *tables_of(const struct snapshot *snapshot)
{
    GHashTable *tables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) statuses = snapshot_table_status(snapshot);
    for (guint i = 0; i < statuses->len; i++) {
        const struct table_status *status = statuses->pdata[i];
        g_hash_table_replace(tables, g_strdup(status->name),
                             g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, status->size,
                                             status->modified));
    }
    return tables;
}

/* Each ruleset of the policies once, with the listener that has it (NULL: main). */
static void each_ruleset(const struct snapshot *snapshot, void *data,
                         void (*visit)(void *data, const struct section *section,
                                       const struct ruleset *ruleset))
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++)
        if (policy->site.spam && g_hash_table_add(seen, policy->site.spam->ruleset))
            visit(data, policy->section, policy->site.spam->ruleset);
}

static void collect_rules(void *data, const struct section *section, const struct ruleset *ruleset)
{
    GHashTable *rules = data;
    const struct ruleset_rule *rule;
    for (size_t i = 0; (rule = ruleset_rule_get(ruleset, i)); i++) {
        char *name = section
                         ? g_strdup_printf("[listener %s] %s", section_name(section), rule->name)
                         : g_strdup(rule->name);
        g_hash_table_replace(rules, name,
                             g_strdup_printf("%d %.3f %s %s", (int)rule->kind, rule->score,
                                             rule->text, rule->description));
    }
}

static GHashTable *rules_of(const struct snapshot *snapshot)
{
    GHashTable *rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    each_ruleset(snapshot, rules, collect_rules);
    return rules;
}

void changes_between(const struct snapshot *before, const struct snapshot *now, GString *out)
{
    g_autoptr(GPtrArray) settings =
        settings_difference(snapshot_settings(before), snapshot_settings(now));
    g_autoptr(GHashTable) old_tables = tables_of(before), new_tables = tables_of(now);
    g_autoptr(GHashTable) old_rules = rules_of(before), new_rules = rules_of(now);
    if (settings->len == 0)
        g_string_append(out, "settings: none changed");
    else
        g_string_append_printf(out, "settings: %u changed: ", settings->len);
    changes_add_names(out, settings);
    g_string_append_c(out, '\n');
    add_line(out, "tables", old_tables, new_tables);
    add_line(out, "rules", old_rules, new_rules);
}

/* The disk */

static void add(GPtrArray *lines, const char *name, const char *what)
{
    g_ptr_array_add(lines, g_strconcat(name, ": ", what, NULL));
}

static bool has_file(const struct ruleset *ruleset, const char *path)
{
    const char *file;
    for (size_t i = 0; (file = ruleset_file(ruleset, i)); i++)
        if (strcmp(file, path) == 0)
            return true;
    return false;
}

static void compare_file(GPtrArray *lines, const char *path, uint64_t digest)
{
    struct whole_file whole;
    enum whole_file_result result =
        whole_file_read(path, WHOLE_FILE_REGULAR, RULE_FILE_MOST, &whole);
    if (result != WHOLE_FILE_READ)
        add(lines, path, whole_file_why(result));
    else if (siphash_digest(whole.text, whole.length) != digest)
        add(lines, path, digest ? "changed" : "new");
    g_free(whole.text);
}

/* A folder, or what was not there when it was looked for. */
static void compare_place(GPtrArray *lines, const struct ruleset *ruleset, const char *path)
{
    g_autoptr(GPtrArray) files = ruleset_folder_files(path, NULL);
    if (!files && g_file_test(path, G_FILE_TEST_IS_REGULAR))
        compare_file(lines, path, 0);
    for (guint i = 0; files && i < files->len; i++)
        if (!has_file(ruleset, files->pdata[i]))
            add(lines, files->pdata[i], "new");
}

static void compare_rules(void *data, const struct section *section, const struct ruleset *ruleset)
{
    const char *path;
    (void)section;
    for (size_t i = 0; (path = ruleset_file(ruleset, i)); i++) {
        uint64_t digest = ruleset_file_digest(ruleset, i);
        if (digest)
            compare_file(data, path, digest);
        else
            compare_place(data, ruleset, path);
    }
}

static void compare_tables(GPtrArray *lines, const struct snapshot *snapshot)
{
    g_autoptr(GPtrArray) statuses = snapshot_table_status(snapshot);
    for (guint i = 0; i < statuses->len; i++) {
        const struct table_status *status = statuses->pdata[i];
        struct stat now;
        if (status->trouble)
            g_ptr_array_add(lines, g_strdup_printf("%s: cannot be read again: %s", status->name,
                                                   status->trouble));
        else if (status->file && stat(status->file, &now) == 0 &&
                 (now.st_size != status->size ||
                  now.st_mtim.tv_sec * INT64_C(1000000000) + now.st_mtim.tv_nsec !=
                      status->modified))
            add(lines, status->name, "changed, will be read again by itself");
    }
}

static void compare_settings(GPtrArray *lines, const struct snapshot *snapshot, const char *path)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(path, problems);
    if (!settings)
        add(lines, path, "cannot be read");
    else if (problems_errors(problems) > 0)
        add(lines, path, "has errors (gatepostctl check tells them)");
    g_autoptr(GPtrArray) names =
        settings ? settings_difference(snapshot_settings(snapshot), settings) : NULL;
    if (names && names->len > 0) {
        GString *line = g_string_new(path);
        g_string_append(line, ": ");
        changes_add_names(line, names);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
    settings_free(settings);
    problems_free(problems);
}

GPtrArray *changes_on_disk(const struct snapshot *snapshot, const char *path)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    compare_settings(lines, snapshot, path);
    each_ruleset(snapshot, lines, compare_rules);
    compare_tables(lines, snapshot);
    return lines;
}
