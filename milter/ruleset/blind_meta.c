/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Metas that name nothing but skipped rules: "!__HAS_TEXT && !__HAS_PICTURE" would hit on every
 * message, as nobody looks for the two. They are skipped themselves.
 */
#include "ruleset_private.h"

/* Whether some rule that is skipped is named, and none that is there. */
static bool is_blind(const struct builder *builder, const struct rule *rule)
{
    bool blind = false;
    for (guint i = 0; rule->meta && i < rule->meta->names->len; i++) {
        const struct expression_name *name = rule->meta->names->pdata[i];
        if (name->argument || meta_rule_find(builder->rules, name->word))
            return false;
        blind |= g_hash_table_contains(builder->blind, name->word);
    }
    return blind;
}

static bool skip_if_blind(struct builder *builder, const char *name)
{
    const struct rule *rule = g_hash_table_lookup(builder->rules, name);
    if (!rule || !is_blind(builder, rule))
        return false;
    builder_note_skipped(builder, rule->info.file, rule->info.line, "meta",
                         "names none but skipped rules");
    g_hash_table_add(builder->blind, g_strdup(name));
    g_hash_table_remove(builder->rules, name);
    return true;
}

/* One that is skipped may leave others without sight; each round but the last skips one at least.
 */
void blind_metas_skip(struct builder *builder)
{
    bool again = g_hash_table_size(builder->blind) > 0;
    for (unsigned round = 0; again && round < BLIND_ROUNDS_MAX; round++) {
        again = false;
        for (guint i = 0; i < builder->order->len; i++)
            again |= skip_if_blind(builder, builder->order->pdata[i]);
    }
}
