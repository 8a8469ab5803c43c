/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What cidr, pcre and regexp tables share: rules in order, with "if PATTERN" ... "endif" blocks.
 */
#ifndef LOOKUP_PATTERN_RULES_H
#define LOOKUP_PATTERN_RULES_H

#include <glib.h>

#include "table_content.h"

enum rule_op { RULE_MATCH, RULE_IF, RULE_ENDIF };

/* A rule that cannot be read is skipped, unless it may keep somebody out: "!pattern", "if",
 * "endif". What such a rule might have kept out, a lookup cannot tell. */
struct rule_head {
    enum rule_op op;
    bool negated;    /* of a RULE_MATCH: "!" stands before a pattern of it */
    bool unreadable; /* its op, negated, line and end are all that is known */
    unsigned line;
    const char *pattern, *value; /* of a RULE_MATCH, in the table's text */
    unsigned end; /* of an if: the index of its endif (or UINT_MAX - 1 if it has none) */
};

/* What the content of such a table begins with. */
struct rule_table {
    struct content base;
    char *text;
    GArray *rules; /* of structs that begin with a rule_head */
};

/* As the class of a content has them: how many of the rules give a value, and each of these. */
size_t rules_count(const struct content *content);
bool rules_foreach(const struct content *content, const char *file, content_visit *visit,
                   void *data);

/* Whether LINE begins with "if" or "endif", in whatever case and not as part of a longer word;
 * *REST_R is what follows the word. Else RULE_MATCH. */
enum rule_op rules_keyword(char *line, char **rest_r);

/* Pairs if and endif while rules are added to an array of structs that begin with a rule_head. */
struct rules_nesting {
    GArray *rules;
    GArray *open; /* indexes of the ifs that are not ended */
    const char *file;
    struct problems *problems;
    unsigned skipped; /* lines that could not be read, those that cannot tell among them */
};

void rules_nesting_init(struct rules_nesting *nesting, GArray *rules, const char *file,
                        struct problems *problems);
unsigned rules_nesting_depth(const struct rules_nesting *nesting);

/* Copies the rule whose head this is to the end of the array. An endif needs depth > 0. */
void rules_nesting_add(struct rules_nesting *nesting, const struct rule_head *rule);

/* Warns that the rule whose head this is cannot be read: WHY. If it may keep somebody out it is
 * added as unreadable, with what else is in its struct; else it is skipped. */
void rules_nesting_refuse(struct rules_nesting *nesting, struct rule_head *rule, const char *why);

/* What a lookup does with a rule: ask it, go on to the next, or give up. */
enum rule_use { RULE_ASK, RULE_PASS, RULE_CANNOT_TELL };

/* For each rule in the order of the lookup, the endif of a block that is left out too. *DOUBT_END
 * is 0 at first; what a rule of a lower index finds does not count: whether that rule is to be
 * asked cannot be told. */
enum rule_use rules_use(const struct rule_head *rule, unsigned *doubt_end);

/* Warns of ifs without endif, whose blocks go to the end of the table; frees what init made. */
void rules_nesting_end(struct rules_nesting *nesting);

#endif
