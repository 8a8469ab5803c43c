/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "meta NAME EXPRESSION": names are resolved when all files are read; metas are ordered so that
 * each comes after those that it names.
 */
#include <math.h>
#include <string.h>

#include "ruleset_private.h"

static const char *const calls[] = {"rules_matching", NULL};

/* Names of 3.x for what is called otherwise now. */
static const struct {
    const char *old, *name;
} renamed[] = {
    {"USER_IN_BLACKLIST", "USER_IN_BLOCKLIST"},
    {"USER_IN_WHITELIST", "USER_IN_WELCOMELIST"},
    {"USER_IN_BLACKLIST_TO", "USER_IN_BLOCKLIST_TO"},
    {"USER_IN_WHITELIST_TO", "USER_IN_WELCOMELIST_TO"},
};

/* SpamAssassin takes no meta that divides by zero while nothing hits. */
static bool divides_by_zero(const struct expression *meta)
{
    bool failed;
    g_autofree double *zeros = g_new0(double, meta->names->len + 1);
    expression_value(meta, zeros, &failed);
    return failed;
}

enum pattern_status meta_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                    char **why_r)
{
    (void)builder;
    rule->info.kind = RULESET_META;
    rule->meta = expression_parse(text, calls, why_r);
    if (!rule->meta)
        return PATTERN_BAD;
    if (!divides_by_zero(rule->meta))
        return PATTERN_GOOD;
    *why_r = g_strdup("the expression divides by zero when nothing hits");
    return PATTERN_BAD;
}

double meta_rule_value(const struct expression *meta, const double *values)
{
    bool failed;
    double value = expression_value(meta, values, &failed);
    return value < 0 ? 1 : value; /* as SpamAssassin counts a hit of a negative value */
}

struct rule *meta_rule_find(GHashTable *rules, const char *name)
{
    struct rule *rule = g_hash_table_lookup(rules, name);
    for (size_t i = 0; !rule && i < G_N_ELEMENTS(renamed); i++)
        if (strcmp(name, renamed[i].old) == 0)
            rule = g_hash_table_lookup(rules, renamed[i].name);
    return rule;
}

static void add_dependency(struct rule *rule, struct expression_name *name, struct rule *on)
{
    if (!name->members)
        name->members = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_array_append_val(name->members, on->index);
    if (!on->dependents)
        on->dependents = g_ptr_array_new();
    g_ptr_array_add(on->dependents, rule);
}

/* rules_matching(GLOB): all rules whose names match, but the meta itself. */
static void resolve_glob(const struct ruleset *ruleset, struct rule *rule,
                         struct expression_name *name)
{
    for (guint i = 0; i < ruleset->rules->len; i++) {
        struct rule *other = ruleset->rules->pdata[i];
        if (other != rule && addressset_glob(name->argument, other->info.name))
            add_dependency(rule, name, other);
    }
}

static void resolve(const struct ruleset *ruleset, struct rule *rule)
{
    for (guint i = 0; i < rule->meta->names->len; i++) {
        struct expression_name *name = rule->meta->names->pdata[i];
        struct rule *on = name->argument ? NULL : meta_rule_find(ruleset->names, name->word);
        if (name->argument)
            resolve_glob(ruleset, rule, name);
        else if (on)
            add_dependency(rule, name, on);
    }
    expression_bind(rule->meta);
}

/* How many metas each meta waits for. */
static void count_waits(const struct ruleset *ruleset, unsigned *waits)
{
    for (guint i = 0; i < ruleset->rules->len; i++) {
        const struct rule *rule = ruleset->rules->pdata[i];
        for (guint n = 0; rule->meta && rule->dependents && n < rule->dependents->len; n++)
            waits[((struct rule *)rule->dependents->pdata[n])->index]++;
    }
}

