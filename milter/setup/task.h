/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the MTAs' own files share.
 *
 * Threads: one thread at a time.
 */
#ifndef SETUP_TASK_H
#define SETUP_TASK_H

#include "base/ipaddr.h"
#include "setup/setup.h"

/* Complains "warning: TEXT" and counts it: mail would be refused that should not be, or would pass
 * gatepost unseen. A note is something to know, no more. Neither can be made to write more than
 * its line by what an MTA's configuration holds. */
void setup_warn(struct setup_task *task, const char *format, ...) G_GNUC_PRINTF(2, 3);
void setup_note(struct setup_task *task, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Seconds that gatepost may hold a client, at most: dnsbl_timeout, the longest of all sections. */
unsigned setup_longest_wait(const struct settings *settings);

/* The time-out that fits: the wait, and time for a machine under load. */
#define SETUP_TIMEOUT_MARGIN 25
unsigned setup_timeout(const struct settings *settings);

/* Below this an MTA may give up before gatepost answers. */
#define SETUP_TIMEOUT_LEAST 5
unsigned setup_least_timeout(const struct settings *settings);

/* Calls EACH for every listener that the settings themselves name ("NAME" or ":PORT"), and WHERE
 * they do: the defaults name listeners that not every site has. */
void setup_each_listener(const struct settings *settings,
                         void (*each)(void *data, const char *name, const char *where), void *data);

/* Prints "NAME = VALUE" for gatepost.conf, PREFIX before it, unless that says something else of its
 * own, which is then told on a line before, after REMARK. */
void setup_print_setting(const struct setup_task *task, const char *prefix, const char *remark,
                         enum setting id, const char *value);

/* Warns, when the configuration is checked, if gatepost.conf has no local_domains. */
void setup_look_at_domains(struct setup_task *task);

/* The host that an MTA connects to: HOST, but for "any address" this machine's: its loopback, where
 * there is an MTA here, else its name. */
const char *setup_host(const char *host, bool mta_is_here);

/* Whether HOST stands for any address: an MTA may call it by every name and address that leads
 * here. */
bool setup_is_any(const char *host);

/* Whether TEXT has nothing that a terminal, or an eye, takes for more than text (base/text.h): what
 * has is never printed as it is. */
bool setup_is_one_line(const char *text);

/* Whether NET holds IPv4 addresses in IPv6's form alone, as Debian's main.cf has some: nobody comes
 * from there (base/ipaddr.h). */
bool setup_holds_nobody(const struct ipnet *net);

/* Splits a list as Postfix does; one that cannot be split has no words. Never NULL. */
GPtrArray *setup_words(const char *value);

/* Adds a copy of WORD unless it is there. */
void setup_add_word(GPtrArray *list, const char *word);

/* Joins the words with a space; the caller frees it. */
char *setup_join(const GPtrArray *list);

#endif
