/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables: which type a spec means, and the swap of one content for another. It must know nothing
 * of the formats.
 */
#include "lookup/table.h"

#include <string.h>

#include "base/text.h"
#include "lookup/tablestatus.h"
#include "table_content.h"
#include "tableset.h"
#include "watchedfile.h"

struct table {
    int references; /* atomic */
    const struct content_class *class;
    char *name;
    GMutex lock; /* guards CONTENT, for as long as it takes to count a reference */
    struct content *content;
    GMutex refresh_lock; /* guards FILE */
    struct watched_file file;
};

static const struct {
    const char *type;
    const struct content_class *class;
} types[] = {
    {"texthash", &texthash_class}, {"cidr", &cidr_class},      {"pcre", &pcre_class},
    {"regexp", &regexp_class},     {"inline", &inline_class},  {"static", &static_class},
    {"hash", &texthash_class},     {"btree", &texthash_class}, {"lmdb", &texthash_class},
    {"cdb", &texthash_class},      {"dbm", &texthash_class},   {"fail", &fail_class},
};

/* Postfix has them, gatepost has not. */
static const char *const foreign[] = {
    "environ", "internal",  "ldap",    "memcache", "mongodb",  "mysql",
    "netinfo", "nis",       "nisplus", "pgsql",    "pipemap",  "randmap",
    "sdbm",    "socketmap", "sqlite",  "tcp",      "unionmap", "unix",
};

static void unknown_type(const char *type, const struct table_context *context)
{
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        if (g_str_equal(type, foreign[i])) {
            problems_error(context->problems, context->file, context->line,
                           "tables of type \"%s\" are not supported; use texthash, cidr, pcre, "
                           "regexp, inline or static",
                           type);
            return;
        }
    }
    const char *known[G_N_ELEMENTS(types)];
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        known[i] = types[i].type;
    /* The last one, fail, is not suggested. */
    const char *nearest = text_nearest(type, known, G_N_ELEMENTS(types) - 1);
    problems_error(context->problems, context->file, context->line,
                   "unknown table type \"%s\"%s%s%s", type, nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Finds the class of SPEC and what follows its type; NULL with an error. */
static const struct content_class *parse_spec(const char *spec, bool bare_path_is_texthash,
                                              const struct table_context *context,
                                              const char **rest_r)
{
    while (g_str_has_prefix(spec, "proxy:"))
        spec += strlen("proxy:");
    const char *colon = strchr(spec, ':');
    bool bare = !colon || *spec == '/' || *spec == '.';
    *rest_r = bare ? spec : colon + 1;
    if (bare && bare_path_is_texthash && *spec)
        return &texthash_class;
    if (bare) {
        problems_error(context->problems, context->file, context->line,
                       "\"%s\" is no table; expected TYPE:NAME, such as texthash:/etc/gatepost/x",
                       spec);
        return NULL;
    }
    g_autofree char *type = g_strndup(spec, (gsize)(colon - spec));
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(type, types[i].type))
            return types[i].class;
    unknown_type(type, context);
    return NULL;
}

static struct table *new_table(const struct content_class *class, const char *name)
{
    struct table *table = g_new0(struct table, 1);
    table->references = 1;
    table->class = class;
    table->name = g_strconcat(class->type, ":", name, NULL);
    g_mutex_init(&table->lock);
    g_mutex_init(&table->refresh_lock);
    if (class->read)
        watched_file_init(&table->file, name);
    return table;
}

static void say_unreadable(const char *path, const char *why, const struct table_context *context)
{
    static const char *const compiled[] = {".db", ".lmdb", ".cdb", ".pag"};
    for (size_t i = 0; i < G_N_ELEMENTS(compiled); i++) {
        g_autofree char *other = g_strconcat(path, compiled[i], NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS) && g_file_test(other, G_FILE_TEST_EXISTS)) {
            problems_error(context->problems, context->file, context->line,
                           "cannot read table %s: there is only %s; the text it was made from is "
                           "needed",
                           path, other);
            return;
        }
    }
    problems_error(context->problems, context->file, context->line, "cannot read table %s: %s",
                   path, why);
}

