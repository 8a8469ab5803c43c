/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Latency histograms. When a count would overflow all are halved, so that new answers count more.
 */
#include "latency.h"

enum { LOWEST_BIT = 6, SUB_BITS = 3 };

static unsigned bucket_of(int64_t us)
{
    uint64_t value = us < (1 << LOWEST_BIT) ? 1u << LOWEST_BIT : (uint64_t)us;
    unsigned high = 63 - (unsigned)__builtin_clzll(value);
    unsigned rest = value >> (high - SUB_BITS) & ((1u << SUB_BITS) - 1);
    unsigned bucket = ((high - LOWEST_BIT) << SUB_BITS) + rest;
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The largest latency of the bucket. */
static int64_t bucket_end(unsigned bucket)
{
    unsigned high = (bucket >> SUB_BITS) + LOWEST_BIT;
    int64_t steps = (1 << SUB_BITS) + (bucket & ((1u << SUB_BITS) - 1)) + 1;
    return (steps << (high - SUB_BITS)) - 1;
}

void latency_add(struct latency *latency, int64_t us)
{
    if (latency->total == UINT32_MAX) {
        latency->total = 0;
        for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
            latency->buckets[i] /= 2;
            latency->total += latency->buckets[i];
        }
    }
    latency->buckets[bucket_of(us)]++;
    latency->total++;
}

int64_t latency_percentile(const struct latency *latency, unsigned percent)
{
    if (latency->total == 0)
        return -1;
    uint64_t wanted = ((uint64_t)latency->total * percent + 99) / 100, seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->buckets[i];
        if (seen >= wanted && seen > 0)
            return bucket_end(i);
    }
    return bucket_end(LATENCY_BUCKETS - 1);
}
