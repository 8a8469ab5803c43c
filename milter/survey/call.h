/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the commands of gatepost-survey share: options, domains, settings, giving up root, the
 * resolver.
 */
#ifndef SURVEY_CALL_H
#define SURVEY_CALL_H

#include <glib.h>
#include <stdbool.h>

#include "asker.h"
#include "base/complaint.h"
#include "settings/settings.h"

/* As gatepostctl's. */
enum call_code {
    CALL_FINE = 0,
    CALL_NO = 1,
    CALL_USAGE = 64,
    CALL_UNAVAILABLE = 69,
    CALL_CONFIG = 78,
};

struct call {
    const char *command;   /* "survey" */
    const char *arguments; /* for the usage line */
    const char *help;
    char *config;
    char **operands;
    struct settings *settings;
    struct resolver *resolver;
    bool was_root;  /* when it was started */
    bool validates; /* after call_connect */
    char *why_not;  /* why it does not */
};

enum call_code call_survey(struct call *call, int argc, char **argv);
enum call_code call_onion_map(struct call *call, int argc, char **argv);

/* Reads options (-c and -h are known) and operands; false: *CODE_R is to be returned. */
bool call_parse(struct call *call, const GOptionEntry *entries, int argc, char **argv,
                enum call_code *code_r);
/* Prints the usage and a mistake to stderr; CALL_USAGE. */
enum call_code call_usage(const struct call *call, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Reads the settings; false after its complaints. */
bool call_load(struct call *call);

/* Whether call_drop will become somebody else. */
bool call_will_drop(const struct call *call);

/* Becomes the `user` of the settings if it is root; before the first packet and before there are
 * threads. */
bool call_drop(struct call *call);

/* Starts the resolver, and finds out whether it validates; false after its complaints. */
bool call_connect(struct call *call, bool trust_resolver);

/* Adds the domains of WORDS, and those of FILE ("-": stdin; NULL: none; a domain a line, "#" begins
 * a comment), in the DNS's form, each once, to DOMAINS (of char *, which it frees). false after
 * complaints of what is no domain, a million of them, or a file that cannot be read. */
bool call_add_domains(char *const *words, const char *file, GPtrArray *domains);

/* Frees what the call holds, but for itself. */
void call_end(struct call *call);

#endif
