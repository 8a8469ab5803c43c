/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pcre and regexp: lines of "/pattern/flags value", "!/pattern/flags value", "if /pattern/flags"
 * ... "endif", pcre_table(5), regexp_table(5). The first that holds decides.
 */
#include <string.h>

#include "table_content.h"
#include "pattern_ends.h"
#include "pattern_engine.h"
#include "table_lines.h"
#include "pattern_rules.h"

struct condition {
    char *text; /* in the table's text */
    void *code; /* NULL: there is no such condition */
    unsigned flags;
    bool negated;
};

struct rule {
    struct rule_head head;
    struct condition first, second; /* both must hold */
    char *literal;                  /* the value without groups, $$ resolved; else NULL */
    unsigned groups;                /* that the value names */
};

struct pattern_table {
    struct rule_table common;
    const struct pattern_engine *engine;
};

struct rule_reader {
    const struct pattern_engine *engine;
    struct table_lines lines;
    struct rules_nesting nesting;
    unsigned line;
    char *why; /* what is wrong with the line; for g_free */
};

static bool refuse(struct rule_reader *reader, const char *why)
{
    reader->why = g_strdup(why);
    return false;
}

static bool read_flags(struct rule_reader *reader, char **p, struct condition *condition)
{
    condition->flags = reader->engine->flags;
    for (; **p && !lines_is_space(**p); ++*p) {
        if (**p == '!' && reader->engine->second_pattern)
            return true;
        unsigned flag = reader->engine->flag(**p);
        if (flag == 0) {
            reader->why = g_strdup_printf("unknown pattern flag \"%c\"", **p);
            return false;
        }
        condition->flags ^= flag;
    }
    return true;
}

/* Takes "!/pattern/flags" at *P, which is behind it then. */
static bool read_condition(struct rule_reader *reader, char **p, struct condition *condition)
{
    char *q = *p;
    for (; *q == '!' || lines_is_space(*q); q++)
        if (*q == '!')
            condition->negated = !condition->negated;
    if (*q == '\0')
        return refuse(reader, "there is no pattern");
    char delimiter = *q++;
    condition->text = q;
    for (; *q && *q != delimiter; q++)
        if (*q == '\\' && *++q == '\0')
            break;
    if (*q == '\0') {
        reader->why = g_strdup_printf("the pattern has no closing \"%c\"", delimiter);
        return false;
    }
    *q++ = '\0';
    *p = q;
    return read_flags(reader, p, condition);
}

static bool compile(struct rule_reader *reader, struct condition *condition, bool captures)
{
    if (!condition->text)
        return true;
    condition->code =
        reader->engine->compile(condition->text, condition->flags, captures, &reader->why);
    if (condition->code && reader->why) {
        problems_warning(reader->lines.problems, reader->lines.file, reader->line, "%s",
                         reader->why);
        g_clear_pointer(&reader->why, g_free);
    }
    return condition->code != NULL;
}

/* What the value names must be what the first pattern has. */
static bool check_value(struct rule_reader *reader, struct rule *rule)
{
    const char *why;
    int groups = template_check(rule->head.value, &why);
    if (groups < 0)
        return refuse(reader, why);
    if (groups > 0 && rule->first.negated)
        return refuse(reader, "the value of a negated pattern cannot have $1");
    rule->groups = (unsigned)groups;
    if (groups == 0) {
        GString *literal = g_string_new(NULL);
        template_expand(rule->head.value, "", NULL, literal);
        rule->literal = g_string_free(literal, FALSE);
    }
    return true;
}

static bool read_match(struct rule_reader *reader, struct rule *rule, char *p)
{
    rule->head.op = RULE_MATCH;
    bool first = read_condition(reader, &p, &rule->first);
    rule->head.negated = rule->first.negated || (first && *p == '!');
    if (!first || (*p == '!' && !read_condition(reader, &p, &rule->second)))
        return false;
    rule->head.pattern = rule->first.text;
    rule->head.value = lines_trim(p);
    if (*rule->head.value == '\0')
        problems_warning(reader->lines.problems, reader->lines.file, reader->line,
                         "there is no value; it is taken to be empty");
    if (!check_value(reader, rule) || !compile(reader, &rule->first, rule->groups > 0) ||
        !compile(reader, &rule->second, false))
        return false;
    if (rule->groups > 0 && rule->groups > reader->engine->groups(rule->first.code)) {
        reader->why = g_strdup_printf("the pattern has no group $%u", rule->groups);
        return false;
    }
    return true;
}

