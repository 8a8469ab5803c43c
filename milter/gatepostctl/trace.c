/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl trace, history: what was decided, and taking somebody out of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/when.h"
#include "command.h"
#include "control/control.h"
#include "daemon.h"
#include "history/history_forget.h"
#include "history/history_reader.h"
#include "history/history_writer.h"
#include "mail/address.h"
#include "policy/login_domain.h"
#include "report/history_text.h"

/* The daemon waits for its disk ten seconds at most. */
enum { FLUSH_SECONDS = 15 };

char *invocation_history(const struct invocation *invocation, struct history_options *options_r,
                         enum exit_code *code_r)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(invocation->config, problems);
    char *path = NULL;
    *code_r = CODE_CONFIG;
    if (!settings || problems_errors(problems) > 0) {
        problems_print(problems, stderr);
    } else {
        path = g_strdup(history_path(settings));
        if (options_r)
            *options_r = history_options_from(settings);
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

/* The login that is ADDRESS's local part alone, where its owner may log in so; for g_free. NULL:
 * nobody may. */
static char *login_of(const struct invocation *invocation, const char *address)
{
    struct mail_address parsed;
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(invocation->config, problems);
    g_autofree char *folder = g_path_get_dirname(invocation->config);
    mail_address_parse(address, &parsed);
    g_autofree char *domain = mail_domain_fold(parsed.domain);
    bool owns =
        settings && *parsed.local && *domain && login_domain_may_be(settings, folder, domain);
    char *login = owns ? g_strdup(parsed.local) : NULL;
    mail_address_clear(&parsed);
    settings_free(settings);
    problems_free(problems);
    return login;
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
    struct history_options options;
    g_autofree char *path = invocation_history(invocation, &options, &code);
    g_autofree char *why = NULL;
    search.key.delimiters = options.delimiters;
    g_autofree char *login =
        path && search.key.kind == HISTORY_ADDRESS ? login_of(invocation, search.key.text) : NULL;
    search.key.login = login;
    struct history_reader *reader = path ? history_reader_open(path, &why) : NULL;
    struct tracing tracing = {.json = json, .out = g_string_new(NULL)};
    bool good = reader && history_search(reader, &search, print_row, &tracing, &why);
    uint64_t broken = reader ? history_reader_broken(reader) : 0;
    history_reader_close(reader);
    g_string_free(tracing.out, TRUE);
    if (why)
        complain("%s", why);
    if (!good)
        return code;
    if (broken > 0)
        complain("%s: %" G_GUINT64_FORMAT " decisions cannot be read", path, broken);
    if (tracing.found == 0 && !json)
        complain("nothing that was decided touches \"%s\"", invocation->operands[0]);
    return tracing.found > 0 ? CODE_FINE : CODE_NO;
}

/* The running daemon writes what it has in memory. One that does not run has nothing. */
static bool flush(const struct invocation *invocation)
{
    g_autofree char *path = daemon_place(invocation, SETTING_CONTROL_SOCKET), *why = NULL;
    g_autoptr(GString) answer = g_string_new(NULL);
    int status;
    bool answered = control_call(path, "history flush", FLUSH_SECONDS, &status, answer, &why);
    if (answered ? status == CODE_FINE : status == CONTROL_NOBODY)
        return true;
    complain("%s", answered ? g_strchomp(answer->str) : why);
    return false;
}

static enum exit_code forget(const struct invocation *invocation, const char *path,
                             const char *delimiters, const char *address)
{
    g_autofree char *login = login_of(invocation, address), *why = NULL;
    struct history_person *person = history_person_new(address, delimiters, login != NULL);
    struct history_forgotten forgotten;
    if (!person)
        return usage_error(invocation, "\"%s\" is no address: local@domain", address);
    bool written = flush(invocation);
    bool good = history_forget(path, person, &forgotten, &why);
    g_autoptr(GPtrArray) removed = history_remove_aside(path, G_MAXINT64);
    history_person_free(person);
    if (good) {
        g_autofree char *shown = text_escape(address);
        printf("%" G_GUINT64_FORMAT " decision%s that named %s %s deleted", forgotten.rows,
               forgotten.rows == 1 ? "" : "s", shown, forgotten.rows == 1 ? "is" : "are");
        if (forgotten.extensions > 0)
            printf(", %" G_GUINT64_FORMAT " of them by an extension of it alone",
                   forgotten.extensions);
        putchar('\n');
    } else {
        complain("%s", why);
    }
    for (guint i = 0; i < removed->len; i++)
        printf("%s, which was put aside as broken and may name anybody, is removed\n",
               (const char *)removed->pdata[i]);
    if (!good || !written)
        return CODE_UNAVAILABLE;
    return forgotten.rows > 0 || removed->len > 0 ? CODE_FINE : CODE_NO;
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
    struct history_options options;
    g_autofree char *path = invocation_history(invocation, &options, &code);
    return path ? forget(invocation, path, options.delimiters, address) : code;
}
