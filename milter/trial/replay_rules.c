/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scores anew.
 */
#include "replay_rules.h"

#include <math.h>
#include <string.h>

struct rule {
    char *definition;
    double score;
};

struct replay_rules {
    GHashTable *rules;    /* name -> struct rule * */
    GHashTable *profiles; /* name -> GHashTable of rule name -> double * */
};

static void rule_free(void *data)
{
    struct rule *rule = data;
    g_free(rule->definition);
    g_free(rule);
}

struct replay_rules *replay_rules_new(const char *text)
{
    struct replay_rules *rules = g_new0(struct replay_rules, 1);
    rules->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, rule_free);
    rules->profiles =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
    GHashTable *profile = NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);
        size_t length = strlen(*line);
        if (length > 2 && **line == '[' && (*line)[length - 1] == ']') {
            profile = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
            g_hash_table_insert(rules->profiles, g_strndup(*line + 1, length - 2), profile);
        } else if (profile && g_strv_length(words) == 2) {
            double *score = g_new(double, 1);
            *score = g_ascii_strtod(words[1], NULL);
            g_hash_table_insert(profile, g_strdup(words[0]), score);
        } else if (!profile && g_strv_length(words) == 3) {
            struct rule *rule = g_new0(struct rule, 1);
            rule->definition = g_strdup(words[1]);
            rule->score = g_ascii_strtod(words[2], NULL);
            g_hash_table_insert(rules->rules, g_strdup(words[0]), rule);
        }
    }
    return rules;
}

void replay_rules_free(struct replay_rules *rules)
{
    if (!rules)
        return;
    g_hash_table_unref(rules->rules);
    g_hash_table_unref(rules->profiles);
    g_free(rules);
}

static double score_of(const struct replay_rules *rules, const char *profile, const char *name,
                       const struct rule *rule)
{
    GHashTable *changed = profile ? g_hash_table_lookup(rules->profiles, profile) : NULL;
    const double *score = changed ? g_hash_table_lookup(changed, name) : NULL;
    return score ? *score : rule->score;
}

/* How often a rule hit (tflags multiple); 0: not. */
static double count_of(const struct history_row *row, const char *name, double score)
{
    for (guint i = 0; row->rules && i < row->rules->len; i++) {
        const struct history_rule *hit = &g_array_index(row->rules, struct history_rule, i);
        if (strcmp(hit->name, name) == 0)
            return MAX(round(hit->score / score), 1);
    }
    return 0;
}

void replay_rules_score(const struct replay_rules *before, const struct replay_rules *now,
                        const struct history_row *row, const char *profile, double *least_r,
                        double *most_r)
{
    GHashTableIter iter;
    void *key, *value;
    double sum = 0;
    *least_r = *most_r = 0;
    g_hash_table_iter_init(&iter, now->rules);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const struct rule *rule = value, *then = g_hash_table_lookup(before->rules, key);
        double score = score_of(now, profile, key, rule);
        double then_score = then ? score_of(before, row->profile, key, then) : 0;
        bool same = then && strcmp(then->definition, rule->definition) == 0 && then_score != 0;
        if (score == 0)
            continue;
        if (same)
            sum += score * count_of(row, key, then_score);
        else
            *(score < 0 ? least_r : most_r) += score;
    }
    *least_r = round((*least_r + sum) * 1000) / 1000;
    *most_r = round((*most_r + sum) * 1000) / 1000;
}
