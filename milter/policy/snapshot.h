/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What snapshot.c and lint.c share.
 */
#ifndef SNAPSHOT_PRIVATE_H
#define SNAPSHOT_PRIVATE_H

#include "policy/snapshot.h"

/* The parameter of each list. */
extern const enum setting restriction_list_settings[LIST_COUNT];

/* Warns of a policy that refuses everything, permits everything or can never match; relay lists
 * that end without a decision are errors. Lists that could not be compiled are NULL and passed
 * over. */
void policy_lint(const struct policy *policy, const struct settings *settings,
                 struct problems *problems);

#endif
