/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl: what a person runs. gatepostctl(8) is its manual; each command is a row here and a
 * function in the file of its family.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/descriptors.h"
#include "base/text.h"
#include "command.h"
#include "config.h"

static const struct command commands[] = {
    {"check", "[-v]", "Reads settings and tables as the daemon would and tells what is wrong.",
     command_check},
    {"config", "[-n] [-d] [-x] [NAME...]",
     "Prints the settings in force; -n: those that were set, -d: the defaults, -x: $name expanded.",
     command_config},
    {"dnsbl", "[--json] [--probe] ADDRESS|DOMAIN|E-MAIL...",
     "Asks every DNS list in force; -: reads from stdin; --probe: tests the lists themselves.",
     command_dnsbl},
    {"greylist", "[--json] [ADDRESS|IP|DOMAIN], greylist pass IP|DOMAIN",
     "Whom greylisting makes wait and whom it knows; pass: lets the group of a client pass.",
     command_greylist},
    {"history", "forget ADDRESS", "Takes an address out of the history, for good.",
     command_history},
    {"limits",
     "[--json] [--near N%] [LIMIT [KEY]], limits reset LIMIT KEY,\n"
     "         limits allow LIMIT KEY N TIME, limits release,\n"
     "         limits suggest [--since T] [--log FILE...]",
     "What was used of limits; forgets it; allows more for a time; prints what may leave hold.",
     command_limits},
    {"lookup", "TABLE KEY...", "Asks a table (cidr:FILE ...); KEY -: reads keys from stdin.",
     command_lookup},
    {"ping", "[--timeout T]",
     "Whether a mail server that came now would be served: plays a session; nothing is logged.",
     command_ping},
    {"test",
     "[--json] [--client IP] [--name PTR] [--helo H] [--from A] [--rcpt A]...\n"
     "         [--auth USER --mech M] [--tls V --bits N] [--ccert-subject S] [--listener N] "
     "[--local]\n         [FILE...]",
     "Takes messages (-: stdin), or an envelope alone, through the code of the daemon.",
     command_test},
    {"replay", "[--json] [--since T] [--dns] [--new FILE] [--check NAME] [--log FILE...]",
     "What other settings would have decided on what really came.", command_replay},
    {"reload", NULL, "Has the daemon read its settings anew; with errors it keeps the old ones.",
     command_reload},
    {"report", "[--since T] [--json|--html FILE]",
     "What was passed, tagged, held, deferred and refused, by what; what caught nothing.",
     command_report},
    {"rules", "[NAME]", "The rules in force: score, name, where from, description.", command_rules},
    {"status", "[--json]", "How the daemon is.", command_status},
    {"setup", "postfix|sendmail [--mta-config FOLDER] [--cf FILE] [--check|--remove]",
     "Prints what to add to the MTA's configuration; --check: looks for what is wrong in it.",
     command_setup},
    {"onion-map", "[OPTION...] DOMAIN...|-f FILE",
     "Lines for transport(5): mail to domains that take it over onion services.", command_survey},
    {"survey", "[OPTION...] DOMAIN...|-f FILE",
     "How others take mail: their MXs, STARTTLS, certificates, DANE, and what changed.",
     command_survey},
    {"trace", "[--json] [--since T] [--until T] QUEUE-ID|SESSION|ADDRESS|DOMAIN|IP|LOGIN",
     "What was decided of it, and why, oldest first.", command_trace},
};

static void print_help(FILE *stream)
{
    fputs("usage: gatepostctl [-c FILE] COMMAND [ARGUMENT...]\n"
          "       gatepostctl COMMAND --help\n"
          "       gatepostctl -V|--version\n\n",
          stream);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(stream, "  %-9s %s\n", commands[i].name, commands[i].help);
    fprintf(stream,
            "\n-c FILE: the settings, instead of " GATEPOST_SYSCONFDIR "/gatepost.conf\n"
            "Exit: 0 fine, 1 the answer is no, 64 usage, 69 not reachable, 78 configuration\n");
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum exit_code unknown_command(const char *name)
{
    const char *names[G_N_ELEMENTS(commands)];
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        names[i] = commands[i].name;
    const char *nearest = text_nearest(name, names, G_N_ELEMENTS(commands));
    if (nearest)
        complain("there is no command \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        complain("there is no command \"%s\"; gatepostctl --help lists them", name);
    return CODE_USAGE;
}

/* The options that stand before the command. */
struct global {
    char *config;
    gboolean help, version;
};

static bool parse_global(int *argc, char ***argv, struct global *global)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &global->config, NULL, NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &global->help, NULL, NULL},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &global->version, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GError) error = NULL;
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_add_main_entries(context, entries, NULL);
    bool good = g_option_context_parse(context, argc, argv, &error);
    g_option_context_free(context);
    if (good)
        return true;
    complain("%s; gatepostctl --help lists options and commands", error->message);
    return false;
}

static enum exit_code run_command(const struct command *command, struct global *global, int argc,
                                  char **argv)
{
    struct invocation invocation = {
        .command = command, .config = g_steal_pointer(&global->config), .argc = argc, .argv = argv};
    if (!invocation.config)
        invocation.config = g_strdup(GATEPOST_SYSCONFDIR "/gatepost.conf");
    enum exit_code code = command->run(&invocation);
    g_free(invocation.config);
    g_strfreev(invocation.operands);
    return code;
}

static enum exit_code run(int argc, char **argv, struct global *global)
{
    if (!parse_global(&argc, &argv, global))
        return CODE_USAGE;
    if (global->version) {
        printf("gatepostctl " GATEPOST_VERSION "\n");
        return CODE_FINE;
    }
    if (global->help) {
        print_help(stdout);
        return CODE_FINE;
    }
    if (argc < 2) {
        print_help(stderr);
        return CODE_USAGE;
    }
    const struct command *command = find_command(argv[1]);
    if (!command && strcmp(argv[1], "help") == 0) {
        command = argc > 2 ? find_command(argv[2]) : NULL;
        char option[] = "--help";
        char *ask[] = {argv[1], option, NULL};
        if (command)
            return run_command(command, global, 1, ask + 1);
        if (argc > 2)
            return unknown_command(argv[2]);
        print_help(stdout);
        return CODE_FINE;
    }
    if (!command)
        return unknown_command(argv[1]);
    return run_command(command, global, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    if (!descriptors_take_standard())
        return CODE_UNAVAILABLE;
    setlocale(LC_CTYPE, "");
    struct global global = {0};
    enum exit_code code = run(argc, argv, &global);
    g_free(global.config);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write to standard output");
        return CODE_UNAVAILABLE;
    }
    return (int)code;
}
