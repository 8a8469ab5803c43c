/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The directives of rule files, a row each.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ruleset_private.h"
#include "skipped_directives.h"

struct directive {
    const char *key;
    void (*apply)(struct builder *, const struct line *, const struct directive *);
    /* For rules: how the rest is read. */
    enum pattern_status (*parse)(struct builder *, struct rule *, const char *, char **);
    int list; /* for address lists */
};

static void error(struct builder *builder, const struct line *line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static void warning(struct builder *builder, const struct line *line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void error(struct builder *builder, const struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    problems_error(builder->problems, line->file, line->number, "%s", text);
}

static void warning(struct builder *builder, const struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    problems_warning(builder->problems, line->file, line->number, "%s", text);
}

static const char *keep(struct builder *builder, const char *text)
{
    return g_string_chunk_insert_const(builder->ruleset->strings, text);
}

static void note_skipped(struct builder *builder, const struct line *line, const char *reason)
{
    builder_note_skipped(builder, line->file, line->number, line->key, reason);
}

bool rule_name_valid(const char *name)
{
    size_t length = strlen(name);
    if (g_ascii_isdigit(*name) || length == 0 || length > RULE_NAME_MAX)
        return false;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '_')
            return false;
    return true;
}

/* Splits the value into its first word and the rest. Returns the word (caller frees). */
static char *split_name(const char *value, const char **rest_r)
{
    size_t length = strcspn(value, " \t\r\f\v");
    *rest_r = value + length + strspn(value + length, " \t\r\f\v");
    return g_strndup(value, length);
}

/* Takes a rule, replacing an earlier one of its name. */
static void add_rule(struct builder *builder, char *name, struct rule *rule)
{
    if (!g_hash_table_contains(builder->rules, name))
        g_ptr_array_add(builder->order, g_strdup(name));
    g_hash_table_replace(builder->rules, name, rule);
}

/* A rule of this name is skipped, whatever it was before. */
static void forget_rule(struct builder *builder, const char *name)
{
    g_hash_table_remove(builder->rules, name);
    g_hash_table_add(builder->blind, g_strdup(name));
}

/* Reports why a rule is not taken. */
static void refuse_rule(struct builder *builder, const struct line *line, const char *name,
                        enum pattern_status status, const char *why)
{
    bool quiet = g_str_has_prefix(why, "calls ") || strstr(why, " needs SpamAssassin") ||
                 strstr(why, " needs the list");
    if (status == PATTERN_BAD) {
        error(builder, line, "rule %s: %s", name, why);
        return;
    }
    note_skipped(builder, line, why);
    if (!quiet)
        warning(builder, line, "rule %s is skipped: %s", name, why);
    forget_rule(builder, name);
}

static void apply_rule(struct builder *builder, const struct line *line,
                       const struct directive *directive)
{
    const char *text;
    char *why = NULL, *name = split_name(line->value, &text);
    struct rule *rule = g_new0(struct rule, 1);
    rule->info = (struct ruleset_rule){.name = keep(builder, name),
                                       .text = keep(builder, text),
                                       .file = line->file,
                                       .line = line->number};
    enum pattern_status status = PATTERN_BAD;
    if (!rule_name_valid(name))
        why = g_strdup("a name is made of at most 100 letters, digits and \"_\", no digit first");
    else if (!*text)
        why = g_strdup("its definition is missing");
    else if (g_hash_table_size(builder->rules) >= RULES_MAX)
        why = g_strdup("there are too many rules");
    else
        status = directive->parse(builder, rule, text, &why);
    if (status == PATTERN_GOOD) {
        add_rule(builder, g_steal_pointer(&name), rule);
    } else {
        refuse_rule(builder, line, name, status, why);
        rule_free(rule);
    }
    g_free(name);
    g_free(why);
}

static enum pattern_status parse_external(struct builder *builder, struct rule *rule,
                                          const char *text, char **why_r)
{
    rule->info.kind = RULESET_EXTERNAL;
    (void)builder;
    if (!text[strcspn(text, " \t")])
        return PATTERN_GOOD;
    *why_r = g_strdup("one list is expected: ZONE[=FILTER][/PLACE,...]");
    return PATTERN_BAD;
}

/* Reads a number as scores are written. */
static bool read_number(const char *text, double *number_r)
{
    const char *p = text + strspn(text, "+-");
    char *end;
    if (p - text > 1 || !*p || strspn(p, "0123456789.") != strlen(p))
        return false;
    *number_r = g_ascii_strtod(text, &end);
    return !*end && isfinite(*number_r) && fabs(*number_r) < 1e9;
}

/* Reads a score, "5" or "(1.5)" to be added. */
static bool read_score(const char *word, double *score_r, bool *relative_r)
{
    size_t length = strlen(word);
    if (length < 3 || word[0] != '(' || word[length - 1] != ')')
        return read_number(word, score_r);
    g_autofree char *inner = g_strndup(word + 1, length - 2);
    *relative_r = true;
    return read_number(inner, score_r);
}

static void set_score(struct builder *builder, const struct line *line, const char *name,
                      double score, bool relative)
{
    const double *before = g_hash_table_lookup(builder->scores, name);
    if (relative && !before) {
        warning(builder, line, "score %s adds to a score that was not given before: ignored", name);
        return;
    }
    if (relative)
        score += *before;
    g_hash_table_replace(builder->scores, g_strdup(name), g_memdup2(&score, sizeof score));
}

static void apply_score(struct builder *builder, const struct line *line,
                        const struct directive *directive)
{
    g_auto(GStrv) all = g_strsplit_set(line->value, " \t\r\f\v", -1);
    char *words[6];
    unsigned count = 0;
    bool relative = false, good = true;
    double score = 0, scores[4];
    (void)directive;
    for (guint i = 0; all[i] && count < G_N_ELEMENTS(words); i++)
        if (*all[i])
            words[count++] = all[i];
    if (count != 2 && count != 5) {
        error(builder, line, "score takes the name of a rule and 1 or 4 numbers");
        return;
    }
    for (unsigned i = 1; i < count && good; i++)
        good = read_score(words[i], &scores[i - 1], &relative);
    if (!good) {
        error(builder, line,
              "score %s: a score is a number, or a number in parentheses to be added", words[0]);
        return;
    }
    score = scores[count == 5 ? 1 : 0];
    set_score(builder, line, words[0], score, relative);
}

static void apply_describe(struct builder *builder, const struct line *line,
                           const struct directive *directive)
{
    const char *text;
    char *name = split_name(line->value, &text);
    (void)directive;
    if (!*text)
        warning(builder, line, "describe without a text");
    g_hash_table_replace(builder->descriptions, name, g_strdup(text));
}

static void apply_tflags(struct builder *builder, const struct line *line,
                         const struct directive *directive)
{
    const char *text;
    char *name = split_name(line->value, &text);
    (void)directive;
    if (!*text)
        warning(builder, line, "tflags without a flag");
    g_hash_table_replace(builder->tflags, name, g_strdup(text));
}

static void apply_required(struct builder *builder, const struct line *line,
                           const struct directive *directive)
{
    (void)directive;
    if (read_number(line->value, &builder->ruleset->required))
        builder->ruleset->has_required = true;
    else
        error(builder, line, "%s takes a number", line->key);
}

static void add_address(struct builder *builder, const struct line *line, int list,
                        const char *address)
{
    char *key = g_ascii_strdown(address, -1);
    struct list_place place = {line->file, line->number, builder->list_entries++};
    for (char *p = key; *p; p++)
        if (*p == '\\' || *p == '(') /* as SpamAssassin, which makes patterns of them */
            *p = '_';
    if (g_hash_table_contains(builder->lists[list], key))
        g_free(key);
    else
        g_hash_table_insert(builder->lists[list], key, g_memdup2(&place, sizeof place));
}

static void apply_addresses(struct builder *builder, const struct line *line,
                            const struct directive *directive)
{
    g_auto(GStrv) words = g_strsplit_set(line->value, " \t\r\f\v", -1);
    bool removes = g_str_has_prefix(line->key, "un");
    if (!*line->value)
        error(builder, line, "%s without an address", line->key);
    for (guint i = 0; words[i]; i++) {
        g_autofree char *key = g_ascii_strdown(words[i], -1);
        if (*key && removes)
            g_hash_table_remove(builder->lists[directive->list], key);
        else if (*key)
            add_address(builder, line, directive->list, words[i]);
        bool is_from = directive->list == LIST_WELCOME_FROM || directive->list == LIST_BLOCK_FROM;
        if (*key && !removes && is_from && key[strspn(key, "*?@.")] == '\0')
            warning(builder, line, "%s %s: that is everybody", line->key, words[i]);
        else if (!removes && strpbrk(key, "<>"))
            warning(builder, line, "%s %s: an address is compared without \"<\" and \">\"",
                    line->key, words[i]);
    }
}

static void apply_compat(struct builder *builder, const struct line *line,
                         const struct directive *directive)
{
    (void)directive;
    g_hash_table_add(builder->compat, g_strdup(line->value));
}

/* The rules named need replace tags if their patterns hold any. */
static void apply_replace_rules(struct builder *builder, const struct line *line,
                                const struct directive *directive)
{
    g_auto(GStrv) words = g_strsplit_set(line->value, " \t\r\f\v", -1);
    (void)directive;
    for (guint i = 0; words[i]; i++)
        if (*words[i])
            g_hash_table_add(builder->tagged, g_strdup(words[i]));
    note_skipped(builder, line, "needs a plug-in of SpamAssassin");
}

static const struct directive directives[] = {
    {"header", apply_rule, header_rule_parse, 0},
    {"meta", apply_rule, meta_rule_parse, 0},
    {"charset", apply_rule, charset_rule_parse, 0},
    {"script", apply_rule, script_rule_parse, 0},
    {"dnsbl", apply_rule, parse_external, 0},
    {"score", apply_score, NULL, 0},
    {"describe", apply_describe, NULL, 0},
    {"tflags", apply_tflags, NULL, 0},
    {"required_score", apply_required, NULL, 0},
    {"required_hits", apply_required, NULL, 0},
    {"blocklist_from", apply_addresses, NULL, LIST_BLOCK_FROM},
    {"blacklist_from", apply_addresses, NULL, LIST_BLOCK_FROM},
    {"unblocklist_from", apply_addresses, NULL, LIST_BLOCK_FROM},
    {"unblacklist_from", apply_addresses, NULL, LIST_BLOCK_FROM},
    {"welcomelist_from", apply_addresses, NULL, LIST_WELCOME_FROM},
    {"whitelist_from", apply_addresses, NULL, LIST_WELCOME_FROM},
    {"unwelcomelist_from", apply_addresses, NULL, LIST_WELCOME_FROM},
    {"unwhitelist_from", apply_addresses, NULL, LIST_WELCOME_FROM},
    {"blocklist_to", apply_addresses, NULL, LIST_BLOCK_TO},
    {"blacklist_to", apply_addresses, NULL, LIST_BLOCK_TO},
    {"welcomelist_to", apply_addresses, NULL, LIST_WELCOME_TO},
    {"whitelist_to", apply_addresses, NULL, LIST_WELCOME_TO},
    {"more_spam_to", apply_addresses, NULL, LIST_MORE_SPAM_TO},
    {"all_spam_to", apply_addresses, NULL, LIST_ALL_SPAM_TO},
    {"enable_compat", apply_compat, NULL, 0},
    {"replace_rules", apply_replace_rules, NULL, 0},
};

static void unknown(struct builder *builder, const struct line *line)
{
    const char *names[G_N_ELEMENTS(directives)];
    for (size_t i = 0; i < G_N_ELEMENTS(directives); i++)
        names[i] = directives[i].key;
    const char *near = text_nearest(line->key, names, G_N_ELEMENTS(names));
    if (near)
        error(builder, line, "there is no directive \"%s\"; \"%s\"?", line->key, near);
    else
        error(builder, line, "there is no directive \"%s\"", line->key);
}

void directive_apply(struct builder *builder, const struct line *line)
{
    for (size_t i = 0; i < G_N_ELEMENTS(directives); i++) {
        if (strcmp(line->key, directives[i].key) == 0) {
            directives[i].apply(builder, line, &directives[i]);
            return;
        }
    }
    const char *reason = skipped_directive_reason(line->key);
    if (!reason) {
        unknown(builder, line);
        return;
    }
    note_skipped(builder, line, reason);
    if (skipped_directive_is_rule(line->key)) {
        const char *rest;
        g_autofree char *name = split_name(line->value, &rest);
        forget_rule(builder, name);
    }
}
