/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cidr: lines of "network value", "!network value", "if network" ... "endif", cidr_table(5). The
 * first that holds decides.
 */
#include <string.h>

#include "base/ipaddr.h"
#include "table_content.h"
#include "table_lines.h"
#include "netindex.h"
#include "network.h"
#include "pattern_rules.h"

struct rule {
    struct rule_head head; /* its NEGATED holds for an if, too */
    struct ipnet net;
};

struct cidr_table {
    struct rule_table common;
    struct netindex *plain; /* rules that stand in no block and begin with no "!" */
    GArray *others;         /* of unsigned: places of the other rules */
};

/* Skips white space and "!", which may be mixed. */
static char *skip_negation(char *p, bool *negated_r)
{
    *negated_r = false;
    for (; *p == '!' || lines_is_space(*p); p++)
        if (*p == '!')
            *negated_r = !*negated_r;
    return p;
}

/* These return what is wrong with the rule, for g_free, or NULL. */

static char *read_network(struct rule *rule, char *pattern)
{
    if (*pattern == '\0')
        return g_strdup("there is no network");
    rule->head.pattern = pattern;
    return network_parse(pattern, &rule->net);
}

static char *read_if(struct rule *rule, char *p)
{
    rule->head.op = RULE_IF;
    return read_network(rule, skip_negation(p, &rule->head.negated));
}

static char *read_endif(struct rule *rule, char *p, unsigned depth)
{
    rule->head.op = RULE_ENDIF;
    if (*lines_trim(p))
        return g_strdup("text follows endif");
    return depth == 0 ? g_strdup("endif without if") : NULL;
}

static char *read_match(struct rule *rule, char *p)
{
    rule->head.op = RULE_MATCH;
    p = skip_negation(p, &rule->head.negated);
    char *end = p;
    while (*end && !lines_is_space(*end))
        end++;
    rule->head.value = end;
    if (*end) {
        *end = '\0';
        rule->head.value = lines_trim(end + 1);
    }
    char *why = read_network(rule, p);
    return !why && *rule->head.value == '\0' ? g_strdup("there is no value") : why;
}

static char *read_rule(struct rule *rule, char *line, unsigned depth)
{
    char *rest;
    switch (rules_keyword(line, &rest)) {
    case RULE_IF:
        return read_if(rule, lines_trim(rest));
    case RULE_ENDIF:
        return read_endif(rule, rest, depth);
    default:
        return read_match(rule, line);
    }
}

/* Plain rules are found by index, the first that holds; the others are asked in their order. */
static void index_rules(struct cidr_table *table)
{
    unsigned block_end = 0;
    table->plain = netindex_new();
    table->others = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (unsigned i = 0; i < table->common.rules->len; i++) {
        const struct rule *rule = &g_array_index(table->common.rules, struct rule, i);
        const struct rule_head *head = &rule->head;
        if (head->op == RULE_IF)
            block_end = MAX(block_end, head->end);
        if (head->op == RULE_MATCH && !head->negated && !head->unreadable && i >= block_end)
            netindex_add(table->plain, &rule->net, i);
        else
            g_array_append_val(table->others, i);
    }
}

static struct content *cidr_read(char *text, size_t length, const char *file,
                                 struct problems *problems)
{
    struct table_lines lines = {.text = text, .length = length, .file = file, .problems = problems};
    struct cidr_table *table = g_new0(struct cidr_table, 1);
    table->common.base = (struct content){.class = &cidr_class, .references = 1};
    table->common.text = text;
    table->common.rules = g_array_new(FALSE, TRUE, sizeof(struct rule));
    struct rules_nesting nesting;
    rules_nesting_init(&nesting, table->common.rules, file, problems);
    struct rule rule = {0};
    for (char *p; (p = lines_next(&lines, &rule.head.line)); rule = (struct rule){0}) {
        g_autofree char *why = read_rule(&rule, p, rules_nesting_depth(&nesting));
        if (why)
            rules_nesting_refuse(&nesting, &rule.head, why);
        else
            rules_nesting_add(&nesting, &rule.head);
    }
    rules_nesting_end(&nesting);
    table->common.base.skipped = nesting.skipped;
    index_rules(table);
    return &table->common.base;
}

static bool holds(const struct rule *rule, const struct ipaddr *address)
{
    /* As in Postfix, a rule says nothing about addresses of the other family, negated or not. */
    return rule->net.address.family == address->family &&
           ipnet_contains(&rule->net, address) != rule->head.negated;
}

static enum lookup_status cidr_find(const struct content *content, const char *key,
                                    GString *value_r, unsigned *line_r)
{
    const struct cidr_table *table = (const struct cidr_table *)content;
    struct ipaddr address;
    if (!g_ascii_isxdigit(*key) && *key != ':')
        return LOOKUP_MISS;
    if (!ipaddr_parse(key, &address))
        return LOOKUP_MISS;
    unsigned doubt_end = 0, passed_to = 0, plain = netindex_first(table->plain, &address);
    for (unsigned n = 0; n < table->others->len; n++) {
        unsigned i = g_array_index(table->others, unsigned, n);
        if (i > plain)
            break;
        if (i < passed_to)
            continue;
        const struct rule *rule = &g_array_index(table->common.rules, struct rule, i);
        enum rule_use use = rules_use(&rule->head, &doubt_end);
        if (use == RULE_CANNOT_TELL)
            return LOOKUP_ERROR;
        if (use == RULE_PASS)
            continue;
        bool held = holds(rule, &address);
        if (rule->head.op == RULE_IF)
            passed_to = held ? passed_to : rule->head.end;
        else if (held)
            plain = i;
    }
    if (plain == NETINDEX_NONE)
        return LOOKUP_MISS;
    if (plain < doubt_end)
        return LOOKUP_ERROR;
    const struct rule *rule = &g_array_index(table->common.rules, struct rule, plain);
    g_string_append(value_r, rule->head.value);
    *line_r = rule->head.line;
    return LOOKUP_HIT;
}

static void cidr_free(struct content *content)
{
    struct cidr_table *table = (struct cidr_table *)content;
    netindex_free(table->plain);
    g_array_unref(table->others);
    g_array_unref(table->common.rules);
    g_free(table->common.text);
    g_free(table);
}

const struct content_class cidr_class = {
    .type = "cidr",
    .pattern = true,
    .read = cidr_read,
    .find = cidr_find,
    .count = rules_count,
    .foreach = rules_foreach,
    .free = cidr_free,
};
