/* SPDX-License-Identifier: BSD-2-Clause
 *
 * blocklist_from and its family: each list that holds anything is a rule of a fixed name.
 */
#include <string.h>

#include "ruleset_private.h"

static const struct {
    const char *name, *old_name;
    double score;
    enum address_source source;
    const char *description, *text;
} lists[ADDRESS_LISTS] = {
    [LIST_BLOCK_FROM] = {"USER_IN_BLOCKLIST", "USER_IN_BLACKLIST", 100, ADDRESSES_FROM_ANY_READER,
                         "A sender's address is in the block list", "blocklist_from"},
    [LIST_WELCOME_FROM] = {"USER_IN_WELCOMELIST", "USER_IN_WHITELIST", -100, ADDRESSES_FROM,
                           "A sender's address is in the welcome list (it can be forged)",
                           "welcomelist_from"},
    [LIST_BLOCK_TO] = {"USER_IN_BLOCKLIST_TO", "USER_IN_BLACKLIST_TO", 10, ADDRESSES_TO,
                       "A recipient in the header is in the block list", "blocklist_to"},
    [LIST_WELCOME_TO] = {"USER_IN_WELCOMELIST_TO", "USER_IN_WHITELIST_TO", -6, ADDRESSES_TO,
                         "A recipient in the header is in the welcome list", "welcomelist_to"},
    [LIST_MORE_SPAM_TO] = {"USER_IN_MORE_SPAM_TO", "", -20, ADDRESSES_TO,
                           "A recipient in the header wants more spam", "more_spam_to"},
    [LIST_ALL_SPAM_TO] = {"USER_IN_ALL_SPAM_TO", "", -100, ADDRESSES_TO,
                          "A recipient in the header wants all spam", "all_spam_to"},
};

static gint compare_order(gconstpointer a, gconstpointer b, gpointer list)
{
    const struct list_place *left = g_hash_table_lookup(list, *(gconstpointer const *)a);
    const struct list_place *right = g_hash_table_lookup(list, *(gconstpointer const *)b);
    return left->order < right->order ? -1 : left->order > right->order;
}

/* The patterns of a list in the order of the files. */
static GPtrArray *sorted_patterns(GHashTable *list)
{
    GPtrArray *patterns = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer pattern;
    g_hash_table_iter_init(&iter, list);
    while (g_hash_table_iter_next(&iter, &pattern, NULL))
        g_ptr_array_add(patterns, pattern);
    g_ptr_array_sort_with_data(patterns, compare_order, list);
    for (guint i = 0; i < patterns->len; i++)
        patterns->pdata[i] = g_strdup(patterns->pdata[i]);
    return patterns;
}

/* The score that the files give, under the present name or that of 3.x, or the usual one. */
static void set_default_score(struct builder *builder, int list)
{
    const double *old = g_hash_table_lookup(builder->scores, lists[list].old_name);
    if (g_hash_table_contains(builder->scores, lists[list].name))
        return;
    double score = old ? *old : lists[list].score;
    g_hash_table_insert(builder->scores, g_strdup(lists[list].name),
                        g_memdup2(&score, sizeof score));
}

static struct rule *make_rule(struct builder *builder, int list)
{
    struct rule *rule = g_new0(struct rule, 1);
    GPtrArray *patterns = sorted_patterns(builder->lists[list]);
    const struct list_place *place = g_hash_table_lookup(builder->lists[list], patterns->pdata[0]);
    rule->info = (struct ruleset_rule){.kind = RULESET_ADDRESS,
                                       .name = lists[list].name,
                                       .text = lists[list].text,
                                       .file = place->file,
                                       .line = place->line};
    rule->address = g_new0(struct address_rule, 1);
    rule->address->source = lists[list].source;
    rule->address->patterns = patterns;
    rule->address->set = addressset_new((const char *const *)patterns->pdata, patterns->len);
    return rule;
}

void address_rules_add(struct builder *builder)
{
    for (int i = 0; i < ADDRESS_LISTS; i++) {
        const char *name = lists[i].name;
        if (g_hash_table_size(builder->lists[i]) == 0)
            continue;
        set_default_score(builder, i);
        if (!g_hash_table_contains(builder->descriptions, name))
            g_hash_table_insert(builder->descriptions, g_strdup(name),
                                g_strdup(lists[i].description));
        if (!g_hash_table_contains(builder->rules, name))
            g_ptr_array_add(builder->order, g_strdup(name));
        g_hash_table_replace(builder->rules, g_strdup(name), make_rule(builder, i));
    }
}

void address_rule_free(struct address_rule *rule)
{
    if (!rule)
        return;
    addressset_free(rule->set);
    g_ptr_array_unref(rule->patterns);
    g_free(rule);
}

bool address_rule_match(const struct address_rule *rule, const GPtrArray *addresses, GString *text)
{
    for (guint i = 0; i < addresses->len; i++) {
        if (!addressset_find(rule->set, addresses->pdata[i]))
            continue;
        g_string_assign(text, addresses->pdata[i]);
        return true;
    }
    return false;
}
