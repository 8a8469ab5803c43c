/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl config: the settings, as postconf prints Postfix's.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "settings/settings.h"

static const char *nearest_setting(const char *name)
{
    const char *names[SETTING_COUNT];
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        names[i] = setting_row((enum setting)i)->name;
    return text_nearest(name, names, SETTING_COUNT);
}

static void complain_of_names(char **names)
{
    for (char **name = names; *name; name++) {
        bool known = false;
        for (unsigned i = 0; i < SETTING_COUNT; i++)
            known |= strcmp(setting_row((enum setting)i)->name, *name) == 0;
        const char *nearest = known ? NULL : nearest_setting(*name);
        if (nearest)
            complain("%s is no parameter; did you mean %s?", *name, nearest);
        else if (!known)
            complain("%s is no parameter", *name);
    }
}

static enum exit_code print(const struct invocation *invocation, const struct settings *settings,
                            bool only_given, bool defaults)
{
    struct settings_print_options options = {
        .only_given = only_given,
        .defaults = defaults,
        .names = *invocation->operands ? (const char *const *)(void *)invocation->operands : NULL};
    if (settings_print(settings, &options, stdout))
        return CODE_FINE;
    complain_of_names(invocation->operands);
    return CODE_NO;
}

enum exit_code command_config(struct invocation *invocation)
{
    gboolean only_given = FALSE, defaults = FALSE;
    const GOptionEntry entries[] = {
        {"non-default", 'n', 0, G_OPTION_ARG_NONE, &only_given, NULL, NULL},
        {"defaults", 'd', 0, G_OPTION_ARG_NONE, &defaults, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, G_MAXUINT);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (defaults)
        return print(invocation, NULL, only_given, true);
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(invocation->config, problems);
    problems_print(problems, stderr);
    enum exit_code code = CODE_CONFIG;
    if (settings && problems_errors(problems) == 0)
        code = print(invocation, settings, only_given, false);
    settings_free(settings);
    problems_free(problems);
    return code;
}