static void warn_of_rest(struct rule_reader *reader, char *rest, const char *word)
{
    if (*lines_trim(rest))
        problems_warning(reader->lines.problems, reader->lines.file, reader->line,
                         "text after \"%s\" is ignored; lines in the block must not be indented",
                         word);
}

static bool read_if(struct rule_reader *reader, struct rule *rule, char *p)
{
    rule->head.op = RULE_IF;
    if (!read_condition(reader, &p, &rule->first))
        return false;
    warn_of_rest(reader, p, "if");
    return compile(reader, &rule->first, false);
}

static bool read_endif(struct rule_reader *reader, struct rule *rule, char *rest)
{
    rule->head.op = RULE_ENDIF;
    if (rules_nesting_depth(&reader->nesting) == 0)
        return refuse(reader, "endif without if");
    warn_of_rest(reader, rest, "endif");
    return true;
}

static bool read_rule(struct rule_reader *reader, struct rule *rule, char *line)
{
    char *rest;
    if (!g_ascii_isalnum(*line))
        return read_match(reader, rule, line);
    switch (rules_keyword(line, &rest)) {
    case RULE_IF:
        return read_if(reader, rule, rest);
    case RULE_ENDIF:
        return read_endif(reader, rule, rest);
    default:
        return refuse(reader, "expected /pattern/flags value, if /pattern/flags, or endif");
    }
}

static void clear_rule(const struct pattern_engine *engine, struct rule *rule)
{
    engine->free(rule->first.code);
    engine->free(rule->second.code);
    g_free(rule->literal);
}

static void read_line(struct rule_reader *reader, char *line)
{
    struct rule rule = {.head.line = reader->line};
    if (read_rule(reader, &rule, line)) {
        rules_nesting_add(&reader->nesting, &rule.head);
        return;
    }
    struct rule unreadable = {.head = rule.head};
    clear_rule(reader->engine, &rule);
    rules_nesting_refuse(&reader->nesting, &unreadable.head, reader->why);
    g_clear_pointer(&reader->why, g_free);
}

static struct content *read_patterns(const struct content_class *class,
                                     const struct pattern_engine *engine, struct table_lines lines)
{
    struct pattern_table *table = g_new0(struct pattern_table, 1);
    table->common.base = (struct content){.class = class, .references = 1};
    table->engine = engine;
    table->common.text = lines.text;
    table->common.rules = g_array_new(FALSE, TRUE, sizeof(struct rule));
    struct rule_reader reader = {.engine = engine, .lines = lines};
    rules_nesting_init(&reader.nesting, table->common.rules, lines.file, lines.problems);
    for (char *p; (p = lines_next(&reader.lines, &reader.line));)
        read_line(&reader, lines_trim(p));
    rules_nesting_end(&reader.nesting);
    table->common.base.skipped = reader.nesting.skipped;
    return &table->common.base;
}

static struct content *pcre_read(char *text, size_t length, const char *file,
                                 struct problems *problems)
{
    struct table_lines lines = {.text = text, .length = length, .file = file, .problems = problems};
    return read_patterns(&pcre_class, &pcre_engine, lines);
}

static struct content *regexp_read(char *text, size_t length, const char *file,
                                   struct problems *problems)
{
    struct table_lines lines = {.text = text, .length = length, .file = file, .problems = problems};
    return read_patterns(&regexp_class, &regexp_engine, lines);
}

