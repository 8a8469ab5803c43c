/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patterns that PCRE2 finds too large. Its library for bytes links the parts of a compiled pattern
 * by two bytes each, so that an alternation of some thousand domains, as blocklists in the wild
 * have it, does not fit; its library for units of 32 bits knows no such limit and, without UTF,
 * matches the same bytes in the same way: captures, anchors, flags, lookbehinds and all. It takes
 * four times the memory, hence it is the second choice.
 *
 * Threads: a compiled pattern is immutable.
 */
#ifndef BASE_WIDE_PATTERN_H
#define BASE_WIDE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest pattern, in bytes, and most memory that compiling one may take: about ten times what the
 * largest alternations of public rule files need. What nested repetitions blow up beyond it is
 * refused as too large, as PCRE2 itself would. */
#define WIDE_PATTERN_MAX        ((size_t)1 << 20)
#define WIDE_PATTERN_MEMORY_MAX ((size_t)32 << 20)

struct wide_pattern;

/* Everything by PCRE2's words; the numbers are the same in both libraries. */
struct wide_options {
    uint32_t options;
    uint32_t newline, bsr; /* 0: PCRE2's default */
    const uint8_t *tables; /* NULL: PCRE2's default; must outlive the pattern */
    uint32_t match_limit, depth_limit, heap_limit_kb;
};

/* Whether pcre2_compile's error for bytes says that the pattern is too large for it, so that it may
 * be tried here. */
bool wide_pattern_helps(int error);

/* Compiles LENGTH bytes, with JIT if that works. NULL with PCRE2's error and its place. */
struct wide_pattern *wide_pattern_new(const char *pattern, size_t length,
                                      const struct wide_options *options, int *error_r,
                                      size_t *offset_r);
void wide_pattern_free(struct wide_pattern *pattern); /* accepts NULL */

/* How many groups capture. */
unsigned wide_pattern_groups(const struct wide_pattern *pattern);

/* A text as the functions below take it; for g_free. */
uint32_t *wide_text(const char *text, size_t length);

/* pcre2_match and pcre2_dfa_match for bytes, with matches that begin from START to LAST (SIZE_MAX:
 * to the end). OVECTOR gets PAIRS pairs of places, SIZE_MAX where a group is not set; after the
 * longest match, which knows no groups, shorter ones. Returns what PCRE2 returns: negative for no
 * match and for errors. */
int wide_pattern_match(const struct wide_pattern *pattern, const uint32_t *text, size_t length,
                       size_t start, size_t last, uint32_t options, size_t *ovector,
                       unsigned pairs);
int wide_pattern_match_longest(const struct wide_pattern *pattern, const uint32_t *text,
                               size_t length, size_t start, uint32_t options, size_t *ovector,
                               unsigned pairs);

#endif
