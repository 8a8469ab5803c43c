/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was found in one message; between match.c and score.c.
 */
#ifndef RULESET_MATCHES_H
#define RULESET_MATCHES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct match {
    unsigned rule;  /* its index */
    unsigned count; /* how often it hit */
    const char *text;
};

struct ruleset_matches {
    GArray *found;       /* struct match */
    GPtrArray *exploded; /* names of rules, borrowed from the ruleset */
    GArray *untold; /* unsigned: indexes of rules that may have hit more often than was found */
    bool spent;     /* the work of the message was, and so it is not known of the rules left */
    uint64_t work;  /* that was taken */
    GStringChunk *texts;
};

#endif
