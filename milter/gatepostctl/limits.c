/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl limits, greylist: the daemon answers.
 */
#include <string.h>

#include "base/when.h"
#include "command.h"
#include "daemon.h"
#include "suggest.h"

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

/* Without the daemon: out of log files, or of the history. */
static enum exit_code suggest(const struct invocation *invocation, char **logs,
                              const char *since_text)
{
    int64_t since = INT64_MIN;
    char **more = invocation->operands + 1; /* --log FILE...: what stands behind it are files too */
    if (!logs && *more)
        return usage_error(invocation, "\"%s\" is no option", *more);
    if (since_text && !when_parse(since_text, g_get_real_time(), WHEN_SINCE, &since))
        return usage_error(invocation, "--since %s: " WHEN_FORMS, since_text);
    enum exit_code code = CODE_FINE;
    g_autofree char *path = logs ? NULL : invocation_history(invocation, NULL, &code);
    if (!logs && !path)
        return code;
    struct suggestion *suggestion = suggestion_new(since);
    g_autofree char *why = path ? suggestion_read_history(suggestion, path) : NULL;
    code = why ? CODE_UNAVAILABLE : CODE_FINE;
    for (char **files = logs; files && !why; files = files == logs ? more : NULL)
        for (char **file = files; *file && !why; file++) {
            why = suggestion_read(suggestion, *file);
            code = why ? CODE_USAGE : CODE_FINE;
        }
    if (why)
        complain("%s", why);
    else
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
    enum parse_result parsed = invocation_parse(invocation, entries, 0, G_MAXUINT);
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
