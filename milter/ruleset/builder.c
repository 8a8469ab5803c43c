/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is gathered while rule files are read, and its rules.
 */
#include "ruleset_private.h"

void rule_free(struct rule *rule)
{
    if (!rule)
        return;
    header_rule_free(rule->header);
    expression_free(rule->meta);
    charset_rule_free(rule->charset);
    script_rule_free(rule->script);
    address_rule_free(rule->address);
    if (rule->dependents)
        g_ptr_array_unref(rule->dependents);
    if (rule->clauses)
        g_array_unref(rule->clauses);
    g_free(rule);
}

void rule_destroy(gpointer rule)
{
    rule_free(rule);
}

static GHashTable *text_table(GDestroyNotify free_value)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
}

void builder_init(struct builder *builder, struct ruleset *ruleset, struct problems *problems)
{
    *builder = (struct builder){.ruleset = ruleset, .problems = problems};
    builder->rules = text_table(rule_destroy);
    builder->order = g_ptr_array_new_with_free_func(g_free);
    builder->scores = text_table(g_free);
    builder->descriptions = text_table(g_free);
    builder->tflags = text_table(g_free);
    builder->tagged = text_table(NULL);
    builder->compat = text_table(NULL);
    builder->blind = text_table(NULL);
    for (int i = 0; i < ADDRESS_LISTS; i++)
        builder->lists[i] = text_table(g_free);
}

void builder_clear(struct builder *builder)
{
    g_hash_table_unref(builder->rules);
    g_ptr_array_unref(builder->order);
    g_hash_table_unref(builder->scores);
    g_hash_table_unref(builder->descriptions);
    g_hash_table_unref(builder->tflags);
    g_hash_table_unref(builder->tagged);
    g_hash_table_unref(builder->compat);
    g_hash_table_unref(builder->blind);
    for (int i = 0; i < ADDRESS_LISTS; i++)
        g_hash_table_unref(builder->lists[i]);
}

void builder_note_skipped(struct builder *builder, const char *file, unsigned line,
                          const char *directive, const char *reason)
{
    GStringChunk *strings = builder->ruleset->strings;
    struct ruleset_skipped skipped = {file, line, g_string_chunk_insert_const(strings, directive),
                                      g_string_chunk_insert_const(strings, reason)};
    g_array_append_val(builder->ruleset->skipped, skipped);
}
