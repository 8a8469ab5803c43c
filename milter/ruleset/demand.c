/* SPDX-License-Identifier: BSD-2-Clause */
#include "demand.h"

#include <string.h>

/* Metas behind metas that are looked through; what is behind more of them is asked. */
#define DEPTH_MAX 8

struct demand {
    const struct ruleset *ruleset;
    const struct ruleset_profile *profile;
    guint8 *answers; /* [rule]: enum demand_answer */
    bool *idle;      /* [rule]: a meta of which is known that nothing hangs on what it names */
    guint *passed;   /* [place of a meta]: so many of its dependents, the first ones, are idle */
};

struct demand *demand_new(const struct ruleset *ruleset)
{
    struct demand *demand = g_new(struct demand, 1);
    *demand = (struct demand){.ruleset = ruleset,
                              .answers = g_new(guint8, ruleset->rules->len + 1),
                              .idle = g_new(bool, ruleset->rules->len + 1),
                              .passed = g_new(guint, ruleset->metas->len + 1)};
    return demand;
}

void demand_begin(struct demand *demand, const struct ruleset_profile *profile)
{
    demand->profile = profile;
    memset(demand->answers, DEMAND_NO, demand->ruleset->rules->len);
    memset(demand->idle, false, demand->ruleset->rules->len);
    memset(demand->passed, 0, demand->ruleset->metas->len * sizeof *demand->passed);
}

void demand_free(struct demand *demand)
{
    if (!demand)
        return;
    g_free(demand->answers);
    g_free(demand->idle);
    g_free(demand->passed);
    g_free(demand);
}

void demand_answer(struct demand *demand, const struct rule *rule, enum demand_answer answer)
{
    demand->answers[rule->index] = (guint8)answer;
}

/* Whether none of the COUNT literals can be so any more. */
static bool is_missed(const struct demand *demand, const unsigned *literals, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct rule *rule = demand->ruleset->rules->pdata[literals[i] / 2];
        enum demand_answer answer = demand->answers[rule->index];
        if (rule->meta || answer == DEMAND_UNKNOWN || (answer == DEMAND_HIT) != literals[i] % 2)
            return false;
    }
    return true;
}

static bool any_hangs_on(struct demand *demand, const struct rule *rule, unsigned depth);

/* Whether it is known that META is worth nothing, or that nothing that counts hangs on it. */
static bool is_idle(struct demand *demand, const struct rule *meta, unsigned depth)
{
    bool *idle = &demand->idle[meta->index];
    for (guint at = 0; at < meta->clauses->len && !*idle;) {
        const unsigned *clause = &g_array_index(meta->clauses, unsigned, at);
        *idle = is_missed(demand, clause + 1, *clause);
        at += 1 + *clause;
    }
    if (!*idle && meta->subrule && !demand->ruleset->options.keep_subrules && depth < DEPTH_MAX)
        *idle = !any_hangs_on(demand, meta, depth + 1);
    return *idle;
}

/* What is idle stays so: of a meta that many rules lead to, it is passed over once. */
static bool any_hangs_on(struct demand *demand, const struct rule *rule, unsigned depth)
{
    guint first = 0, *at = rule->meta ? &demand->passed[rule->place] : &first;
    for (; rule->dependents && *at < rule->dependents->len; ++*at) {
        const struct rule *meta = rule->dependents->pdata[*at];
        if (demand->profile->live[meta->index] && !is_idle(demand, meta, depth))
            return true;
    }
    return false;
}

bool demand_has(struct demand *demand, const struct rule *rule)
{
    return any_hangs_on(demand, rule, 0);
}
