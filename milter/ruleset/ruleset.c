/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Loading and asking a ruleset.
 */
#include "ruleset/ruleset.h"

#include "ruleset_private.h"

static struct ruleset *ruleset_new(const struct ruleset_options *options)
{
    struct ruleset *ruleset = g_new0(struct ruleset, 1);
    g_atomic_ref_count_init(&ruleset->references);
    if (options)
        ruleset->options = *options;
    ruleset->strings = g_string_chunk_new(4096);
    ruleset->patterns = pattern_context_new();
    ruleset->rooms = match_rooms_new();
    ruleset->rules = g_ptr_array_new_with_free_func(rule_destroy);
    ruleset->names = g_hash_table_new(g_str_hash, g_str_equal);
    ruleset->charsets = g_ptr_array_new();
    ruleset->scripts = g_ptr_array_new();
    ruleset->listed = g_array_new(FALSE, FALSE, sizeof(struct source));
    ruleset->addresses = g_ptr_array_new();
    ruleset->externals = g_ptr_array_new();
    ruleset->metas = g_ptr_array_new();
    ruleset->external_info = g_array_new(FALSE, FALSE, sizeof(struct ruleset_external));
    ruleset->skipped = g_array_new(FALSE, FALSE, sizeof(struct ruleset_skipped));
    ruleset->files = g_ptr_array_new();
    ruleset->stamps = g_array_new(FALSE, FALSE, sizeof(struct rule_stamp));
    ruleset->digests = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    return ruleset;
}

struct ruleset *ruleset_load(const char *const *paths, const struct ruleset_options *options,
                             struct problems *problems)
{
    struct builder builder;
    struct ruleset *ruleset = ruleset_new(options);
    unsigned told = problems_errors(problems) + problems_warnings(problems);
    ruleset->paths = g_strdupv((char **)(uintptr_t)paths);
    ruleset->loaded_at = g_get_real_time();
    builder_init(&builder, ruleset, problems);
    for (size_t i = 0; paths[i]; i++)
        lines_read_path(&builder, paths[i]);
    build_finish(&builder);
    builder_clear(&builder);
    ruleset->complained = problems_errors(problems) + problems_warnings(problems) > told;
    return ruleset;
}

/* Longer than a tick of any file system's clock: what was written to in the last one before it was
 * read may have been written to after that, and look the same. */
enum { TICK_US = 100 * G_TIME_SPAN_MILLISECOND };

static bool is_same(const struct ruleset *ruleset, guint index)
{
    const struct rule_stamp *then = &g_array_index(ruleset->stamps, struct rule_stamp, index);
    struct rule_stamp now = lines_stamp(ruleset->files->pdata[index]);
    if (!then->exists || !now.exists)
        return then->exists == now.exists;
    return now.device == then->device && now.inode == then->inode && now.size == then->size &&
           now.modified == then->modified && now.changed == then->changed &&
           MAX(then->modified, then->changed) / 1000 < ruleset->loaded_at - TICK_US;
}

bool ruleset_is_current(const struct ruleset *ruleset, const char *const *paths,
                        const struct ruleset_options *options)
{
    const struct ruleset_options *had = &ruleset->options;
    if (!ruleset->paths || ruleset->complained ||
        !g_strv_equal((const char *const *)ruleset->paths, paths) ||
        had->missing_is_empty != options->missing_is_empty ||
        had->keep_subrules != options->keep_subrules ||
        had->no_prefilter != options->no_prefilter || had->timeless != options->timeless)
        return false;
    for (guint i = 0; i < ruleset->files->len; i++)
        if (!is_same(ruleset, i))
            return false;
    return true;
}

struct ruleset *ruleset_load_text(const char *name, const char *text, size_t length,
                                  const struct ruleset_options *options, struct problems *problems)
{
    struct builder builder;
    struct ruleset *ruleset = ruleset_new(options);
    builder_init(&builder, ruleset, problems);
    lines_read_text(&builder, name, text, length);
    build_finish(&builder);
    builder_clear(&builder);
    return ruleset;
}

