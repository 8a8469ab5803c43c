/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl setup: what to add to the MTA's configuration, and what is wrong with what is there.
 */
#include "setup/setup.h"

#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "history/history_writer.h"
#include "ping.h"

/* Without a settings file the defaults hold: one sets the MTA up before gatepost, or after.
 * Mistakes in it are no matter to who only wants gatepost out of the MTA. */
static struct settings *load(const char *path, bool forgives)
{
    struct problems *problems = problems_new();
    struct settings *settings =
        g_file_test(path, G_FILE_TEST_EXISTS) ? settings_load(path, problems) : NULL;
    if (!settings && problems_errors(problems) == 0)
        settings = settings_parse("", 0, path, problems);
    if (!settings && forgives)
        settings = settings_parse("", 0, path, problems);
    if (!forgives)
        problems_print(problems, stderr);
    if (problems_errors(problems) > 0 && !forgives)
        g_clear_pointer(&settings, settings_free);
    problems_free(problems);
    return settings;
}

static enum exit_code code_of(const struct setup_task *task, enum setup_result result)
{
    switch (result) {
    case SETUP_NO_MTA:
        return CODE_UNAVAILABLE;
    case SETUP_UNREADABLE:
        return CODE_CONFIG;
    case SETUP_DONE:
        break;
    }
    return task->check && task->warnings > 0 ? CODE_NO : CODE_FINE;
}

/* An MTA that is set up well asks somebody. */
static void look_for_daemon(const struct invocation *invocation, struct setup_task *task)
{
    g_autofree char *why = ping_daemon(invocation, "2s");
    if (!why)
        return;
    complain("warning: %s; while it is so the MTA takes no mail (systemctl status gatepost)", why);
    task->warnings++;
}

static enum exit_code run_mta(const struct invocation *invocation, const struct setup_mta *mta,
                              struct setup_task *task)
{
    enum setup_result result = mta->run(task);
    if (task->check && result == SETUP_DONE)
        look_for_daemon(invocation, task);
    if (!task->check && !task->remove && result == SETUP_DONE) {
        /* what is kept of people, and how it is not, as a comment of the lines to add */
        const char *path = history_path(task->settings);
        const char *mark = mta->has_file ? "dnl" : "#";
        if (path)
            printf("%s gatepost keeps what it decides, with addresses and who wrote to whom, for "
                   "%s in\n"
                   "%s %s (gatepost.conf: history_keep, history);\n"
                   "%s \"history =\" switches that off.\n",
                   mark, settings_get(task->settings, NULL, SETTING_HISTORY_KEEP)->text, mark, path,
                   mark);
    }
    enum exit_code code = code_of(task, result);
    if (task->check && code == CODE_FINE && isatty(STDOUT_FILENO))
        printf("%s and %s fit together, and gatepost answers\n", task->settings_file, mta->name);
    return code;
}

static enum exit_code run(struct invocation *invocation, struct setup_task *task)
{
    const struct setup_mta *mta = setup_find(invocation->operands[0]);
    if (!mta)
        return usage_error(invocation, "setup knows nothing of \"%s\"", invocation->operands[0]);
    if (task->file && !mta->has_file)
        return usage_error(invocation, "--cf is for Sendmail");
    struct settings *settings = load(invocation->config, task->remove);
    task->settings = settings;
    task->settings_file = invocation->config;
    enum exit_code code = settings ? run_mta(invocation, mta, task) : CODE_CONFIG;
    settings_free(settings);
    return code;
}

enum exit_code command_setup(struct invocation *invocation)
{
    char *folder = NULL, *file = NULL;
    gboolean check = FALSE, remove = FALSE;
    const GOptionEntry entries[] = {
        {"mta-config", 0, 0, G_OPTION_ARG_FILENAME, &folder, NULL, NULL},
        {"cf", 0, 0, G_OPTION_ARG_FILENAME, &file, NULL, NULL},
        {"check", 0, 0, G_OPTION_ARG_NONE, &check, NULL, NULL},
        {"remove", 0, 0, G_OPTION_ARG_NONE, &remove, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 1, 1);
    struct setup_task task = {
        .folder = folder, .file = file, .check = check, .remove = remove, .complain = complain};
    enum exit_code code = parsed != PARSE_GOOD ? parse_code(parsed)
                          : check && remove    ? usage_error(invocation, "--check or --remove")
                                               : run(invocation, &task);
    g_free(folder);
    g_free(file);
    return code;
}
