/* SPDX-License-Identifier: BSD-2-Clause
 *
 * [limit NAME] sections, compiled and judged: for policy.c and snapshot.c.
 *
 * Threads: one; what was built is immutable.
 */
#ifndef LIMIT_SECTIONS_H
#define LIMIT_SECTIONS_H

#include "checks/limit.h"
#include "policy/snapshot.h"

/* All limits that SETTINGS has; what is wrong is told, and such a limit left out. Never NULL. */
struct limit_site *limits_compile(const struct settings *settings,
                                  const struct table_context *base);

/* Errors and doubts about where POLICY's lists name limits. */
void limits_lint(const struct policy *policy, const struct settings *settings,
                 struct problems *problems);

/* Warns of limits that no list of POLICIES (of struct policy *) names. */
void limits_lint_unused(const GPtrArray *policies, const struct settings *settings,
                        struct problems *problems);

#endif
