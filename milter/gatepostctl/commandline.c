/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options and usage, the same for every command.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "command.h"
#include "commandhelp.h"
#include "config.h"
#include "policy/snapshot.h"

static void print_usage(const struct command *command, FILE *stream)
{
    fprintf(stream, "usage: gatepostctl [-c FILE] %s%s%s\n", command->name,
            command->arguments ? " " : "", command->arguments ? command->arguments : "");
}

enum exit_code usage_error(const struct invocation *invocation, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    print_usage(invocation->command, stderr);
    complain("%s", text);
    return CODE_USAGE;
}

bool each_line_of_stdin(void (*visit)(void *data, char *line), void *data)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) >= 0) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        visit(data, line);
    }
    free(line);
    if (!ferror(stdin))
        return true;
    complain("-: %s", g_strerror(errno));
    return false;
}

struct snapshot *invocation_load(const struct invocation *invocation)
{
    struct problems *problems = problems_new();
    struct snapshot *snapshot = snapshot_load(invocation->config, NULL, problems);
    problems_print(problems, stderr);
    problems_free(problems);
    return snapshot;
}

enum exit_code parse_code(enum parse_result result)
{
    return result == PARSE_BAD ? CODE_USAGE : CODE_FINE;
}

enum parse_result invocation_parse(struct invocation *invocation, const GOptionEntry *entries,
                                   unsigned least, unsigned most)
{
    struct common_options common = {.config = invocation->config};
    g_autofree char *why = NULL;
    /* behind the command's own word, which serves as ARGV[0] */
    bool good = options_parse(entries, invocation->argc + 1, invocation->argv - 1, &common, &why);
    invocation->config = common.config;
    invocation->operands = common.operands;
    if (!good) {
        usage_error(invocation, "%s", why);
        return PARSE_BAD;
    }
    if (common.help) {
        const char *name = invocation->command->name;
        print_usage(invocation->command, stdout);
        printf("%s\n\n  -c FILE, --config FILE   the settings (default: " GATEPOST_SYSCONFDIR
               "/gatepost.conf)\n%s\nExit: %s\n",
               invocation->command->help, command_details(name), command_exits(name));
        return PARSE_HELP;
    }
    unsigned count = g_strv_length(invocation->operands);
    if (count < least || count > most) {
        usage_error(invocation,
                    count < least ? "an argument is missing" : "there is an argument too many");
        return PARSE_BAD;
    }
    return PARSE_GOOD;
}
