/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl config: the settings, as postconf prints Postfix's.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checks/spam.h"
#include "command.h"
#include "ondisk.h"
#include "policy/snapshot.h"
#include "settings/settings.h"

static const char *nearest_setting(const char *name)
{
    const char *names[SETTING_COUNT];
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        names[i] = setting_row((enum setting)i)->name;
    return text_nearest(name, names, SETTING_COUNT);
}

static bool is_class(const struct settings *settings, const char *name)
{
    return settings && settings_find_keyed(settings, NULL, SETTING_RESTRICTION_CLASSES, name);
}

static void complain_of_names(const struct settings *settings, char **names)
{
    for (char **name = names; *name; name++) {
        bool known = is_class(settings, *name);
        for (unsigned i = 0; i < SETTING_COUNT; i++)
            known |= strcmp(setting_row((enum setting)i)->name, *name) == 0;
        const char *nearest = known ? NULL : nearest_setting(*name);
        if (nearest)
            complain("%s is no parameter; did you mean %s?", *name, nearest);
        else if (!known)
            complain("%s is no parameter", *name);
    }
}

/* The tag score of those who have no profile. */
static double tag_score_of(const struct policy *policy)
{
    return ((const struct spam_profile *)policy->site.spam->profiles->pdata[0])->tag_score;
}

/* Where tag_score is not set, required_score of the rule files is in force; printed settings say
 * what it is, since they set it. */
static char *in_force(void *data, const struct section *section, enum setting setting)
{
    const struct snapshot *snapshot = data;
    const struct policy *main_policy = snapshot_main_policy(snapshot);
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (setting != SETTING_TAG_SCORE || (section && section_get_kind(section) != SECTION_LISTENER))
        return NULL;
    double score = tag_score_of(main_policy);
    if (!section)
        return score == g_ascii_strtod(setting_row(setting)->default_text, NULL)
                   ? NULL
                   : g_strdup(g_ascii_dtostr(text, sizeof text, score));
    const struct policy *policy = main_policy;
    for (unsigned i = 0; policy && policy->section != section; i++)
        policy = snapshot_policy_at(snapshot, i);
    double own = tag_score_of(policy ? policy : main_policy);
    return own == score ? NULL : g_strdup(g_ascii_dtostr(text, sizeof text, own));
}

/* SNAPSHOT NULL: what rules and tables say is not known. */
static enum exit_code print(const struct invocation *invocation, const struct settings *settings,
                            struct snapshot *snapshot, struct settings_print_options options)
{
    options.in_force = snapshot ? in_force : NULL;
    options.data = snapshot;
    options.names =
        *invocation->operands ? (const char *const *)(void *)invocation->operands : NULL;
    if (settings_print(settings, &options, stdout))
        return CODE_FINE;
    complain_of_names(settings, invocation->operands);
    return CODE_NO;
}

enum exit_code command_config(struct invocation *invocation)
{
    gboolean only_given = FALSE, defaults = FALSE, expanded = FALSE;
    const GOptionEntry entries[] = {
        {"non-default", 'n', 0, G_OPTION_ARG_NONE, &only_given, NULL, NULL},
        {"defaults", 'd', 0, G_OPTION_ARG_NONE, &defaults, NULL, NULL},
        {"expand", 'x', 0, G_OPTION_ARG_NONE, &expanded, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, G_MAXUINT);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    const struct settings_print_options options = {
        .only_given = only_given, .defaults = defaults, .expanded = expanded};
    struct problems *problems = problems_new();
    struct settings *settings = defaults ? settings_parse("", 0, "", problems)
                                         : settings_load(invocation->config, problems);
    problems_print(problems, stderr);
    enum exit_code code = CODE_CONFIG;
    if (settings && problems_errors(problems) == 0) {
        /* what is wrong with rules and tables is for check to tell */
        struct snapshot *snapshot =
            defaults ? NULL : snapshot_load(invocation->config, NULL, problems);
        code =
            print(invocation, snapshot ? snapshot_settings(snapshot) : settings, snapshot, options);
        snapshot_unref(snapshot);
    }
    settings_free(settings);
    problems_free(problems);
    ondisk_warn(invocation);
    return code;
}
