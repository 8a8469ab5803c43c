/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl reload, status: what the running daemon answers.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "control/control.h"
#include "settings/settings.h"

/* A reload reads every table anew; a million lines take seconds. */
enum { SECONDS_MAX = 120 };

/* Settings with mistakes in them are no reason not to find the daemon, which has older ones. */
char *daemon_place(const struct invocation *invocation, enum setting setting)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(invocation->config, problems);
    char *place = g_strdup(settings ? settings_get(settings, NULL, setting)->text
                                    : setting_row(setting)->default_text);
    settings_free(settings);
    problems_free(problems);
    return place;
}

enum exit_code daemon_ask(const struct invocation *invocation, const char *request, FILE *stream)
{
    g_autofree char *path = daemon_place(invocation, SETTING_CONTROL_SOCKET), *why = NULL;
    g_autoptr(GString) answer = g_string_new(NULL);
    int status;
    if (!control_call(path, request, SECONDS_MAX, &status, answer, &why)) {
        complain("%s", why);
        return CODE_UNAVAILABLE;
    }
    /* what is no answer must not reach who reads answers: postsuper -H -, say */
    fputs(answer->str, status == CODE_FINE || status == CODE_NO ? stream : stderr);
    return (enum exit_code)status;
}

/* What the daemon says of its settings is for a person, as with check; then it tells what it did.
 */
enum exit_code command_reload(struct invocation *invocation)
{
    enum parse_result parsed = invocation_parse(invocation, NULL, 0, 0);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    g_autofree char *path = daemon_place(invocation, SETTING_CONTROL_SOCKET), *why = NULL;
    g_autoptr(GString) answer = g_string_new(NULL);
    int status;
    if (!control_call(path, "reload", SECONDS_MAX, &status, answer, &why)) {
        complain("%s", why);
        return CODE_UNAVAILABLE;
    }
    /* Behind an empty line stands what it did. */
    char *done = strstr(answer->str, "\n\n");
    if (done != answer->str)
        fwrite(answer->str, 1, done ? (size_t)(done - answer->str) + 1 : answer->len, stderr);
    if (done)
        fputs(done + 2, stdout);
    if (status == CODE_FINE && isatty(STDOUT_FILENO))
        printf("the daemon has read %s anew\n", invocation->config);
    return (enum exit_code)status;
}

enum exit_code command_status(struct invocation *invocation)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, 0);
    return parsed == PARSE_GOOD ? daemon_ask(invocation, json ? "status --json" : "status", stdout)
                                : parse_code(parsed);
}
