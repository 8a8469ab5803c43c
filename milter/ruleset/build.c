/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From what the builder gathered to the immutable ruleset: scores, order, groups of header rules
 * with their sieves.
 */
#include <string.h>

#include "base/text.h"
#include "ruleset_private.h"

/* Groups of fewer rules are tried without a sieve. */
#define SIEVE_RULES_MIN 4

static bool has_flag(const char *flags, const char *flag)
{
    g_auto(GStrv) words = g_strsplit_set(flags, " \t", -1);
    return g_strv_contains((const char *const *)words, flag);
}

static unsigned max_hits(const char *flags)
{
    const char *limit = strstr(flags, "maxhits=");
    if (!has_flag(flags, "multiple"))
        return 1;
    guint64 most = limit ? g_ascii_strtoull(limit + strlen("maxhits="), NULL, 10) : 0;
    return most > 0 ? (unsigned)MIN(most, RULE_HITS_MAX) : RULE_HITS_MAX;
}

static void set_score(struct builder *builder, struct rule *rule)
{
    const char *name = rule->info.name;
    const char *flags = g_hash_table_lookup(builder->tflags, name);
    const double *given = g_hash_table_lookup(builder->scores, name);
    double usual = g_str_has_prefix(name, "T_") ? 0.01 : 1.0;
    rule->subrule = g_str_has_prefix(name, "__");
    double score = given ? *given : flags && has_flag(flags, "nice") ? -usual : usual;
    rule->disabled = !(score < 0 || score > 0);
    rule->info.score = rule->subrule ? 0 : score;
    if (rule->header && flags && rule->header->pattern && !rule->header->negated)
        rule->header->max_hits = max_hits(flags);
}

static void set_description(struct builder *builder, struct rule *rule)
{
    const char *text = g_hash_table_lookup(builder->descriptions, rule->info.name);
    rule->info.description =
        g_string_chunk_insert_const(builder->ruleset->strings, text ? text : "");
}

/* Drops a rule whose pattern holds replace tags, which only a plug-in could replace. */
static bool needs_tags(struct builder *builder, const struct rule *rule)
{
    if (!rule->header || !rule->header->pattern || !pattern_has_tags(rule->header->pattern) ||
        !g_hash_table_contains(builder->tagged, rule->info.name))
        return false;
    static const char reason[] = "the pattern holds replace tags, which need a plug-in";
    builder_note_skipped(builder, rule->info.file, rule->info.line, "header", reason);
    problems_warning(builder->problems, rule->info.file, rule->info.line, "rule %s is skipped: %s",
                     rule->info.name, reason);
    return true;
}

static void take_rule(struct builder *builder, const char *name)
{
    struct ruleset *ruleset = builder->ruleset;
    gpointer key, value;
    if (!g_hash_table_steal_extended(builder->rules, name, &key, &value))
        return; /* named twice in the order, or replaced by a rule that is skipped */
    struct rule *rule = value;
    g_free(key);
    if (needs_tags(builder, rule)) {
        rule_free(rule);
        return;
    }
    if (rule->header && rule->header->pattern && pattern_has_wide_case(rule->header->pattern))
        problems_warning(builder->problems, rule->info.file, rule->info.line, "rule %s: %s",
                         rule->info.name, TEXT_WIDE_CASE_REMARK);
    rule->index = ruleset->rules->len;
    set_score(builder, rule);
    set_description(builder, rule);
    g_ptr_array_add(ruleset->rules, rule);
    g_hash_table_insert(ruleset->names, (gpointer)rule->info.name, rule);
}

static void add_external(struct ruleset *ruleset, struct rule *rule)
{
    const char *spec = rule->info.text, *slash = strchr(spec, '/');
    struct ruleset_external external = {rule->info.name, spec,           spec, "",
                                        rule->info.file, rule->info.line};
    if (slash) {
        external.zone = g_string_chunk_insert_len(ruleset->strings, spec, slash - spec);
        external.places = slash + 1;
    }
    rule->external = ruleset->external_info->len;
    g_array_append_val(ruleset->external_info, external);
}

/* How often the rule hits where its source is missing: it is compared with what if-unset says, or
 * with nothing. */
static unsigned absent_hits(const struct header_rule *rule, struct matcher *matcher)
{
    size_t begin, end;
    const char *text = rule->if_unset ? rule->if_unset : "";
    if (rule->exists)
        return 0;
    matcher_take(matcher, text, strlen(text));
    enum match_status status = pattern_match(rule->pattern, matcher, 0, SIZE_MAX, &begin, &end);
    return (status == MATCH_YES) != rule->negated && status != MATCH_EXPLODED;
}

