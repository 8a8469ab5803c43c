/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl trace, history: what was decided, and taking somebody out of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/when.h"
#include "command.h"
#include "history/history_writer.h"
#include "history/history_reader.h"
#include "report/history_text.h"

char *invocation_history(const struct invocation *invocation, enum exit_code *code_r)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(invocation->config, problems);
    char *path = NULL;
    *code_r = CODE_CONFIG;
    if (!settings || problems_errors(problems) > 0) {
        problems_print(problems, stderr);
    } else {
        path = g_strdup(history_path(settings));
        if (!path)
            complain("no history is kept: \"history\" is empty in %s", invocation->config);
        *code_r = CODE_UNAVAILABLE;
    }
    settings_free(settings);
    problems_free(problems);
    return path;
}

struct tracing {
    bool json;
    unsigned found;
    GString *out;
};

static bool print_row(void *data, const struct history_row *row)
{
    struct tracing *tracing = data;
    tracing->found++;
    g_string_truncate(tracing->out, 0);
    if (tracing->json) {
        history_json(row, tracing->out);
        g_string_append_c(tracing->out, '\n');
    } else {
        history_text(row, tracing->out);
    }
    return fputs(tracing->out->str, stdout) >= 0;
}

static bool read_times(const struct invocation *invocation, const char *since, const char *until,
                       struct history_search *search)
{
    int64_t now = g_get_real_time();
    const char *bad = NULL;
    if (since && !when_parse(since, now, WHEN_SINCE, &search->since))
        bad = since;
    if (until && !when_parse(until, now, WHEN_UNTIL, &search->until))
        bad = until;
    if (bad)
        usage_error(invocation, "\"%s\" is no time; " WHEN_FORMS, bad);
    return !bad;
}

enum exit_code command_trace(struct invocation *invocation)
{
    gboolean json = FALSE;
    g_autofree char *since = NULL, *until = NULL;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {"since", 0, 0, G_OPTION_ARG_STRING, &since, NULL, NULL},
                                    {"until", 0, 0, G_OPTION_ARG_STRING, &until, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    struct history_search search = {0};
    enum exit_code code;
    enum parse_result parsed = invocation_parse(invocation, entries, 1, 1);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (!read_times(invocation, since, until, &search))
        return CODE_USAGE;
    if (!history_key_parse(invocation->operands[0], &search.key))
        return usage_error(invocation,
                           "\"%s\" is no queue id, session, address, domain, network or login",
                           invocation->operands[0]);
    g_autofree char *path = invocation_history(invocation, &code);
    g_autofree char *why = NULL;
    struct history_reader *reader = path ? history_reader_open(path, &why) : NULL;
    struct tracing tracing = {.json = json, .out = g_string_new(NULL)};
    bool good = reader && history_search(reader, &search, print_row, &tracing, &why);
    history_reader_close(reader);
    g_string_free(tracing.out, TRUE);
    if (why)
        complain("%s", why);
    if (!good)
        return code;
    if (tracing.found == 0 && !json)
        complain("nothing that was decided touches \"%s\"", invocation->operands[0]);
    return tracing.found > 0 ? CODE_FINE : CODE_NO;
}

enum exit_code command_history(struct invocation *invocation)
{
    enum exit_code code;
    enum parse_result parsed = invocation_parse(invocation, NULL, 2, 2);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    g_autofree char *address = g_strdup(invocation->operands[1]);
    size_t length = strlen(address);
    if (length > 2 && address[0] == '<' && address[length - 1] == '>') {
        address[length - 1] = '\0';
        memmove(address, address + 1, length - 1);
    }
    if (strcmp(invocation->operands[0], "forget") != 0)
        return usage_error(invocation,
                           "history can forget ADDRESS; trace, replay and report read it");
    if (!strchr(address, '@') || address[0] == '@' || g_str_has_suffix(address, "@"))
        return usage_error(invocation, "\"%s\" is no address: local@domain", address);
    g_autofree char *path = invocation_history(invocation, &code);
    g_autofree char *why = NULL;
    uint64_t rows;
    if (!path)
        return code;
    if (!history_forget(path, address, &rows, &why)) {
        complain("%s", why);
        return CODE_UNAVAILABLE;
    }
    printf("%" G_GUINT64_FORMAT " decision%s that named %s %s deleted\n", rows,
           rows == 1 ? "" : "s", address, rows == 1 ? "is" : "are");
    return rows > 0 ? CODE_FINE : CODE_NO;
}
