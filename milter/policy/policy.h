/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building and judging one policy: for snapshot.c, which keeps all of them.
 *
 * Threads: one; what was built is immutable.
 */
#ifndef POLICY_H
#define POLICY_H

#include "policy/snapshot.h"

/* Builds what holds for SECTION (NULL: for all that have none of their own) of SETTINGS, which must
 * outlive it. FIRST is the policy without a section, NULL for itself. OLDER (NULL: none) are the
 * policies in force, whose rules are taken over where their files are as they were. What is wrong
 * goes to BASE->problems; the policy may then have holes and serve for nothing but to be freed. */
struct policy *policy_new(const struct settings *settings, const struct section *section,
                          const struct policy *first, const GPtrArray *older,
                          const struct table_context *base);
void policy_free(struct policy *policy); /* accepts NULL */

/* Warns of a policy that refuses everything, permits everything or can never match; relay lists
 * that end without a decision are errors. Lists that could not be compiled are NULL and passed
 * over. */
void policy_lint(const struct policy *policy, const struct settings *settings,
                 struct problems *problems);

/* Warns of what its tables hold: patterns of pcre and regexp tables that let in more than they
 * name, for want of an anchor; profiles of recipients that are at no local domain. */
void policy_lint_tables(const struct policy *policy, const struct settings *settings,
                        struct problems *problems);

/* Warns of keys of its tables that are never found, because they are written as other tables have
 * them. */
void policy_lint_keys(const struct policy *policy, const struct settings *settings,
                      struct problems *problems);

/* Warns of what none of POLICIES, all of SETTINGS, the first without a section, uses: profiles that
 * nobody has, DNS lists that never weigh enough, restriction classes that nothing names. */
void policies_lint_unused(const GPtrArray *policies, const struct settings *settings,
                          struct problems *problems);

#endif
