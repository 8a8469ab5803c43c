/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An allowance that answers and time renew; round trips by RFC 6298.
 */
#include "pacing.h"

#include <glib.h>

bool pacing_allows(struct pacing *pacing, int64_t now)
{
    if (now >= pacing->renewed_at) {
        int64_t every = pacing->every ? pacing->every : PACING_SLOW_US;
        pacing->clean += pacing->used_up;
        if (pacing->used_up && pacing->clean >= pacing->clean_wanted) {
            every = MAX(every / 2, PACING_FAST_US);
            pacing->clean = 0;
        }
        pacing->every = every;
        pacing->used_up = false;
        pacing->renewed_at = now + every;
        pacing->allowance = PACING_BURST;
    }
    return pacing->allowance > 0;
}

void pacing_sent(struct pacing *pacing)
{
    pacing->allowance -= pacing->allowance > 0;
    pacing->used_up |= pacing->allowance == 0;
}

void pacing_lost(struct pacing *pacing)
{
    pacing->every = PACING_SLOW_US;
    pacing->used_up = false;
    pacing->clean = 0;
    pacing->clean_wanted = PACING_CLEAN;
}

void pacing_over(struct pacing *pacing)
{
    pacing->allowance = MIN(pacing->allowance + 1, PACING_BURST);
}

void pacing_measure(struct pacing *pacing, int64_t took)
{
    if (pacing->measured == 0) {
        pacing->round_trip = took;
        pacing->deviation = took / 2;
    } else {
        int64_t off = ABS(took - pacing->round_trip);
        pacing->deviation += (off - pacing->deviation) / 4;
        pacing->round_trip += (took - pacing->round_trip) / 8;
    }
    pacing->measured += pacing->measured < PACING_MEASURED_LEAST;
}

int64_t pacing_patience(const struct pacing *pacing)
{
    /* answers that are always as quick would else be asked for again by the slightest delay */
    int64_t room = MAX(4 * pacing->deviation, pacing->round_trip / 2);
    return MAX(pacing->round_trip + room, (int64_t)PACING_AGAIN_LEAST_US);
}

bool pacing_knows(const struct pacing *pacing)
{
    return pacing->measured >= PACING_MEASURED_LEAST;
}

bool pacing_loses(const struct pacing *pacing)
{
    return pacing->clean_wanted > 0;
}
