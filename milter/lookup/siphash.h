/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-1-3 (Aumasson, Bernstein 2012): a keyed hash for hash tables. Who does not know the seed
 * cannot make keys that collide.
 */
#ifndef LOOKUP_SIPHASH_H
#define LOOKUP_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_seed {
    uint64_t k0, k1;
};

/* Fills the seed from the system's random numbers. */
void siphash_seed_random(struct siphash_seed *seed_r);

uint64_t siphash(const struct siphash_seed *seed, const void *data, size_t length);

#endif
