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
#include "work.h"

/* What a match that begins at one place may cost: backtracking steps, depth, kilobytes. Rules that
 * people write need some thousands of steps on long fields. */
#define PATTERN_MATCH_LIMIT 1000000u
#define PATTERN_DEPTH_LIMIT 20000
#define PATTERN_HEAP_LIMIT  8192
/* Steps that each place is given at first, for a unit of work; by what factor they grow at a place
 * where they do not do, and in how many parts places are searched to find it. */
#define PATTERN_LIMIT_FIRST  64u
#define PATTERN_LIMIT_FACTOR 4u
#define PATTERN_PARTS        8u
/* Steps in all for a pattern that cannot be tried on some places after others. */
#define PATTERN_STEPS_MAX ((size_t)64000000)
/* So many bytes of a text are searched at once, and so many for a pattern of thousands of
 * alternatives, which may try each at each place: it takes so many units a byte, few enough for
 * one such pattern to see all of SOURCE_HEADER_MAX within its share. */
#define PATTERN_STRETCH      ((size_t)4096)
#define PATTERN_STRETCH_WIDE ((size_t)64)
#define PATTERN_WIDE_UNITS   24u
/* Units of work that one pattern may take, and those that it takes to be tried at all. */
#define PATTERN_WORK_MAX  2000000u
#define PATTERN_WORK_EACH 16u
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

/* A matcher, for one message after the other. */
struct matcher *matcher_new(struct pattern_context *context);
void matcher_free(struct matcher *matcher); /* accepts NULL */

/* What the matcher does is taken of WORK from now on; NULL: it forgets the message and what memory
 * an unusual one took. */
void matcher_begin(struct matcher *matcher, struct work *work);

/* Gives the matcher a text, which it borrows until it is given the next one; the next pattern may
 * take its own share of the work. */
void matcher_take(struct matcher *matcher, const char *text, size_t length);

enum match_status {
    MATCH_NO,
    MATCH_YES,
    MATCH_EXPLODED, /* a place needs more than it may, or the pattern more than its share */
    MATCH_SPENT     /* the work is spent */
};

/* Searches the matcher's text for a match that begins at FIRST at the earliest, and at LAST at the
 * latest (SIZE_MAX: anywhere behind); *BEGIN_R and *END_R are where it lies. */
enum match_status pattern_match(const struct pattern *pattern, struct matcher *matcher,
                                size_t first, size_t last, size_t *begin_r, size_t *end_r);

#endif
