/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost-survey: what gatepostctl runs for "survey" and "onion-map". gatepostctl(8) is its
 * manual.
 *
 *     gatepost-survey CONFIG COMMAND [ARGUMENT...]
 *     gatepost-survey -V
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/descriptors.h"
#include "call.h"
#include "config.h"
#include "interrupt.h"

static const struct {
    const char *name;
    enum call_code (*run)(struct call *call, int argc, char **argv);
    const char *arguments, *help;
} commands[] = {
    {"survey", call_survey,
     "[--json|--csv|--html FILE] [--db FILE] [--diff [A [B]]] [--jobs N]\n"
     "         [--helo NAME] [--trust-resolver] [--confirm TIME] [--versions] [--local]\n"
     "         [--ca-file FILE] DOMAIN...|-f FILE",
     "Asks the MXs of each domain how they take mail: STARTTLS, certificates, DANE, MTA-STS."},
    {"onion-map", call_onion_map,
     "[-o FILE] [--service smtptor] [--insecure] [--trust-resolver] [--local]\n"
     "         [--ca-file FILE] DOMAIN...|-f FILE",
     "Prints lines for transport(5): mail for these domains goes to their onion services."},
};

int main(int argc, char **argv)
{
    if (!descriptors_take_standard())
        return CALL_UNAVAILABLE;
    setlocale(LC_CTYPE, "");
    for (size_t i = 0; argc >= 3 && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[2], commands[i].name) != 0)
            continue;
        struct call call = {.command = commands[i].name,
                            .arguments = commands[i].arguments,
                            .help = commands[i].help,
                            .config = g_strdup(argv[1])};
        enum call_code code = commands[i].run(&call, argc - 2, argv + 2);
        call_end(&call);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            call_complain("cannot write to standard output");
            code = CALL_UNAVAILABLE;
        }
        interrupt_pass_on();
        return (int)code;
    }
    if (argc == 2 && (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts("gatepost-survey " GATEPOST_VERSION);
        return CALL_FINE;
    }
    fputs("This is run by gatepostctl: see gatepostctl(8), survey.\n", stderr);
    return CALL_USAGE;
}
