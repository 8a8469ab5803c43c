/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The values of pattern tables: text with $1, ${1}, $(1) for what a group matched, $$ for "$".
 */
#ifndef LOOKUP_TEMPLATE_H
#define LOOKUP_TEMPLATE_H

#include <glib.h>
#include <stddef.h>

/* Where a group matched; START == END: nothing or not at all. */
struct span {
    size_t start, end;
};

/* The highest group that a value may name. */
#define TEMPLATE_GROUP_MAX 99u

/* The highest group that TEXT names, 0 if none; -1 with *WHY_R (static text) if it is malformed. */
int template_check(const char *text, const char **why_r);

/* Appends TEXT to OUT with its groups replaced by parts of KEY. TEXT has passed template_check, and
 * SPANS reaches up to the highest group it names. */
void template_expand(const char *text, const char *key, const struct span *spans, GString *out);

#endif
