/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl setup: what to add to the MTA's configuration. Nothing is changed; what is printed
 * on standard output can be pasted, doubts go to standard error.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "setup.h"

static const struct {
    const char *mta;
    enum exit_code (*run)(const struct settings *settings, const char *folder);
} mtas[] = {
    {"postfix", setup_postfix},
};

/* Without a settings file the defaults hold: one sets the MTA up before gatepost, or after. */
static struct settings *load(const char *path)
{
    struct problems *problems = problems_new();
    struct settings *settings = g_file_test(path, G_FILE_TEST_EXISTS)
                                    ? settings_load(path, problems)
                                    : settings_parse("", 0, path, problems);
    problems_print(problems, stderr);
    if (problems_errors(problems) > 0)
        g_clear_pointer(&settings, settings_free);
    problems_free(problems);
    return settings;
}

static enum exit_code run(struct invocation *invocation, const char *folder)
{
    const char *mta = invocation->operands[0];
    for (size_t i = 0; i < G_N_ELEMENTS(mtas); i++) {
        if (strcmp(mtas[i].mta, mta) != 0)
            continue;
        struct settings *settings = load(invocation->config);
        enum exit_code code = settings ? mtas[i].run(settings, folder) : CODE_CONFIG;
        settings_free(settings);
        return code;
    }
    return usage_error(invocation, "setup knows nothing of \"%s\"", mta);
}

enum exit_code command_setup(struct invocation *invocation)
{
    char *folder = NULL;
    const GOptionEntry entries[] = {
        {"mta-config", 0, 0, G_OPTION_ARG_FILENAME, &folder, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 1, 1);
    enum exit_code code = parsed == PARSE_GOOD ? run(invocation, folder) : parse_code(parsed);
    g_free(folder);
    return code;
}
