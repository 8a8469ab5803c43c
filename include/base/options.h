/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every command of the command line is called with, beside options of its own.
 *
 * Threads: the command line's.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <glib.h>
#include <stdbool.h>

struct common_options {
    char *config;    /* of -c; before: what it is without, which g_free takes */
    char **operands; /* NULL behind the last */
    gboolean help;   /* -h */
};

/* Reads these and ENTRIES (NULL: none), which may stand anywhere among the operands up to "--".
 * ARGV[0] is the name of the program or command. The caller frees config and operands (g_strfreev),
 * whatever is returned. false: *WHY_R says what is wrong, for g_free. */
bool options_parse(const GOptionEntry *entries, int argc, char **argv,
                   struct common_options *options, char **why_r);

#endif