static enum lookup_status holds(const struct pattern_engine *engine,
                                const struct condition *condition, const char *key, size_t length,
                                struct span *spans, unsigned count)
{
    if (!condition->code)
        return LOOKUP_HIT;
    enum lookup_status status = engine->match(condition->code, key, length, spans, count);
    if (status == LOOKUP_ERROR || !condition->negated)
        return status;
    return status == LOOKUP_HIT ? LOOKUP_MISS : LOOKUP_HIT;
}

static enum lookup_status try_rule(const struct pattern_engine *engine, const struct rule *rule,
                                   const char *key, size_t length, GString *value_r)
{
    struct span spans[TEMPLATE_GROUP_MAX + 1];
    unsigned count = rule->groups > 0 ? rule->groups + 1 : 0;
    enum lookup_status status = holds(engine, &rule->first, key, length, spans, count);
    if (status == LOOKUP_HIT)
        status = holds(engine, &rule->second, key, length, NULL, 0);
    if (status != LOOKUP_HIT || rule->head.op != RULE_MATCH)
        return status;
    if (rule->literal)
        g_string_append(value_r, rule->literal);
    else
        template_expand(rule->head.value, key, spans, value_r);
    return LOOKUP_HIT;
}

static enum lookup_status pattern_find(const struct content *content, const char *key,
                                       GString *value_r, unsigned *line_r)
{
    const struct pattern_table *table = (const struct pattern_table *)content;
    size_t length = strlen(key);
    unsigned doubt_end = 0;
    for (unsigned i = 0; i < table->common.rules->len; i++) {
        const struct rule *rule = &g_array_index(table->common.rules, struct rule, i);
        enum rule_use use = rules_use(&rule->head, &doubt_end);
        if (use == RULE_CANNOT_TELL)
            return LOOKUP_ERROR;
        if (use == RULE_PASS)
            continue;
        enum lookup_status status = try_rule(table->engine, rule, key, length, value_r);
        if (status == LOOKUP_HIT && rule->head.op == RULE_MATCH && i < doubt_end)
            return LOOKUP_ERROR;
        if (status == LOOKUP_HIT && rule->head.op == RULE_MATCH)
            *line_r = rule->head.line;
        if (status == LOOKUP_ERROR || (status == LOOKUP_HIT && rule->head.op == RULE_MATCH))
            return status;
        if (status == LOOKUP_MISS && rule->head.op == RULE_IF)
            i = rule->head.end - 1;
    }
    return LOOKUP_MISS;
}

static bool pattern_foreach_open(const struct content *content, const char *file, unsigned ends,
                                 content_visit *visit, void *data)
{
    const struct pattern_table *table = (const struct pattern_table *)content;
    unsigned depth = 0;
    for (unsigned i = 0; i < table->common.rules->len; i++) {
        const struct rule *rule = &g_array_index(table->common.rules, struct rule, i);
        depth += rule->head.op == RULE_IF;
        depth -= rule->head.op == RULE_ENDIF && depth > 0;
        if (depth == 0 && rule->head.op == RULE_MATCH && !rule->head.unreadable &&
            !rule->head.negated && !rule->second.text &&
            (pattern_open_ends(rule->head.pattern) & ends) &&
            !visit(data, file, rule->head.line, rule->head.pattern, rule->head.value))
            return false;
    }
    return true;
}

static void pattern_free(struct content *content)
{
    struct pattern_table *table = (struct pattern_table *)content;
    for (unsigned i = 0; i < table->common.rules->len; i++)
        clear_rule(table->engine, &g_array_index(table->common.rules, struct rule, i));
    g_array_unref(table->common.rules);
    g_free(table->common.text);
    g_free(table);
}

const struct content_class pcre_class = {
    .type = "pcre",
    .pattern = true,
    .read = pcre_read,
    .find = pattern_find,
    .count = rules_count,
    .foreach = rules_foreach,
    .foreach_open = pattern_foreach_open,
    .free = pattern_free,
};

const struct content_class regexp_class = {
    .type = "regexp",
    .pattern = true,
    .read = regexp_read,
    .find = pattern_find,
    .count = rules_count,
    .foreach = rules_foreach,
    .foreach_open = pattern_foreach_open,
    .free = pattern_free,
};
