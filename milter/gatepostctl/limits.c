/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl limits, greylist: the daemon answers.
 */
#include <string.h>

#include "command.h"
#include "daemon.h"

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

enum exit_code command_limits(struct invocation *invocation)
{
    gboolean json = FALSE;
    char *near = NULL;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {"near", 0, 0, G_OPTION_ARG_STRING, &near, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, OPERANDS_MAX);
    g_autofree char *owned = near;
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (near &&
        (strspn(near, "0123456789") == 0 || strcmp(near + strspn(near, "0123456789"), "%") != 0))
        return usage_error(invocation, "--near needs a percentage, as 80%%");
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
