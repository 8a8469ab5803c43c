/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash (Aumasson, Bernstein 2012): a keyed hash for hash tables. Who does not know the seed
 * cannot make keys that collide.
 *
 * Threads: all functions are pure, but for the drawing of seeds.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct siphash_seed {
    uint64_t k0, k1;
};

/* Fills the seed from the system's random numbers. */
void siphash_seed_random(struct siphash_seed *seed_r);

/* The hash of LENGTH bytes. */
uint64_t siphash(const struct siphash_seed *seed, const void *data, size_t length);

/* The same by SipHash-2-4, whose authors mean it to be a pseudorandom function: for what is kept
 * in files. Who knows hashes, but not the secret KEY, cannot tell what they are of. */
uint64_t siphash_strong(const struct siphash_seed *key, const void *data, size_t length);

/* The same with a seed that is always the same: whether a text is still what it was, where nobody
 * gains by making two alike. */
uint64_t siphash_digest(const void *data, size_t length);

/* For g_hash_table_new: the hash of a NUL-terminated string that a stranger chose, with a seed of
 * this process. */
guint siphash_string(gconstpointer text);

/* The same of LENGTH bytes, as if ASCII letters were small ones. */
guint siphash_caseless(const char *text, size_t length);

/* siphash of LENGTH bytes, as if ASCII letters were small ones. */
uint64_t siphash_lower(const struct siphash_seed *seed, const char *text, size_t length);

#endif