static void group_free(gpointer data)
{
    struct rule_group *group = data;
    source_clear(&group->source);
    g_ptr_array_unref(group->rules);
    sieve_free(group->sieve);
    g_array_unref(group->negated);
    g_free(group);
}

static struct rule_group *find_group(struct ruleset *ruleset, GHashTable *groups,
                                     const struct source *source)
{
    g_autofree char *key = source_key(source);
    struct rule_group *group = g_hash_table_lookup(groups, key);
    if (group)
        return group;
    group = g_new0(struct rule_group, 1);
    group->source = *source;
    group->source.name = g_strdup(source->name);
    group->rules = g_ptr_array_new();
    group->negated = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_ptr_array_add(ruleset->groups, group);
    g_hash_table_insert(groups, g_steal_pointer(&key), group);
    return group;
}

static void finish_group(const struct ruleset *ruleset, struct rule_group *group)
{
    if (group->rules->len < SIEVE_RULES_MIN || ruleset->options.no_prefilter)
        return;
    group->sieve = sieve_new(group->rules->len);
    for (guint i = 0; i < group->rules->len; i++) {
        const struct rule *rule = group->rules->pdata[i];
        const struct needs *needs =
            rule->header->pattern ? pattern_needs(rule->header->pattern) : NULL;
        if (needs)
            sieve_add(group->sieve, i, needs);
        if (rule->header->negated)
            g_array_append_val(group->negated, i);
    }
    sieve_finish(group->sieve);
}

static void sort_rules(struct ruleset *ruleset)
{
    g_autofree bool *possible = score_possible(ruleset);
    g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct work work;
    struct matcher *matcher = matcher_new(ruleset->patterns);
    matcher_begin(matcher, &work);
    GPtrArray *const places[] = {[RULESET_CHARSET] = ruleset->charsets,
                                 [RULESET_SCRIPT] = ruleset->scripts,
                                 [RULESET_ADDRESS] = ruleset->addresses,
                                 [RULESET_EXTERNAL] = ruleset->externals};
    for (guint i = 0; i < ruleset->rules->len; i++) {
        struct rule *rule = ruleset->rules->pdata[i];
        if (rule->info.kind == RULESET_HEADER) {
            work = work_begin(0, true);
            rule->header->absent = absent_hits(rule->header, matcher);
            ruleset->patterned += rule->header->pattern != NULL;
            if (possible[i])
                g_ptr_array_add(find_group(ruleset, groups, &rule->header->source)->rules, rule);
        } else if (rule->info.kind != RULESET_META) {
            g_ptr_array_add(places[rule->info.kind], rule);
        }
        if (rule->info.kind == RULESET_EXTERNAL)
            add_external(ruleset, rule);
    }
    matcher_free(matcher);
    for (guint i = 0; i < ruleset->groups->len; i++)
        finish_group(ruleset, ruleset->groups->pdata[i]);
}

/* Numbers the sources that charset and script rules name. */
static void number_sources(struct ruleset *ruleset)
{
    g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < ruleset->rules->len; i++) {
        const struct rule *rule = ruleset->rules->pdata[i];
        const struct field_list *in = rule->charset  ? &rule->charset->in
                                      : rule->script ? &rule->script->in
                                                     : NULL;
        for (guint n = 0; in && n < in->sources->len; n++) {
            const struct source *source = &g_array_index(in->sources, struct source, n);
            g_autofree char *key = source_key(source);
            unsigned place = GPOINTER_TO_UINT(g_hash_table_lookup(places, key));
            if (place == 0) {
                g_array_append_val(ruleset->listed, *source);
                place = ruleset->listed->len;
                g_hash_table_insert(places, g_steal_pointer(&key), GUINT_TO_POINTER(place));
            }
            place--;
            g_array_append_val(in->places, place);
        }
    }
}

void build_finish(struct builder *builder)
{
    struct ruleset *ruleset = builder->ruleset;
    ruleset->groups = g_ptr_array_new_with_free_func(group_free);
    address_rules_add(builder);
    blind_metas_skip(builder);
    for (guint i = 0; i < builder->order->len; i++)
        take_rule(builder, builder->order->pdata[i]);
    score_rank(ruleset);
    meta_rules_order(builder);
    sort_rules(ruleset);
    number_sources(ruleset);
    ruleset->base = profile_new(ruleset);
    profile_finish(ruleset, ruleset->base);
}
