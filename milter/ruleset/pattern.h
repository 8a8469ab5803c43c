/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Perl's patterns as rule files write them, "/re/i" or "m{re}": delimiters, flags, what PCRE2 reads
 * otherwise, compilation, and matching that cannot run away.
 *
 * Threads: a context is used by one thread while patterns are compiled; a compiled pattern is
 * immutable. A matcher belongs to one thread at a time.
 */
#ifndef RULESET_PATTERN_H
#define RULESET_PATTERN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "needs.h"

/* What one match may cost: backtracking steps, depth, kilobytes. Rules that people write need
 * some thousands of steps on long fields; a pattern that explodes is stopped within some 20 ms. */
#define PATTERN_MATCH_LIMIT 1000000
#define PATTERN_DEPTH_LIMIT 20000
#define PATTERN_HEAP_LIMIT  8192
/* Long texts are searched in so many stretches, of so many bytes at least; microseconds of work
 * after which no further one is begun. */
#define PATTERN_STRETCHES   256u
#define PATTERN_STRETCH_MIN ((size_t)4096)
/* The same bytes for a pattern of thousands of alternatives, which may try each at each place. */
#define PATTERN_STRETCH_WIDE ((size_t)64)
#define PATTERN_TIME_MAX     (G_TIME_SPAN_SECOND / 4)
/* Bytes of the stack that a matcher gets when the usual one does not do. */
#define PATTERN_STACK_MIN (64u << 10)
#define PATTERN_STACK_MAX (1u << 20)

struct pattern_context;
struct pattern;
struct matcher;

struct pattern_context *pattern_context_new(void);
void pattern_context_free(struct pattern_context *context); /* after its patterns */

enum pattern_status {
    PATTERN_GOOD,
    PATTERN_SKIPPED, /* Perl can do it, or needs more than the text of the pattern; we cannot */
    PATTERN_BAD
};

/* Compiles SOURCE, delimiters and flags included. Unless PATTERN_GOOD, *WHY_R says why not (caller
 * frees). */
enum pattern_status pattern_compile(struct pattern_context *context, const char *source,
                                    struct pattern **pattern_r, char **why_r);
void pattern_free(struct pattern *pattern); /* accepts NULL */

/* What a text must hold for the pattern to match it; NULL: not known. */
const struct needs *pattern_needs(const struct pattern *pattern);

/* Whether the pattern holds <NAME>, which replace_rules would make a replace tag. */
bool pattern_has_tags(const struct pattern *pattern);

/* Whether case shall not count, and it has letters of which it does (see text_has_wide_case). */
bool pattern_has_wide_case(const struct pattern *pattern);

struct matcher *matcher_new(struct pattern_context *context);
void matcher_free(struct matcher *matcher); /* accepts NULL */

/* Gives the matcher a text, which it borrows until it is given the next one. */
void matcher_take(struct matcher *matcher, const char *text, size_t length);

enum match_status { MATCH_NO, MATCH_YES, MATCH_EXPLODED };

/* Searches the matcher's text for a match that begins at FIRST at the earliest, and at LAST at the
 * latest (SIZE_MAX: anywhere behind); *BEGIN_R and *END_R are where it lies. */
enum match_status pattern_match(const struct pattern *pattern, struct matcher *matcher,
                                size_t first, size_t last, size_t *begin_r, size_t *end_r);

#endif
