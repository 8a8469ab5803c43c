/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Help on commands: a row each. gatepostctl(8) says the rest.
 */
#include "commandhelp.h"

#include <glib.h>
#include <string.h>

static const struct {
    const char *name, *details, *exits;
} rows[] = {
    {"check",
     "  -v   also prints what decides about mail, and the directives of rule files that are\n"
     "       skipped (default: what is wrong, and nothing else)\n"
     "\n"
     "Example: gatepostctl check -v\n",
     "0 no errors (perhaps warnings), 64 usage, 78 errors"},
    {"config",
     "  -n   what was set (default: all that is in force)\n"
     "  -d   the defaults\n"
     "  -x   with each $name replaced by what it stands for (default: as it was written)\n"
     "\n"
     "Example: gatepostctl config -n\n",
     "0 fine, 1 a NAME is no parameter, 64 usage, 78 the settings are wrong"},
    {"dnsbl",
     "  --json    an object a line\n"
     "  --probe   tests the lists themselves first (RFC 5782); needs no other argument\n"
     "\n"
     "Example: gatepostctl dnsbl 203.0.113.9\n",
     "0 not listed, 1 listed, or a list fails its probe, 64 usage,\n"
     "      69 a list or the DNS told nothing, 78 the settings are wrong"},
    {"greylist",
     "  --json         an object a line\n"
     "  pass CLIENT    lets the group of a client pass\n"
     "\n"
     "Example: gatepostctl greylist pass 203.0.113.9\n",
     "0 fine, 1 nothing is known of it, 64 usage, 69 the daemon, or the store, does not answer"},
    {"history",
     "  forget ADDRESS   deletes every decision that names it\n"
     "\n"
     "Example: gatepostctl history forget alice@example.com\n",
     "0 fine, 1 nothing named it, 64 usage, 69 the history cannot be written,\n"
     "      78 the settings are wrong"},
    {"replay",
     "  --json          one object\n"
     "  --since T       what came since then, as 2h, yesterday or 2026-11-26 (default: all)\n"
     "  --new FILE      the settings that judge (default: those whose history it is)\n"
     "  --check NAME    what this restriction decided, or would decide, alone\n"
     "  --dns           asks the DNS now, not the history\n"
     "  --log FILE...   reads log lines instead of the history\n"
     "\n"
     "Example: gatepostctl replay --since 7d --new /etc/gatepost/new.conf\n",
     "0 nothing would change, 1 something would, 64 usage, 69 the history cannot be read,\n"
     "      78 the settings are wrong"},
    {"trace",
     "  --json       an object a line\n"
     "  --since T    what came since then, as 2h, yesterday or 2026-11-26 (default: all)\n"
     "  --until T    what came until then\n"
     "\n"
     "Example: gatepostctl trace --since yesterday bob@example.com\n",
     "0 fine, 1 there is nothing, 64 usage, 69 the history cannot be read,\n"
     "      78 the settings are wrong"},
    {"ping",
     "  --timeout T    how long it may take in all, as 500ms or 5s (default: 2s)\n"
     "\n"
     "Example: gatepostctl ping --timeout 5s\n",
     "0 it is well, 64 usage, 69 it does not answer, or not in time"},
    {"limits",
     "  --json             an object a line\n"
     "  --near N%          those that have used so much (default: all)\n"
     "  reset LIMIT KEY    forgets what a key has used\n"
     "  allow LIMIT KEY N TIME\n"
     "                     lets it send N more until TIME has passed\n"
     "  release            prints the queue ids of held mail that fits by now\n"
     "  suggest            says which max would have refused nobody, by the history\n"
     "  --log FILE...      by log lines instead\n"
     "  --since T          what was sent since then (default: all)\n"
     "\n"
     "Example: gatepostctl limits --near 80%\n",
     "0 fine, 1 --near found something, 64 usage, 69 the daemon, or the store, does not answer"},
    {"lookup",
     "  TABLE   TYPE:NAME, as settings have it\n"
     "  KEY     -: reads keys from standard input, a line each\n"
     "\n"
     "Example: gatepostctl lookup cidr:/etc/gatepost/clients 192.0.2.1\n",
     "0 found, 1 no key was found, 64 usage, 69 the table cannot tell, 78 it cannot be opened"},
    {"test",
     "  --json              an object a line\n"
     "  --client IP         the client (default: 203.0.113.1, a stranger; 127.0.0.1 with --local)\n"
     "  --name PTR          its name, confirmed (default: none)\n"
     "  --helo H            (default: the name, else the address in brackets)\n"
     "  --from A            the sender, \"\" for none (default: Return-Path, else From:)\n"
     "  --rcpt A            a recipient; each adds one (default: a user of local_domains)\n"
     "  --auth USER         a login (default: none)\n"
     "  --mech M            how it was made (default: PLAIN)\n"
     "  --tls V             as TLSv1.3 (default: clear text)\n"
     "  --bits N            strength of the cipher (default: 256)\n"
     "  --ccert-subject S   of a client certificate that was verified (default: none)\n"
     "  --listener N        name of the listener, or :PORT (default: :25)\n"
     "  --local             mail that was not sent by SMTP\n"
     "  FILE                a message, -: standard input (default: the envelope alone)\n"
     "\n"
     "Example: gatepostctl test --client 192.0.2.9 --rcpt bob@example.org message.eml\n",
     "0 it would pass, 1 it, or a recipient, would be refused,\n"
     "      64 usage, or a FILE cannot be read, 78 the settings are wrong"},
    {"reload", "\nExample: gatepostctl check && gatepostctl reload\n",
     "0 done, 64 usage, 69 the daemon does not answer, 78 errors: the old settings stay"},
    {"report",
     "  --since T     decisions since then (default: 7d)\n"
     "  --json        one object\n"
     "  --html FILE   a page with plots (-: to standard output)\n"
     "\n"
     "Example: gatepostctl report --since yesterday\n",
     "0 fine, 64 usage, 69 the history cannot be read, or none is kept,\n"
     "      78 the settings are wrong"},
    {"rules",
     "  NAME   this rule alone, and what defines it (default: all that score)\n"
     "\n"
     "Example: gatepostctl rules SUBJECT_ALL_CAPS\n",
     "0 fine, 1 there is no rule NAME, 64 usage, 78 the settings are wrong"},
    {"setup",
     "  --check               compares instead, and says what is wrong\n"
     "  --remove              prints how to take gatepost out of the MTA again\n"
     "  --mta-config FOLDER   (default: the MTA's own)\n"
     "  --cf FILE             Sendmail's sendmail.cf (default: the one in its folder)\n"
     "\n"
     "Example: gatepostctl setup postfix --check\n",
     "0 fine, 1 --check found something, 64 usage, 69 there is no such MTA,\n"
     "      78 the settings, its or gatepost's, cannot be read"},
    {"status",
     "  --json   one object (default: for people)\n\nExample: gatepostctl status --json\n",
     "0 fine, 64 usage, 69 the daemon does not answer"},
};

static size_t find(const char *name)
{
    size_t i = 0;
    while (i < G_N_ELEMENTS(rows) && strcmp(rows[i].name, name) != 0)
        i++;
    return i;
}

const char *command_details(const char *name)
{
    size_t i = find(name);
    return i < G_N_ELEMENTS(rows) ? rows[i].details : "";
}

const char *command_exits(const char *name)
{
    size_t i = find(name);
    return i < G_N_ELEMENTS(rows) ? rows[i].exits
                                  : "0 fine, 1 the answer is no, 64 usage, 69 not reachable, 78 "
                                    "the settings are wrong";
}
