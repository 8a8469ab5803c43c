/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that every command knows.
 */
#include "base/options.h"

bool options_parse(const GOptionEntry *entries, int argc, char **argv,
                   struct common_options *options, char **why_r)
{
    char *config = NULL;
    const GOptionEntry common[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config, NULL, NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &options->help, NULL, NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->operands, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GError) error = NULL;
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    if (entries)
        g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, common, NULL);
    bool good = g_option_context_parse(context, &argc, &argv, &error);
    g_option_context_free(context);
    if (config) {
        g_free(options->config);
        options->config = config;
    }
    if (!options->operands)
        options->operands = g_new0(char *, 1);
    if (!good)
        *why_r = g_strdup(error->message);
    return good;
}
