/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What cidr, pcre and regexp tables share: rules in order, with "if PATTERN" ... "endif" blocks.
 */
#ifndef LOOKUP_PATTERN_RULES_H
#define LOOKUP_PATTERN_RULES_H

#include <glib.h>

#include "base/problems.h"

enum rule_op { RULE_MATCH, RULE_IF, RULE_ENDIF };

struct rule_head {
    enum rule_op op;
    unsigned line;
    unsigned end; /* of an if: the index of its endif (or UINT_MAX - 1 if it has none) */
};

/* How many of the rules, whose structs begin with a rule_head, give a value. */
size_t rules_count(const GArray *rules);

/* Whether LINE begins with "if" or "endif", in whatever case and not as part of a longer word;
 * *REST_R is what follows the word. Else RULE_MATCH. */
enum rule_op rules_keyword(char *line, char **rest_r);

/* Pairs if and endif while rules are added to an array of structs that begin with a rule_head. */
struct rules_nesting {
    GArray *rules;
    GArray *open; /* indexes of the ifs that are not ended */
    const char *file;
    struct problems *problems;
};

void rules_nesting_init(struct rules_nesting *nesting, GArray *rules, const char *file,
                        struct problems *problems);
unsigned rules_nesting_depth(const struct rules_nesting *nesting);

/* Copies the rule whose head this is to the end of the array. An endif needs depth > 0. */
void rules_nesting_add(struct rules_nesting *nesting, const struct rule_head *rule);

/* Warns of ifs without endif, whose blocks go to the end of the table; frees what init made. */
void rules_nesting_end(struct rules_nesting *nesting);

#endif
