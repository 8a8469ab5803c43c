/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles, and the sum for one of them. A profile knows what each meta is worth when nothing hits;
 * for a message only those metas are worked out again that something reaches.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "matches.h"
#include "ruleset_private.h"

struct ruleset_profile *profile_new(const struct ruleset *ruleset)
{
    struct ruleset_profile *profile = g_new0(struct ruleset_profile, 1);
    guint count = ruleset->rules->len;
    profile->scores = g_new0(double, count + 1);
    profile->disabled = g_new0(bool, count + 1);
    profile->live = g_new0(bool, count + 1);
    profile->baseline = g_new0(double, count + 1);
    for (guint i = 0; i < count; i++) {
        const struct rule *rule = ruleset->rules->pdata[i];
        profile->scores[i] = rule->info.score;
        profile->disabled[i] = rule->disabled;
    }
    return profile;
}

/* The values that a rule can have if it is not disabled. */
static struct expression_range rule_range(const struct rule *rule,
                                          const struct expression_range *ranges)
{
    if (!rule->meta)
        return (struct expression_range){0, rule->header ? rule->header->max_hits : 1};
    struct expression_range range = expression_range(rule->meta, ranges, NULL);
    if (range.low < 0) /* see meta_rule_value */
        range = (struct expression_range){0, MAX(range.high, 1)};
    return range;
}

/* Marks in LIVE what must be run: what counts itself, and what any of that hangs on. DISABLED is
 * [rule]; NULL: any might be. */
static void find_live(const struct ruleset *ruleset, const bool *disabled, bool *live)
{
    guint count = ruleset->rules->len;
    g_autofree struct expression_range *ranges = g_new0(struct expression_range, count + 1);
    for (guint i = 0; i < count; i++) {
        const struct rule *rule = ruleset->rules->pdata[i];
        if ((!disabled || !disabled[i]) && !rule->meta)
            ranges[i] = rule_range(rule, ranges);
    }
    for (guint i = 0; i < ruleset->metas->len; i++) {
        const struct rule *meta = ruleset->metas->pdata[i];
        if (!disabled || !disabled[meta->index])
            ranges[meta->index] = rule_range(meta, ranges);
        if (!disabled)
            ranges[meta->index].low = 0;
    }
    for (guint i = 0; i < count; i++) {
        const struct rule *rule = ruleset->rules->pdata[i];
        live[i] = ranges[i].high > 0 && (!rule->subrule || ruleset->options.keep_subrules);
    }
    /* Backwards, so that what a meta hangs on is marked before its own names are. */
    for (guint i = ruleset->metas->len; i-- > 0;) {
        const struct rule *meta = ruleset->metas->pdata[i];
        if (live[meta->index])
            expression_range(meta->meta, ranges, live);
    }
}

bool *score_possible(const struct ruleset *ruleset)
{
    bool *live = g_new0(bool, ruleset->rules->len + 1);
    find_live(ruleset, NULL, live);
    return live;
}

void profile_finish(const struct ruleset *ruleset, struct ruleset_profile *profile)
{
    find_live(ruleset, profile->disabled, profile->live);
    profile->metas = g_new0(uint64_t, ruleset->metas->len / 64 + 1);
    profile->usual = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (guint i = 0; i < ruleset->metas->len; i++) {
        const struct rule *meta = ruleset->metas->pdata[i];
        double *value = &profile->baseline[meta->index];
        if (profile->disabled[meta->index])
            continue;
        *value = meta_rule_value(meta->meta, profile->baseline);
        if (*value > 0)
            g_array_append_val(profile->usual, i);
        if (profile->live[meta->index])
            profile->metas[i / 64] |= (uint64_t)1 << i % 64;
    }
}

struct ruleset_profile *ruleset_profile_new(const struct ruleset *ruleset,
                                            const struct ruleset_override *overrides, size_t count,
                                            struct problems *problems)
{
    struct ruleset_profile *profile = profile_new(ruleset);
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = g_hash_table_lookup(ruleset->names, overrides[i].rule);
        if (!rule) {
            problems_warning(problems, overrides[i].file, overrides[i].line, "no rule is called %s",
                             overrides[i].rule);
            continue;
        }
        double score = overrides[i].score;
        profile->scores[rule->index] = rule->subrule ? 0 : score;
        profile->disabled[rule->index] = !(score < 0 || score > 0);
    }
    profile_finish(ruleset, profile);
    return profile;
}

