/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "header NAME Source =~ /re/ [if-unset: TEXT]", "header NAME exists:Source".
 */
#include <string.h>

#include "ruleset_private.h"

/* How a source that needs more than we have is told. */
static enum pattern_status parse_source(struct header_rule *rule, const char *text, char **why_r)
{
    const char *why;
    enum source_status status = source_parse(text, &rule->source, &why);
    if (status == SOURCE_GOOD)
        return PATTERN_GOOD;
    *why_r = *text ? g_strdup_printf("\"%s\" %s", text, why)
                   : g_strdup("the name of a header is missing");
    return status == SOURCE_SKIPPED ? PATTERN_SKIPPED : PATTERN_BAD;
}

static enum pattern_status parse_exists(struct header_rule *rule, const char *text, char **why_r)
{
    rule->exists = true;
    if (strchr(text, ':') && strchr(text, ':')[1]) {
        *why_r = g_strdup("exists: takes the name of a header alone");
        return PATTERN_BAD;
    }
    return parse_source(rule, text, why_r);
}

/* Cuts "[if-unset: TEXT]" off the end of a pattern. */
static void cut_if_unset(struct header_rule *rule, char *pattern)
{
    static const char mark[] = "[if-unset:";
    size_t length = strlen(pattern);
    char *begin = length > 0 && pattern[length - 1] == ']' ? strstr(pattern, mark) : NULL;
    if (!begin || begin == pattern || !g_ascii_isspace(begin[-1]) ||
        !g_ascii_isspace(begin[sizeof mark - 1]))
        return;
    pattern[length - 1] = '\0';
    const char *text = begin + sizeof mark - 1;
    rule->if_unset = g_strdup(text + strspn(text, " \t"));
    *begin = '\0';
    g_strchomp(pattern);
}

/* Where "=~" or "!~" stands; the source before it holds neither sign. */
static char *find_operator(char *text)
{
    char *p = text + strcspn(text, "=!");
    return *p && p[1] == '~' ? p : NULL;
}

static enum pattern_status parse_match(struct builder *builder, struct header_rule *rule,
                                       const char *text, char **why_r)
{
    g_autofree char *copy = g_strdup(text);
    char *sign = find_operator(copy);
    if (!sign) {
        *why_r = g_strdup("a header rule is \"Header =~ /re/\" or \"exists:Header\"");
        return PATTERN_BAD;
    }
    rule->negated = *sign == '!';
    *sign = '\0';
    char *pattern = g_strstrip(sign + 2);
    cut_if_unset(rule, pattern);
    enum pattern_status status = parse_source(rule, g_strstrip(copy), why_r);
    /* The pattern of a rule that is skipped may be bad all the same. */
    char *why = NULL;
    enum pattern_status pattern_status =
        pattern_compile(builder->ruleset->patterns, pattern, &rule->pattern, &why);
    if (status == PATTERN_BAD || (status == PATTERN_SKIPPED && pattern_status != PATTERN_BAD)) {
        g_free(why);
        return status;
    }
    if (pattern_status != PATTERN_GOOD) {
        g_free(*why_r);
        *why_r = why;
    }
    return pattern_status;
}

enum pattern_status header_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                      char **why_r)
{
    rule->info.kind = RULESET_HEADER;
    rule->header = g_new0(struct header_rule, 1);
    rule->header->max_hits = 1;
    if (g_str_has_prefix(text, "eval:") || g_str_has_prefix(text, "rbleval:")) {
        *why_r = g_strdup("calls a function of SpamAssassin");
        return PATTERN_SKIPPED;
    }
    if (g_str_has_prefix(text, "exists:"))
        return parse_exists(rule->header, text + strlen("exists:"), why_r);
    return parse_match(builder, rule->header, text, why_r);
}

void header_rule_free(struct header_rule *rule)
{
    if (!rule)
        return;
    source_clear(&rule->source);
    pattern_free(rule->pattern);
    g_free(rule->if_unset);
    g_free(rule);
}
