/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A histogram of latencies: 1/8 of each power of two a bucket, from 64 us to two minutes.
 *
 * Threads: one thread at a time.
 */
#ifndef MILTER_DNS_LATENCY_H
#define MILTER_DNS_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 176 };

struct latency {
    uint32_t buckets[LATENCY_BUCKETS];
    uint32_t total;
};

void latency_add(struct latency *latency, int64_t us);

/* The latency that PERCENT of all did not exceed, exact to 1/8; -1 when there are none. */
int64_t latency_percentile(const struct latency *latency, unsigned percent);

#endif
