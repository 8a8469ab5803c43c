/* SPDX-License-Identifier: BSD-2-Clause
 *
 * if/endif blocks. It must know nothing of patterns.
 */
#include "pattern_rules.h"

#include <stdint.h>
#include <strings.h>

enum rule_op rules_keyword(char *line, char **rest_r)
{
    static const struct {
        const char *word;
        size_t length;
        enum rule_op op;
    } words[] = {{"if", 2, RULE_IF}, {"endif", 5, RULE_ENDIF}};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        *rest_r = line + words[i].length;
        if (strncasecmp(line, words[i].word, words[i].length) == 0 && !g_ascii_isalnum(**rest_r))
            return words[i].op;
    }
    *rest_r = line;
    return RULE_MATCH;
}

void rules_nesting_init(struct rules_nesting *nesting, GArray *rules, const char *file,
                        struct problems *problems)
{
    *nesting = (struct rules_nesting){
        .rules = rules,
        .open = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .file = file,
        .problems = problems,
    };
}

unsigned rules_nesting_depth(const struct rules_nesting *nesting)
{
    return nesting->open->len;
}

static struct rule_head *head_at(const struct rules_nesting *nesting, unsigned index)
{
    gsize size = g_array_get_element_size(nesting->rules);
    return (struct rule_head *)(void *)(nesting->rules->data + index * size);
}

void rules_nesting_add(struct rules_nesting *nesting, const struct rule_head *rule)
{
    unsigned index = nesting->rules->len;
    g_array_append_vals(nesting->rules, rule, 1);
    if (rule->op == RULE_IF) {
        g_array_append_val(nesting->open, index);
    } else if (rule->op == RULE_ENDIF) {
        g_assert(nesting->open->len > 0);
        unsigned last = nesting->open->len - 1;
        head_at(nesting, g_array_index(nesting->open, unsigned, last))->end = index;
        g_array_set_size(nesting->open, last);
    }
}

void rules_nesting_refuse(struct rules_nesting *nesting, struct rule_head *rule, const char *why)
{
    bool may_exclude =
        rule->op == RULE_MATCH ? rule->negated : rule->op == RULE_IF || nesting->open->len > 0;
    nesting->skipped++;
    if (!may_exclude) {
        problems_warning(nesting->problems, nesting->file, rule->line, "%s; the line is skipped",
                         why);
        return;
    }
    problems_warning(
        nesting->problems, nesting->file, rule->line,
        "%s; until that is mended, nobody can tell what it keeps out: what gets as far "
        "as %s is answered 451",
        why,
        rule->op == RULE_IF      ? "a rule of its block"
        : rule->op == RULE_ENDIF ? "a rule below it"
                                 : "this line");
    rule->unreadable = true;
    rules_nesting_add(nesting, rule);
}

enum rule_use rules_use(const struct rule_head *rule, unsigned *doubt_end)
{
    if (!rule->unreadable)
        return rule->op == RULE_ENDIF ? RULE_PASS : RULE_ASK;
    if (rule->op == RULE_MATCH)
        return RULE_CANNOT_TELL;
    *doubt_end = MAX(*doubt_end, rule->op == RULE_IF ? rule->end : G_MAXUINT);
    return RULE_PASS;
}

void rules_nesting_end(struct rules_nesting *nesting)
{
    for (unsigned i = nesting->open->len; i-- > 0;) {
        struct rule_head *head = head_at(nesting, g_array_index(nesting->open, unsigned, i));
        head->end = G_MAXUINT - 1;
        problems_warning(nesting->problems, nesting->file, head->line, "if without endif");
    }
    g_array_unref(nesting->open);
}

static bool count_one(void *data, const char *file, unsigned line, const char *key,
                      const char *value)
{
    (void)file, (void)line, (void)key, (void)value;
    ++*(size_t *)data;
    return true;
}

size_t rules_count(const struct content *content)
{
    size_t count = 0;
    rules_foreach(content, NULL, count_one, &count);
    return count;
}

bool rules_foreach(const struct content *content, const char *file, content_visit *visit,
                   void *data)
{
    const GArray *rules = ((const struct rule_table *)content)->rules;
    size_t step = g_array_get_element_size((GArray *)(uintptr_t)rules);
    for (unsigned i = 0; i < rules->len; i++) {
        const struct rule_head *rule = (const void *)(rules->data + i * step);
        if (rule->op == RULE_MATCH && !rule->unreadable &&
            !visit(data, file, rule->line, rule->pattern, rule->value))
            return false;
    }
    return true;
}