/* The content of TEXT, which it takes over. */
static struct content *read_content(struct table *table, char *text, size_t length,
                                    struct problems *problems)
{
    unsigned before = problems_warnings(problems);
    struct content *content = table->class->read(text, length, table->file.path, problems);
    table->file.warnings = problems_warnings(problems) - before;
    return content;
}

static const struct table_set_class set_class;

static bool load_file(struct table *table, const struct table_context *context)
{
    size_t length;
    g_autofree char *why = NULL;
    char *text = watched_file_read(&table->file, &length, &why);
    if (!text) {
        say_unreadable(table->file.path, why, context);
        return false;
    }
    table->content = read_content(table, text, length, context->problems);
    return true;
}

static bool load_name(struct table *table, const char *name, const struct table_context *context)
{
    const char *why = NULL;
    table->content = table->class->make(name, &why);
    if (!table->content)
        problems_error(context->problems, context->file, context->line, "table %s: %s", table->name,
                       why);
    return table->content != NULL;
}

static char *canonical_name(const struct content_class *class, const char *rest,
                            const struct table_context *context)
{
    if (!class->read || g_path_is_absolute(rest) || !context->base_dir)
        return g_strdup(rest);
    return g_build_filename(context->base_dir, rest, NULL);
}

bool table_is_current(struct table *table)
{
    if (!table->file.path)
        return true;
    g_mutex_lock(&table->refresh_lock);
    bool same = table->file.warnings == 0 && watched_file_is_same(&table->file);
    g_mutex_unlock(&table->refresh_lock);
    return same;
}

struct table *table_open(const char *spec, bool bare_path_is_texthash,
                         const struct table_context *context)
{
    const char *rest;
    const struct content_class *class = parse_spec(spec, bare_path_is_texthash, context, &rest);
    if (!class)
        return NULL;
    if (class->read && *rest == '\0') {
        problems_error(context->problems, context->file, context->line, "\"%s\" names no file",
                       spec);
        return NULL;
    }
    g_autofree char *name = canonical_name(class, rest, context);
    struct table *table = new_table(class, name);
    struct table *present = table_set_lookup(context->set, &set_class, table->name);
    if (present) {
        table_unref(table);
        return present;
    }
    present = class->read ? table_set_lookup(context->older, &set_class, table->name) : NULL;
    if (present && context->set && table_is_current(present)) {
        table_unref(table);
        table_set_add(context->set, &set_class, present);
        return present;
    }
    table_unref(present);
    if (!(class->read ? load_file(table, context) : load_name(table, name, context))) {
        table_unref(table);
        return NULL;
    }
    if (context->set)
        table_set_add(context->set, &set_class, table);
    return table;
}

struct table *table_ref(struct table *table)
{
    g_atomic_int_inc(&table->references);
    return table;
}

void table_unref(struct table *table)
{
    if (!table || !g_atomic_int_dec_and_test(&table->references))
        return;
    content_unref(table->content);
    watched_file_clear(&table->file);
    g_mutex_clear(&table->lock);
    g_mutex_clear(&table->refresh_lock);
    g_free(table->name);
    g_free(table);
}

const char *table_name(const struct table *table)
{
    return table->name;
}

const char *table_file(const struct table *table)
{
    return table->file.path;
}

bool table_is_pattern(const struct table *table)
{
    return table->class->pattern;
}

static struct content *current(struct table *table)
{
    g_mutex_lock(&table->lock);
    struct content *content = content_ref(table->content);
    g_mutex_unlock(&table->lock);
    return content;
}

bool table_has_gaps(struct table *table)
{
    struct content *content = current(table);
    bool gaps = content->skipped > 0;
    content_unref(content);
    return gaps;
}