/* Puts metas that wait for none into the order, and so on for those that waited for them. */
static void order(const struct ruleset *ruleset, unsigned *waits)
{
    for (guint i = 0; i < ruleset->rules->len; i++) {
        struct rule *rule = ruleset->rules->pdata[i];
        if (rule->meta && waits[i] == 0)
            g_ptr_array_add(ruleset->metas, rule);
    }
    for (guint at = 0; at < ruleset->metas->len; at++) {
        const struct rule *done = ruleset->metas->pdata[at];
        for (guint n = 0; done->dependents && n < done->dependents->len; n++) {
            struct rule *next = done->dependents->pdata[n];
            if (--waits[next->index] == 0)
                g_ptr_array_add(ruleset->metas, next);
        }
    }
}

/* Whether a way along metas that still wait leads from FROM back to it. */
static bool is_in_circle(const struct rule *from, const unsigned *waits, guint count)
{
    g_autofree bool *seen = g_new0(bool, count);
    g_autoptr(GPtrArray) queue = g_ptr_array_new();
    g_ptr_array_add(queue, (gpointer)from);
    for (guint at = 0; at < queue->len; at++) {
        const struct rule *rule = queue->pdata[at];
        for (guint n = 0; rule->dependents && n < rule->dependents->len; n++) {
            struct rule *next = rule->dependents->pdata[n];
            if (next == from)
                return true;
            if (waits[next->index] == 0 || seen[next->index])
                continue;
            seen[next->index] = true;
            g_ptr_array_add(queue, next);
        }
    }
    return false;
}

/* So long the clauses of a meta may become by those of others. */
#define CLAUSES_LENGTH_MAX 64

/* Most metas of circles that are searched out one by one; more are reported without a search. */
#define CIRCLE_SEARCH_MAX 2000

static void report_circles(struct builder *builder, const unsigned *waits)
{
    const struct ruleset *ruleset = builder->ruleset;
    unsigned searched = 0;
    for (guint i = 0; i < ruleset->rules->len; i++) {
        const struct rule *rule = ruleset->rules->pdata[i];
        if (!rule->meta || waits[i] == 0)
            continue;
        if (searched++ >= CIRCLE_SEARCH_MAX || is_in_circle(rule, waits, ruleset->rules->len))
            problems_error(builder->problems, rule->info.file, rule->info.line,
                           "meta %s depends on itself in a circle", rule->info.name);
    }
}

/* Appends as many of NEEDED's clauses as META has room for. Without that bound each meta of a chain
 * would hold the clauses of all that stand before it. */
static void add_clauses(struct rule *meta, const struct rule *needed)
{
    for (guint at = 0; needed->clauses && at < needed->clauses->len;) {
        const unsigned *clause = &g_array_index(needed->clauses, unsigned, at);
        if (meta->clauses->len + 1 + *clause > CLAUSES_LENGTH_MAX)
            return;
        g_array_append_vals(meta->clauses, clause, 1 + *clause);
        at += 1 + *clause;
    }
}

/* Finds what META needs to be worth anything, and what the metas need that it needs. */
static void find_clauses(const struct ruleset *ruleset, struct rule *meta)
{
    meta->clauses = expression_clauses(meta->meta);
    for (guint at = 0; at < meta->clauses->len;) {
        const unsigned *clause = &g_array_index(meta->clauses, unsigned, at);
        at += 1 + *clause;
        if (*clause == 1 && clause[1] % 2 == 0)
            add_clauses(meta, ruleset->rules->pdata[clause[1] / 2]);
    }
}

void meta_rules_order(struct builder *builder)
{
    struct ruleset *ruleset = builder->ruleset;
    for (guint i = 0; i < ruleset->rules->len; i++) {
        struct rule *rule = ruleset->rules->pdata[i];
        if (rule->meta)
            resolve(ruleset, rule);
    }
    g_autofree unsigned *waits = g_new0(unsigned, ruleset->rules->len + 1);
    count_waits(ruleset, waits);
    order(ruleset, waits);
    report_circles(builder, waits);
    for (guint i = 0; i < ruleset->metas->len; i++) {
        struct rule *meta = ruleset->metas->pdata[i];
        meta->place = i;
        find_clauses(ruleset, meta);
    }
}
