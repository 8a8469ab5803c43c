/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost-survey: what gatepostctl runs for "survey" and "onion-map". gatepostctl(8) is its
 * manual.
 *
 *     gatepost-survey CONFIG COMMAND [ARGUMENT...]
 *     gatepost-survey -V
 */
#include <locale.h>
#include <signal.h>
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
     "Asks the MXs of each domain how they take mail: STARTTLS, certificates, DANE, MTA-STS.\n"
     "\n"
     "  -c FILE            the settings (default: " GATEPOST_SYSCONFDIR "/gatepost.conf)\n"
     "  -f FILE            domains, a line each; -: standard input\n"
     "  --json, --csv      an object a line, or a table (default: for people)\n"
     "  --html FILE        a page with the last run, what changed, and plots; -: standard output\n"
     "  --db FILE          the history (default: root's in the state folder, else below\n"
     "                     XDG_DATA_HOME)\n"
     "  --diff [A [B]]     what changed between two runs (default: the last two)\n"
     "  --jobs N           hosts at a time (default: 32)\n"
     "  --helo NAME        what it calls itself (default: the host's name)\n"
     "  --trust-resolver   believes DNSSEC of a resolver that is not on this machine\n"
     "  --confirm TIME     when a loss is looked at again; 0: never (default: 15m)\n"
     "  --versions         tries each version of TLS by itself\n"
     "  --local            asks private addresses, too\n"
     "  --ca-file FILE     authorities (default: the system's)\n"
     "\n"
     "Example: gatepostctl survey --diff example.org example.net\n"},
    {"onion-map", call_onion_map,
     "[-o FILE] [--service smtptor] [--insecure] [--trust-resolver] [--local]\n"
     "         [--ca-file FILE] DOMAIN...|-f FILE",
     "Prints lines for transport(5): mail for these domains goes to their onion services.\n"
     "\n"
     "  -c FILE            the settings (default: " GATEPOST_SYSCONFDIR "/gatepost.conf)\n"
     "  -f FILE            domains, a line each; -: standard input\n"
     "  -o FILE            the map, replaced whole when something changed (default: printed, as\n"
     "                     with -)\n"
     "  --service NAME     of master.cf (default: smtptor)\n"
     "  --insecure         takes records that are not signed, too\n"
     "  --trust-resolver   believes DNSSEC of a resolver that is not on this machine\n"
     "  --local            asks private addresses for policies, too\n"
     "  --ca-file FILE     authorities (default: the system's)\n"
     "\n"
     "Example: gatepostctl onion-map -o /etc/postfix/onion-map -f domains\n"},
};

int main(int argc, char **argv)
{
    if (!descriptors_take_standard())
        return CALL_UNAVAILABLE;
    setlocale(LC_CTYPE, "");
    /* OpenSSL and libcurl write to sockets as to files: a server that hangs up in time would end
     * the survey of all others. */
    signal(SIGPIPE, SIG_IGN);
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
            complain("cannot write to standard output");
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
