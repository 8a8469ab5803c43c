/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of gatepostctl share: a command is a row in main.c and a function in its own file.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <glib.h>
#include <stdbool.h>

#include "base/complaint.h"
#include "base/problems.h"

/* The exit codes of gatepostctl, of sysexits.h where that has them. */
enum exit_code {
    CODE_FINE = 0,
    CODE_NO = 1,           /* the answer is no: refused, not found */
    CODE_USAGE = 64,       /* the command line is wrong, or a file named on it cannot be read */
    CODE_UNAVAILABLE = 69, /* the daemon, or a table, cannot answer */
    CODE_CONFIG = 78,      /* gatepost.conf, or something it names, is wrong */
};

struct command;

/* A command that is being run. */
struct invocation {
    const struct command *command;
    char *config; /* the settings file: -c before or behind the command, else the default */
    int argc;     /* the words behind the command */
    char **argv;
    char **operands; /* after invocation_parse: what is no option, NULL behind the last */
};

struct command {
    const char *name;
    const char *arguments; /* as the usage line shows them; NULL: none */
    const char *help;
    enum exit_code (*run)(struct invocation *invocation);
};

enum exit_code command_check(struct invocation *invocation);
enum exit_code command_config(struct invocation *invocation);
enum exit_code command_dnsbl(struct invocation *invocation);
enum exit_code command_greylist(struct invocation *invocation);
enum exit_code command_history(struct invocation *invocation);
enum exit_code command_limits(struct invocation *invocation);
enum exit_code command_lookup(struct invocation *invocation);
enum exit_code command_ping(struct invocation *invocation);
enum exit_code command_reload(struct invocation *invocation);
enum exit_code command_replay(struct invocation *invocation);
enum exit_code command_report(struct invocation *invocation);
enum exit_code command_rules(struct invocation *invocation);
enum exit_code command_setup(struct invocation *invocation);
enum exit_code command_status(struct invocation *invocation);
enum exit_code command_survey(struct invocation *invocation);
enum exit_code command_test(struct invocation *invocation);
enum exit_code command_trace(struct invocation *invocation);

enum parse_result { PARSE_GOOD, PARSE_HELP, PARSE_BAD };

/* Reads the options of a command, which may stand anywhere among its operands; what stands behind
 * "--" is no option. ENTRIES say where values go (a string given twice: the last). -c and -h are
 * known to every command. With between LEAST and MOST operands they are in invocation->operands.
 * PARSE_HELP: help was printed; PARSE_BAD: the mistake and the usage were. */
enum parse_result invocation_parse(struct invocation *invocation, const GOptionEntry *entries,
                                   unsigned least, unsigned most);

struct snapshot;

/* Loads the policy that the settings of the invocation say, and prints what is wrong with it to
 * stderr; NULL after an error. The caller unrefs it. */
struct snapshot *invocation_load(const struct invocation *invocation);

/* Where the settings of the invocation keep the history, for g_free; NULL with *CODE_R: nowhere, or
 * they are wrong, which was told. OPTIONS_R: what else they say of it; may be NULL. */
struct history_options;
char *invocation_history(const struct invocation *invocation, struct history_options *options_r,
                         enum exit_code *code_r);

/* What to return when invocation_parse was not good. */
enum exit_code parse_code(enum parse_result result);

/* Prints MISTAKE and the usage of the command to stderr; returns CODE_USAGE. */
enum exit_code usage_error(const struct invocation *invocation, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Hands each line of standard input, without its line end, to VISIT. What cannot be read is
 * complained of: false. */
bool each_line_of_stdin(void (*visit)(void *data, char *line), void *data);

#endif
