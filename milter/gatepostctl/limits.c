/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl limits, greylist: the daemon answers.
 */
#include <string.h>

#include "base/when.h"
#include "command.h"
#include "daemon.h"
#include "suggest.h"

enum { OPERANDS_MAX = 20 };

/* The operands as one request; what a word must not hold is told. */
static enum exit_code ask_with(const struct invocation *invocation, GString *request)
{
    for (char **operand = invocation->operands; *operand; operand++) {
        if (**operand == '\0' || strpbrk(*operand, "\n\r{}"))
            return usage_error(invocation, "\"%s\" is no such word", *operand);
        g_string_append_printf(request, " %s", *operand);
    }
    return daemon_ask(invocation, request->str, stdout);
}

/* Without the daemon: out of log files. */
static enum exit_code suggest(const struct invocation *invocation, char **files,
                              const char *since_text)
{
    int64_t since = INT64_MIN;
    if (!files || !*files || invocation->operands[1])
        return usage_error(invocation, "limits suggest reads log lines: --log FILE, as often as "
                                       "there are files");
    if (since_text && !when_parse(since_text, g_get_real_time(), WHEN_SINCE, &since))
        return usage_error(invocation, "--since %s: " WHEN_FORMS, since_text);
    struct suggestion *suggestion = suggestion_new(since);
    enum exit_code code = CODE_FINE;
    for (char **file = files; *file && code == CODE_FINE; file++) {
        g_autofree char *why = suggestion_read(suggestion, *file);
        if (!why)
            continue;
        complain("%s", why);
        code = CODE_USAGE;
    }
    if (code == CODE_FINE)
        suggestion_print(suggestion, stdout);
    suggestion_free(suggestion);
    return code;
}

enum exit_code command_limits(struct invocation *invocation)
{
    gboolean json = FALSE;
    g_autofree char *near = NULL, *since = NULL;
    g_auto(GStrv) logs = NULL;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {"near", 0, 0, G_OPTION_ARG_STRING, &near, NULL, NULL},
                                    {"log", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &logs, NULL, NULL},
                                    {"since", 0, 0, G_OPTION_ARG_STRING, &since, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, OPERANDS_MAX);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (near &&
        (strspn(near, "0123456789") == 0 || strcmp(near + strspn(near, "0123456789"), "%") != 0))
        return usage_error(invocation, "--near needs a percentage, as 80%%");
    if (g_strcmp0(invocation->operands[0], "suggest") == 0)
        return suggest(invocation, logs, since);
    if (since)
        return usage_error(invocation, "--since goes with limits suggest alone");
    g_autoptr(GString) request = g_string_new("limits");
    if (json)
        g_string_append(request, " --json");
    if (near)
        g_string_append_printf(request, " --near %s", near);
    return ask_with(invocation, request);
}

enum exit_code command_greylist(struct invocation *invocation)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, 2);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    g_autoptr(GString) request = g_string_new(json ? "greylist --json" : "greylist");
    return ask_with(invocation, request);
}