void ruleset_profile_free(struct ruleset_profile *profile)
{
    if (!profile)
        return;
    g_free(profile->scores);
    g_free(profile->disabled);
    g_free(profile->live);
    g_free(profile->baseline);
    g_free(profile->metas);
    if (profile->usual)
        g_array_unref(profile->usual);
    g_free(profile);
}

/* A sum in the making. */
struct sum {
    const struct ruleset *ruleset;
    const struct ruleset_profile *profile;
    double *values;    /* [rule] */
    uint64_t *reached; /* bits of places in METAS: those that must be worked out */
    GArray *hits;      /* struct ruleset_hit */
    GArray *ranks;     /* unsigned, of each */
};

static void add_hit(struct sum *sum, const struct rule *rule, unsigned count, const char *text)
{
    struct ruleset_hit hit = {rule->info.name, rule->info.description,
                              sum->profile->scores[rule->index] * count, count, text};
    if (rule->subrule && !sum->ruleset->options.keep_subrules)
        return;
    g_array_append_val(sum->hits, hit);
    g_array_append_val(sum->ranks, rule->rank);
}

/* The live metas that name RULE must be worked out. */
static void reach_dependents(struct sum *sum, const struct rule *rule)
{
    for (guint i = 0; rule->dependents && i < rule->dependents->len; i++) {
        unsigned place = ((const struct rule *)rule->dependents->pdata[i])->place;
        sum->reached[place / 64] |= sum->profile->metas[place / 64] & (uint64_t)1 << place % 64;
    }
}

static void take_matches(struct sum *sum, const struct ruleset_matches *matches)
{
    for (guint i = 0; i < matches->found->len; i++) {
        const struct match *match = &g_array_index(matches->found, struct match, i);
        const struct rule *rule = sum->ruleset->rules->pdata[match->rule];
        if (!sum->profile->live[match->rule])
            continue;
        sum->values[match->rule] = match->count;
        add_hit(sum, rule, match->count, match->text);
        reach_dependents(sum, rule);
    }
}

/* SpamAssassin counts the value of a meta, if it is more than 0, as how often it hit; for other
 * metas that value is what counts, not a 1. A meta that is reached stands behind those that it
 * names, so that going on through the bits comes to it. */
static void work_out_metas(struct sum *sum)
{
    for (guint word = 0; word <= sum->ruleset->metas->len / 64; word++) {
        uint64_t done = 0, left;
        while ((left = sum->reached[word] & ~done)) {
            unsigned bit = (unsigned)__builtin_ctzll(left);
            const struct rule *meta = sum->ruleset->metas->pdata[word * 64 + bit];
            double before = sum->values[meta->index];
            double value = meta_rule_value(meta->meta, sum->values);
            done |= (uint64_t)1 << bit;
            sum->values[meta->index] = value;
            if (value > 0)
                add_hit(sum, meta, 1, "");
            if (value < before || value > before)
                reach_dependents(sum, meta);
        }
    }
    for (guint i = 0; i < sum->profile->usual->len; i++) {
        unsigned place = g_array_index(sum->profile->usual, unsigned, i);
        if (sum->profile->metas[place / 64] & ~sum->reached[place / 64] & (uint64_t)1 << place % 64)
            add_hit(sum, sum->ruleset->metas->pdata[place], 1, "");
    }
}

/* Three decimals, as SpamAssassin prints and compares; no zero with a sign. */
static double round_score(double score)
{
    char buffer[64];
    return g_ascii_strtod(g_ascii_formatd(buffer, sizeof buffer, "%.3f", score), NULL) + 0.0;
}

/* Marks the metas that name RULE. */
static void mark_dependents(bool *marks, const struct rule *rule)
{
    for (guint i = 0; rule->dependents && i < rule->dependents->len; i++)
        marks[((const struct rule *)rule->dependents->pdata[i])->index] = true;
}

/* What of the score is not known: of the rules that were cut off, and of the metas that name one,
 * which may be worth more or less than what was found. */
