/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl test: what would become of a message, and why.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "ondisk.h"
#include "testoutput.h"

static void setup_clear(struct trial_setup *setup)
{
    g_free(setup->client);
    g_free(setup->name);
    g_free(setup->helo);
    g_free(setup->sender);
    g_strfreev(setup->recipients);
    g_free(setup->login);
    g_free(setup->mechanism);
    g_free(setup->tls);
    g_free(setup->bits);
    g_free(setup->ccert_subject);
    g_free(setup->listener);
}

static enum parse_result parse(struct invocation *invocation, struct trial_setup *setup,
                               gboolean *json_r)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, json_r, NULL, NULL},
        {"client", 0, 0, G_OPTION_ARG_FILENAME, &setup->client, NULL, NULL},
        {"name", 0, 0, G_OPTION_ARG_FILENAME, &setup->name, NULL, NULL},
        {"helo", 0, 0, G_OPTION_ARG_FILENAME, &setup->helo, NULL, NULL},
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &setup->sender, NULL, NULL},
        {"rcpt", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &setup->recipients, NULL, NULL},
        {"auth", 0, 0, G_OPTION_ARG_FILENAME, &setup->login, NULL, NULL},
        {"mech", 0, 0, G_OPTION_ARG_FILENAME, &setup->mechanism, NULL, NULL},
        {"tls", 0, 0, G_OPTION_ARG_FILENAME, &setup->tls, NULL, NULL},
        {"bits", 0, 0, G_OPTION_ARG_FILENAME, &setup->bits, NULL, NULL},
        {"ccert-subject", 0, 0, G_OPTION_ARG_FILENAME, &setup->ccert_subject, NULL, NULL},
        {"listener", 0, 0, G_OPTION_ARG_FILENAME, &setup->listener, NULL, NULL},
        {"local", 0, 0, G_OPTION_ARG_NONE, &setup->local, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, G_MAXUINT);
    const char *fault = parsed == PARSE_GOOD ? trial_setup_fault(setup) : NULL;
    if (!fault)
        return parsed;
    usage_error(invocation, "%s", fault);
    return PARSE_BAD;
}

struct run {
    struct trial *trial;
    const struct trial_setup *setup;
    bool json;
    bool refused;
};

static void run_one(struct run *run, const char *file, const struct message_file *message)
{
    struct trial_result result;
    trial_run(run->trial, run->setup, message, &result);
    enum action verdict = result.decision.verdict;
    run->refused |= verdict == ACTION_REJECT || verdict == ACTION_TEMPFAIL;
    if (run->json)
        test_print_json(file, &result, stdout);
    else
        test_print_text(file, &result, stdout);
    trial_result_clear(&result);
}

/* Tells a person how far it is whose terminal does not show the results themselves. */
static void show_progress(unsigned done, unsigned count, gint64 *next)
{
    enum { PAUSE_US = 100 * G_TIME_SPAN_MILLISECOND };
    gint64 now = g_get_monotonic_time();
    if (done < count && now < *next)
        return;
    *next = now + PAUSE_US;
    if (done < count)
        fprintf(stderr, "\r%u of %u", done, count);
    else
        fputs("\r\033[K", stderr);
}

/* false if one of the files could not be read; the others are tried. */
static bool run_files(struct run *run, char **files)
{
    bool good = true, shows = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    unsigned done = 0, count = g_strv_length(files);
    gint64 next = 0;
    for (; *files; files++) {
        if (shows && count > 1)
            show_progress(done++, count, &next);
        struct message_file message;
        g_autofree char *why = NULL;
        if (!message_file_read(*files, &message, &why)) {
            complain("%s: %s", *files, why);
            good = false;
            continue;
        }
        run_one(run, *files, &message);
        message_file_clear(&message);
    }
    if (shows && count > 1)
        show_progress(count, count, &next);
    return good;
}

static enum exit_code run_all(const struct invocation *invocation, const struct trial_setup *setup,
                              bool json)
{
    struct snapshot *snapshot = invocation_load(invocation);
    if (!snapshot)
        return CODE_CONFIG;
    struct run run = {.trial = trial_new(snapshot), .setup = setup, .json = json};
    bool good = true;
    if (*invocation->operands)
        good = run_files(&run, invocation->operands);
    else
        run_one(&run, NULL, NULL);
    trial_free(run.trial);
    ondisk_warn(invocation);
    return !good ? CODE_USAGE : run.refused ? CODE_NO : CODE_FINE;
}

enum exit_code command_test(struct invocation *invocation)
{
    struct trial_setup setup = {0};
    gboolean json = FALSE;
    enum parse_result parsed = parse(invocation, &setup, &json);
    enum exit_code code =
        parsed == PARSE_GOOD ? run_all(invocation, &setup, json) : parse_code(parsed);
    setup_clear(&setup);
    return code;
}
