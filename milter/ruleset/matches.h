/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was found in one message; between match.c and score.c.
 */
#ifndef RULESET_MATCHES_H
#define RULESET_MATCHES_H

#include <glib.h>

struct match {
    unsigned rule;  /* its index */
    unsigned count; /* how often it hit */
    const char *text;
};

struct ruleset_matches {
    GArray *found;       /* struct match */
    GPtrArray *exploded; /* names of rules, borrowed from the ruleset */
    GStringChunk *texts;
};

#endif
