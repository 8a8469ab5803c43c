/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What both kinds of patterns share: a compiled PCRE2 pattern with its limits.
 *
 * Threads: compiled code is immutable; match data belongs to one call.
 */
#ifndef LOOKUP_ENGINE_PCRE_H
#define LOOKUP_ENGINE_PCRE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "pattern_engine.h"

struct pcre_code {
    pcre2_code *code;
    struct wide_pattern *wide; /* instead, when it is too large for the other */
    pcre2_match_context *context;
    bool is_utf; /* the pattern says that it sees characters, not bytes: "(*UTF)" */
};

/* Compiles with PCRE2's OPTIONS; NULL with *WHY_R, for g_free. */
struct pcre_code *pcre_code_new(const char *pattern, uint32_t options, char **why_r);
void pcre_code_free(void *code); /* accepts NULL */
unsigned pcre_code_groups(const void *code);

/* pcre2_match, with JIT if it will do. SPANS gets the first COUNT groups of a match, {0, 0} for
 * those that are not set. */
int pcre_code_match(const struct pcre_code *code, const char *key, size_t length, size_t start,
                    uint32_t options, struct span *spans, unsigned count);

/* pcre2_dfa_match: the longest match, in bounded time, but without groups. */
int pcre_code_match_longest(const struct pcre_code *code, const char *key, size_t length,
                            size_t start, uint32_t options, struct span *span);

#endif
