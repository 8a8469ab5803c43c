/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arithmetic expressions with Perl's operators and precedences, as metas and conditions are
 * written: || && ^ ! == != < <= > >= + - * / ?: and parentheses. They are compiled to postfix
 * code; && and || give the operand that decided, as in Perl.
 *
 * Threads: an expression is immutable once its names are resolved.
 */
#ifndef RULESET_EXPRESSION_H
#define RULESET_EXPRESSION_H

#include <glib.h>
#include <stdbool.h>

/* Deepest nesting and longest code of one expression. */
#define EXPRESSION_DEPTH_MAX  100
#define EXPRESSION_LENGTH_MAX 20000

/* One name in an expression: WORD, or WORD(ARGUMENT) for the words that take one. */
struct expression_name {
    char *word;
    char *argument;  /* NULL: none */
    GArray *members; /* unsigned rule numbers whose values are added; set by who resolves names */
};

struct expression {
    GArray *code;     /* struct expression_op */
    GPtrArray *names; /* struct expression_name */
    unsigned stack;   /* deepest stack that the code needs */
    bool may_fail;    /* it divides, takes bits of numbers, or names one beyond all */
};

/* What a value is at least and at most; it is known where both are one. */
struct expression_range {
    double low, high;
};

/* Compiles TEXT. CALLS are the words (NULL at the end) that are followed by "(ARGUMENT)". Returns
 * NULL with *WHY_R (caller frees) if it cannot be read. */
struct expression *expression_parse(const char *text, const char *const *calls, char **why_r);
void expression_free(struct expression *expression);

/* Once the names have their members, binds the code to them: VALUES of expression_value are then
 * those of all rules, and a name is worth the sum of its members'. */
void expression_bind(struct expression *expression);

/* The range of the value, bound, with rule i somewhere in RANGES[i]. Marks the rules that it hangs
 * on in MATTERS (NULL: nobody asks): "A && B" does not hang on A where B can only be 0. */
struct expression_range expression_range(const struct expression *expression,
                                         const struct expression_range *ranges, bool *matters);

/* Clauses that must hold for the value, bound, to be other than 0, one behind the other (of
 * unsigned): how many literals, then these, of which one must be so: 2 * RULE, it is worth
 * something; 2 * RULE + 1, it is worth nothing. There may be more to it. The caller unrefs it. */
GArray *expression_clauses(const struct expression *expression);

/* The value with VALUES[i] for name i. *FAILED_R tells of a division by zero that counted. */
double expression_value(const struct expression *expression, const double *values, bool *failed_r);

#endif