static void find_bounds(const struct sum *sum, const struct ruleset_matches *matches, double score,
                        struct ruleset_result *result)
{
    const struct ruleset_profile *profile = sum->profile;
    g_autofree bool *untold = g_new0(bool, sum->ruleset->rules->len + 1);
    double least = score, most = score;
    for (guint i = 0; i < matches->untold->len; i++)
        untold[g_array_index(matches->untold, unsigned, i)] = true;
    for (guint i = 0; i < sum->ruleset->rules->len; i++) {
        const struct rule *rule = sum->ruleset->rules->pdata[i];
        if (rule->meta || !untold[i] || !profile->live[i])
            continue;
        double more = (rule->header ? rule->header->max_hits : 1) - sum->values[i];
        *(profile->scores[i] < 0 ? &least : &most) += profile->scores[i] * more;
        mark_dependents(untold, rule);
    }
    for (guint i = 0; i < sum->ruleset->metas->len; i++) {
        const struct rule *meta = sum->ruleset->metas->pdata[i];
        if (!untold[meta->index] || !profile->live[meta->index])
            continue;
        double other = (sum->values[meta->index] > 0 ? -1 : 1) * profile->scores[meta->index];
        *(other < 0 ? &least : &most) += other;
        mark_dependents(untold, meta);
    }
    result->least = round_score(least);
    result->most = round_score(most);
}

static int compare_names(const void *a, const void *b)
{
    const struct rule *const *left = a, *const *right = b;
    return strcmp((*left)->info.name, (*right)->info.name);
}

void score_rank(struct ruleset *ruleset)
{
    guint count = ruleset->rules->len;
    g_autofree struct rule **sorted = g_new(struct rule *, count + 1);
    for (guint i = 0; i < count; i++)
        sorted[i] = ruleset->rules->pdata[i];
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (guint i = 0; i < count; i++)
        sorted[i]->rank = i;
}

/* Puts the hits in the order of their names: a bit for each rank, and where its hit is. */
static struct ruleset_hit *sort_hits(const struct sum *sum)
{
    guint count = sum->hits->len, words = sum->ruleset->rules->len / 64 + 1, to = 0;
    struct ruleset_hit *sorted = g_new(struct ruleset_hit, count);
    g_autofree uint64_t *ranks = g_new0(uint64_t, words);
    g_autofree guint *places = g_new(guint, sum->ruleset->rules->len + 1);
    for (guint i = 0; i < count; i++) {
        unsigned rank = g_array_index(sum->ranks, unsigned, i);
        ranks[rank / 64] |= (uint64_t)1 << rank % 64;
        places[rank] = i;
    }
    for (guint word = 0; word < words; word++)
        for (uint64_t left = ranks[word]; left > 0; left &= left - 1)
            sorted[to++] = g_array_index(sum->hits, struct ruleset_hit,
                                         places[word * 64 + (unsigned)__builtin_ctzll(left)]);
    return sorted;
}

void ruleset_score(const struct ruleset *ruleset, const struct ruleset_matches *matches,
                   const struct ruleset_profile *profile, struct ruleset_result *result_r)
{
    struct sum sum = {.ruleset = ruleset, .profile = profile ? profile : ruleset->base};
    g_autofree double *values = g_new0(double, ruleset->rules->len + 1);
    g_autofree uint64_t *reached = g_new0(uint64_t, ruleset->metas->len / 64 + 1);
    double score = 0;
    for (guint i = 0; i < sum.profile->usual->len; i++) {
        unsigned place = g_array_index(sum.profile->usual, unsigned, i);
        unsigned meta = ((const struct rule *)ruleset->metas->pdata[place])->index;
        values[meta] = sum.profile->baseline[meta];
    }
    sum.values = values;
    sum.reached = reached;
    sum.hits = g_array_new(FALSE, FALSE, sizeof(struct ruleset_hit));
    sum.ranks = g_array_new(FALSE, FALSE, sizeof(unsigned));
    take_matches(&sum, matches);
    work_out_metas(&sum);
    for (guint i = 0; i < sum.hits->len; i++)
        score += g_array_index(sum.hits, struct ruleset_hit, i).score;
    result_r->score = result_r->least = result_r->most = round_score(score);
    if (matches->untold->len > 0)
        find_bounds(&sum, matches, score, result_r);
    result_r->hit_count = sum.hits->len;
    result_r->hits = sort_hits(&sum);
    g_array_unref(sum.hits);
    g_array_unref(sum.ranks);
}

void ruleset_result_clear(struct ruleset_result *result)
{
    g_free(result->hits);
    memset(result, 0, sizeof *result);
}