static enum lookup_status find(struct table *table, const char *key, GString *value_r,
                               GString *entry_r)
{
    g_autoptr(GString) unwanted = value_r ? NULL : g_string_new(NULL);
    GString *value = value_r ? value_r : unwanted;
    g_autofree char *folded = NULL;
    g_string_truncate(value, 0);
    if (table->class->folds) {
        folded = content_fold(key);
        if (!folded)
            return LOOKUP_MISS;
        key = folded;
    }
    struct content *content = current(table);
    unsigned line = 0;
    enum lookup_status status = content->class->find(content, key, value, &line);
    content_unref(content);
    if (status != LOOKUP_HIT)
        g_string_truncate(value, 0);
    if (!entry_r || status != LOOKUP_HIT)
        return status;
    if (line > 0)
        g_string_append_printf(entry_r, "%s:%u", table->name, line);
    else if (table->class->folds)
        g_string_append_printf(entry_r, "%s:%s", table->class->type, key);
    else
        g_string_append(entry_r, table->name);
    return status;
}

enum lookup_status table_find(struct table *table, const char *key, GString *value_r)
{
    return find(table, key, value_r, NULL);
}

enum lookup_status table_find_entry(struct table *table, const char *key, GString *value_r,
                                    GString *entry_r)
{
    if (entry_r)
        g_string_truncate(entry_r, 0);
    return find(table, key, value_r, entry_r);
}

bool table_refresh(struct table *table, struct problems *problems)
{
    if (!table->class->read)
        return false;
    g_mutex_lock(&table->refresh_lock);
    size_t length;
    char *text = watched_file_poll(&table->file, &length, problems);
    if (text) {
        struct content *fresh = read_content(table, text, length, problems);
        g_mutex_lock(&table->lock);
        struct content *old = table->content;
        table->content = fresh;
        g_mutex_unlock(&table->lock);
        content_unref(old);
    }
    g_mutex_unlock(&table->refresh_lock);
    return text != NULL;
}

static void add_status(void *data, GPtrArray *statuses)
{
    struct table *table = data;
    struct table_status *status = g_new0(struct table_status, 1);
    struct content *content = current(table);
    status->name = g_strdup(table->name);
    status->entries = content->class->count(content);
    content_unref(content);
    g_mutex_lock(&table->refresh_lock);
    watched_file_status(&table->file, status);
    g_mutex_unlock(&table->refresh_lock);
    g_ptr_array_add(statuses, status);
}

/* As members of a set */

static const char *member_name(const void *table)
{
    return table_name(table);
}

static void *member_ref(void *table)
{
    return table_ref(table);
}

static void member_unref(void *table)
{
    table_unref(table);
}

static bool member_refresh(void *table, struct problems *problems)
{
    return table_refresh(table, problems);
}

static const struct table_set_class set_class = {
    .kind = TABLE_SET_TABLES,
    .name = member_name,
    .ref = member_ref,
    .unref = member_unref,
    .refresh = member_refresh,
    .add_status = add_status,
};

bool table_foreach_entry(struct table *table, table_visit *visit, void *data)
{
    struct content *content = current(table);
    const char *file = table->file.path ? table->file.path : table->name;
    bool whole =
        (content->class->foreach_entry ? content->class->foreach_entry
                                       : content->class->foreach)(content, file, visit, data);
    content_unref(content);
    return whole;
}

bool table_foreach_open(struct table *table, unsigned ends, table_visit *visit, void *data)
{
    struct content *content = current(table);
    const char *file = table->file.path ? table->file.path : table->name;
    bool whole = !content->class->foreach_open ||
                 content->class->foreach_open(content, file, ends, visit, data);
    content_unref(content);
    return whole;
}

bool table_foreach(struct table *table, table_visit *visit, void *data)
{
    struct content *content = current(table);
    const char *file = table->file.path ? table->file.path : table->name;
    bool whole = content->class->foreach (content, file, visit, data);
    content_unref(content);
    return whole;
}