struct ruleset *ruleset_ref(struct ruleset *ruleset)
{
    g_atomic_ref_count_inc(&ruleset->references);
    return ruleset;
}

void ruleset_unref(struct ruleset *ruleset)
{
    if (!ruleset || !g_atomic_ref_count_dec(&ruleset->references))
        return;
    ruleset_profile_free(ruleset->base);
    g_ptr_array_unref(ruleset->groups);
    g_ptr_array_unref(ruleset->charsets);
    g_ptr_array_unref(ruleset->scripts);
    g_array_unref(ruleset->listed);
    g_ptr_array_unref(ruleset->addresses);
    g_ptr_array_unref(ruleset->externals);
    g_ptr_array_unref(ruleset->metas);
    g_hash_table_unref(ruleset->names);
    g_ptr_array_unref(ruleset->rules);
    g_array_unref(ruleset->external_info);
    g_array_unref(ruleset->skipped);
    g_ptr_array_unref(ruleset->files);
    g_array_unref(ruleset->stamps);
    g_strfreev(ruleset->paths);
    g_array_unref(ruleset->digests);
    match_rooms_free(ruleset->rooms);
    pattern_context_free(ruleset->patterns);
    g_string_chunk_free(ruleset->strings);
    g_free(ruleset);
}

bool ruleset_is_empty(const struct ruleset *ruleset)
{
    return ruleset->rules->len == 0;
}

bool ruleset_needs_body(const struct ruleset *ruleset)
{
    for (guint i = 0; i < ruleset->charsets->len; i++) {
        const struct rule *rule = ruleset->charsets->pdata[i];
        if (rule->charset->in.sources->len == 0 && rule->charset->labels->len > 0)
            return true;
    }
    return false;
}

bool ruleset_required_score(const struct ruleset *ruleset, double *score_r)
{
    if (ruleset->has_required)
        *score_r = ruleset->required;
    return ruleset->has_required;
}

size_t ruleset_rule_count(const struct ruleset *ruleset)
{
    return ruleset->rules->len;
}

const struct ruleset_rule *ruleset_rule_get(const struct ruleset *ruleset, size_t index)
{
    const struct rule *rule = index < ruleset->rules->len ? ruleset->rules->pdata[index] : NULL;
    return rule ? &rule->info : NULL;
}

const struct ruleset_rule *ruleset_rule_find(const struct ruleset *ruleset, const char *name)
{
    const struct rule *rule = g_hash_table_lookup(ruleset->names, name);
    return rule ? &rule->info : NULL;
}

size_t ruleset_skipped_count(const struct ruleset *ruleset)
{
    return ruleset->skipped->len;
}

const struct ruleset_skipped *ruleset_skipped_get(const struct ruleset *ruleset, size_t index)
{
    return index < ruleset->skipped->len
               ? &g_array_index(ruleset->skipped, struct ruleset_skipped, index)
               : NULL;
}

size_t ruleset_external_count(const struct ruleset *ruleset)
{
    return ruleset->external_info->len;
}

const struct ruleset_external *ruleset_external_get(const struct ruleset *ruleset, size_t index)
{
    return index < ruleset->external_info->len
               ? &g_array_index(ruleset->external_info, struct ruleset_external, index)
               : NULL;
}

bool ruleset_external_wanted(const struct ruleset *ruleset, const struct ruleset_profile *profile,
                             size_t index)
{
    if (index >= ruleset->externals->len)
        return false;
    const struct rule *rule = ruleset->externals->pdata[index];
    return (profile ? profile : ruleset->base)->live[rule->index];
}

const char *ruleset_file(const struct ruleset *ruleset, size_t index)
{
    return index < ruleset->files->len ? ruleset->files->pdata[index] : NULL;
}

uint64_t ruleset_file_digest(const struct ruleset *ruleset, size_t index)
{
    return index < ruleset->digests->len ? g_array_index(ruleset->digests, uint64_t, index) : 0;
}
