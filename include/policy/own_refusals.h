/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the session refuses by itself, without a word of a list: its name in the log and in metrics
 * (check=), where, and by which codes. A row each.
 *
 * Threads: pure.
 */
#ifndef POLICY_OWN_REFUSALS_H
#define POLICY_OWN_REFUSALS_H

#include "policy/snapshot.h"

struct own_refusal {
    const char *check;
    enum stage stage;
    unsigned codes[3];                           /* 0 behind the last */
    bool (*may_be)(const struct policy *policy); /* NULL: with any */
};

/* The row at INDEX; NULL past the last. */
const struct own_refusal *own_refusal_at(unsigned index);

#endif
