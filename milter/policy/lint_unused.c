/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Doubts about what settings have and nothing uses, which only all policies together tell.
 */
#include "policy.h"

#include "checks/spam.h"
#include "lookup/search.h"

/* Warns of profiles that no table gives to anybody, because there is none. */
static void lint_profiles(const struct settings *settings, struct problems *problems)
{
    guint count = settings_section_count(settings, SECTION_LISTENER);
    bool given = *settings_get(settings, NULL, SETTING_RECIPIENT_PROFILES)->text != '\0';
    for (guint i = 0; i < count; i++) {
        const struct section *section = settings_section(settings, SECTION_LISTENER, i);
        given |= *settings_get(settings, section, SETTING_RECIPIENT_PROFILES)->text != '\0';
    }
    for (guint i = 0; !given && i < settings_section_count(settings, SECTION_PROFILE); i++) {
        const struct section *profile = settings_section(settings, SECTION_PROFILE, i);
        problems_warning(problems, section_file(profile), section_line(profile),
                         "profile %s is nobody's: recipient_profiles is empty",
                         section_name(profile));
    }
}

/* The lowest sum at which somebody is refused. */
static int64_t lowest_threshold(const struct policy *policy)
{
    const GPtrArray *profiles = policy->site.spam->profiles;
    int64_t lowest = policy->site.dnsbl_threshold;
    for (guint i = 0; i < profiles->len; i++)
        lowest = MIN(lowest, ((const struct spam_profile *)profiles->pdata[i])->dnsbl_threshold);
    return lowest;
}

/* The highest sum of a client that all lists have. */
static int64_t highest_sum(const struct policy *policy)
{
    const struct dnsbl_set *lists = policy->site.dnsbl_weighted;
    int64_t sum = 0;
    for (unsigned i = 0; i < dnsbl_set_count(lists); i++)
        sum += MAX(dnsbl_set_get(lists, i)->weight, 0);
    return sum;
}

/* Warns of lists that never come to what refuses. Those of greylisting, and of a listener that has
 * its own, do serve. */
static void lint_weights(const GPtrArray *policies, const struct settings *settings,
                         struct problems *problems)
{
    static const enum setting settings_of_lists[] = {SETTING_DNSBL_SITES, SETTING_RHSBL_SITES,
                                                     SETTING_HASHBL_SITES};
    const struct policy *first = policies->pdata[0];
    const struct setting_value *value = NULL;
    int64_t sum = highest_sum(first), threshold = lowest_threshold(first);
    unsigned asks = 0;
    for (guint i = 0; i < policies->len; i++) {
        const struct policy *policy = policies->pdata[i];
        if (policy->greylists || highest_sum(policy) >= lowest_threshold(policy))
            return;
    }
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (first->lists[kind])
            asks |= restriction_list_asks(first->lists[kind], false);
    for (size_t i = 0; i < G_N_ELEMENTS(settings_of_lists) && !(value && value->given); i++)
        value = settings_get(settings, NULL, settings_of_lists[i]);
    if (sum > 0 && (asks & ASKS_LISTS))
        problems_warning(
            problems, value->file, value->line,
            "the weights of all DNS lists come to %d, and reject_dnsbl refuses from %d on "
            "(dnsbl_threshold), and so never; a list that shall refuse by itself needs that "
            "weight, as in bl.example.org*%d",
            (int)sum, (int)threshold, (int)threshold);
}

/* So high a score is written by who wants no marks at all. */
#define NEVER_SCORED 100.0

static void lint_scores_of(const struct settings *settings, const struct section *section,
                           struct problems *problems)
{
    const struct setting_value *tag = settings_get(settings, section, SETTING_TAG_SCORE);
    double tagged = settings_score(settings, section, SETTING_TAG_SCORE);
    double refused = settings_score(settings, section, SETTING_REJECT_SCORE);
    bool inherited = section && tag == settings_get(settings, NULL, SETTING_TAG_SCORE);
    if (tag->given && !inherited && tagged > refused && tagged < NEVER_SCORED)
        problems_warning(problems, tag->file, tag->line,
                         "tag_score %g is above reject_score %g, from which on mail is refused: "
                         "nothing is ever marked",
                         tagged, refused);
}

