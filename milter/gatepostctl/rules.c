/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl rules: which rules are in force, what they add, where they come from.
 */
#include "rules.h"

#include <string.h>

#include "checks/spam.h"
#include "command.h"
#include "ondisk.h"

char *rules_score_text(double score)
{
    char *text = g_strdup_printf("%.*f", RULES_SCORE_DECIMALS, score);
    size_t length = strlen(text);
    while (text[length - 1] == '0' && text[length - 2] != '.')
        text[--length] = '\0';
    return text;
}

/* Calls VISIT with each ruleset of the policies, once; the first policy that has it comes along. */
static void visit_rulesets(const struct snapshot *snapshot, void *data,
                           void (*visit)(void *data, const struct policy *policy,
                                         const struct ruleset *ruleset))
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++)
        if (g_hash_table_add(seen, policy->site.spam->ruleset))
            visit(data, policy, policy->site.spam->ruleset);
}

static void print_heading(const struct policy *policy, FILE *stream)
{
    if (policy->section)
        fprintf(stream, "[listener %s]\n", section_name(policy->section));
}

/* What was skipped */

static void print_skipped(void *data, const struct policy *policy, const struct ruleset *ruleset)
{
    FILE *stream = data;
    const struct ruleset_rule *rule;
    const struct ruleset_skipped *skipped;
    unsigned scored = 0;
    for (size_t i = 0; (rule = ruleset_rule_get(ruleset, i)); i++)
        scored += rule->score != 0;
    print_heading(policy, stream);
    for (size_t i = 0; (skipped = ruleset_skipped_get(ruleset, i)); i++)
        fprintf(stream, "%s:%u: skipped: %s %s\n", skipped->file, skipped->line, skipped->directive,
                skipped->reason);
    fprintf(stream, "%u rules with a score, %zu without, %zu directives skipped\n", scored,
            ruleset_rule_count(ruleset) - scored, ruleset_skipped_count(ruleset));
}

void rules_print_skipped(const struct snapshot *snapshot, FILE *stream)
{
    visit_rulesets(snapshot, stream, print_skipped);
}

/* What is in force */

struct listing {
    const struct settings *settings;
    const char *name; /* NULL: all */
    bool found;
};

/* The score that a profile gives RULE; false if it says nothing. The last word counts. */
static bool profile_score(const struct settings *settings, const struct section *profile,
                          const char *rule, double *score_r)
{
    const struct setting_keyed *line;
    bool found = false;
    for (guint i = 0; (line = settings_keyed(settings, profile, SETTING_RULE_SCORE, i)); i++) {
        if (strcmp(line->key, rule) != 0)
            continue;
        *score_r = line->score;
        found = true;
    }
    return found;
}

static bool print_profiles(const struct settings *settings, const struct ruleset_rule *rule,
                           FILE *stream)
{
    bool scored = false;
    guint count = settings_section_count(settings, SECTION_PROFILE);
    for (guint i = 0; i < count; i++) {
        const struct section *profile = settings_section(settings, SECTION_PROFILE, i);
        double score;
        if (!profile_score(settings, profile, rule->name, &score))
            continue;
        scored |= score != 0;
        g_autofree char *text = rules_score_text(score);
        if (stream)
            fprintf(stream, "%8s in profile %s\n", text, section_name(profile));
    }
    return scored;
}

static const char *kind_word(enum ruleset_kind kind)
{
    static const char *const words[] = {"header", "meta",      "charset",
                                        "script", "addresses", "dnsbl"};
    return words[kind];
}

/* What the site's own files say: shown as it stands, backslashes and all. */
static char *printable(const char *text)
{
    char *copy = g_strdup(text);
    for (char *p = copy; *p; p++)
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    return copy;
}

static void print_rule(const struct listing *listing, const struct ruleset_rule *rule)
{
    g_autofree char *score = rules_score_text(rule->score);
    g_autofree char *description = printable(rule->description);
    printf("%8s %-32s %s:%u%s%s\n", score, rule->name, rule->file, rule->line,
           *description ? "  " : "", description);
    print_profiles(listing->settings, rule, stdout);
    g_autofree char *text = printable(rule->text);
    if (listing->name)
        printf("%8s %s %s\n", "", kind_word(rule->kind), text);
}

/* A rule that scores 0 everywhere is not run. */
static bool is_in_force(const struct listing *listing, const struct ruleset_rule *rule)
{
    return rule->score != 0 || print_profiles(listing->settings, rule, NULL);
}

static void print_ruleset(void *data, const struct policy *policy, const struct ruleset *ruleset)
{
    struct listing *listing = data;
    const struct ruleset_rule *rule =
        listing->name ? ruleset_rule_find(ruleset, listing->name) : NULL;
    if (listing->name && !rule)
        return;
    listing->found = true;
    print_heading(policy, stdout);
    if (rule)
        print_rule(listing, rule);
    for (size_t i = 0; !listing->name && (rule = ruleset_rule_get(ruleset, i)); i++)
        if (is_in_force(listing, rule))
            print_rule(listing, rule);
}

enum exit_code command_rules(struct invocation *invocation)
{
    const GOptionEntry entries[] = {{NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, 1);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    struct snapshot *snapshot = invocation_load(invocation);
    if (!snapshot)
        return CODE_CONFIG;
    struct listing listing = {.settings = snapshot_settings(snapshot),
                              .name = invocation->operands[0]};
    visit_rulesets(snapshot, &listing, print_ruleset);
    snapshot_unref(snapshot);
    ondisk_warn(invocation);
    if (listing.found)
        return CODE_FINE;
    complain("there is no rule \"%s\"", invocation->operands[0]);
    return CODE_NO;
}