/* Whether what LISTENER has (NULL: any policy) refuses by the score: below warn_if_reject all that
 * is spam passes, with its marks. */
static bool refuses_by_score(const GPtrArray *policies, const struct section *listener)
{
    for (guint i = 0; i < policies->len; i++) {
        const struct policy *policy = policies->pdata[i];
        const struct restriction_list *list = policy->lists[LIST_MESSAGE];
        const struct restriction_item *item;
        if (listener && policy->section != listener)
            continue;
        for (unsigned n = 0; list && (item = restriction_list_item(list, n)); n++)
            if (item->row && item->row->asks & ASKS_RULES && !item->warn_if_reject)
                return true;
    }
    return false;
}

static void lint_scores(const GPtrArray *policies, const struct settings *settings,
                        struct problems *problems)
{
    static const enum section_kind kinds[] = {SECTION_LISTENER, SECTION_PROFILE};
    bool any = refuses_by_score(policies, NULL);
    if (any)
        lint_scores_of(settings, NULL, problems);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (guint n = 0; n < settings_section_count(settings, kinds[i]); n++) {
            const struct section *section = settings_section(settings, kinds[i], n);
            if (kinds[i] == SECTION_LISTENER ? refuses_by_score(policies, section) : any)
                lint_scores_of(settings, section, problems);
        }
}

static bool stop(void *data, const char *file, unsigned line, const char *key, const char *value)
{
    (void)data, (void)file, (void)line, (void)key, (void)value;
    return false;
}

/* Whether a table that the list asks holds nothing yet, and so may come to name anything. */
static bool has_empty_table(const struct restriction_list *list)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++) {
        const struct table_list *tables = item->argument.tables;
        for (unsigned n = 0; tables && n < table_list_count(tables); n++)
            if (table_foreach(table_list_get(tables, n), stop, NULL))
                return true;
    }
    return false;
}

static bool is_named(const GPtrArray *policies, const char *name)
{
    for (guint i = 0; i < policies->len; i++) {
        const struct policy *policy = policies->pdata[i];
        const struct restriction_class *class = restriction_class_find(policy->classes, name);
        if (class && class->is_named)
            return true;
    }
    return false;
}

static void lint_classes(const GPtrArray *policies, const struct settings *settings,
                         struct problems *problems)
{
    for (guint i = 0; i < policies->len; i++) {
        const struct policy *policy = policies->pdata[i];
        const struct restriction_classes *classes = policy->classes;
        for (int kind = 0; kind < LIST_COUNT; kind++)
            if (has_empty_table(policy->lists[kind]))
                return;
        for (guint n = 0; classes && n < classes->all->len; n++)
            if (has_empty_table(((const struct restriction_class *)classes->all->pdata[n])->list))
                return;
    }
    for (guint i = 0; i < policies->len; i++) {
        const struct policy *policy = policies->pdata[i];
        const struct restriction_classes *classes = policy->classes;
        bool inherited =
            i > 0 && settings_get(settings, policy->section, SETTING_RESTRICTION_CLASSES) ==
                         settings_get(settings, NULL, SETTING_RESTRICTION_CLASSES);
        for (guint n = 0; classes && !inherited && n < classes->all->len; n++) {
            const struct restriction_class *class = classes->all->pdata[n];
            if (class->is_said && !is_named(policies, class->name))
                problems_warning(problems, class->value->file, class->value->line,
                                 "%s: no list, no class and no table names this class",
                                 class->name);
        }
    }
}

void policies_lint_unused(const GPtrArray *policies, const struct settings *settings,
                          struct problems *problems)
{
    lint_profiles(settings, problems);
    lint_scores(policies, settings, problems);
    if (problems_errors(problems) > 0) /* what uses it may be what is wrong */
        return;
    lint_weights(policies, settings, problems);
    lint_classes(policies, settings, problems);
}
