/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An index of keys that stand in one block of text, each as "key NUL value NUL": open addressing
 * over offsets, so that a million entries cost their text and 16 bytes each, and a lookup two
 * cache lines. Hashed with a seed of its own, so that hostile keys cannot slow it down.
 */
#ifndef LOOKUP_KEYINDEX_H
#define LOOKUP_KEYINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "lookup/table.h"

struct keyindex {
    const char *text; /* belongs to the caller */
    uint64_t *slots;  /* upper half: bits of the hash; lower half: offset + 1, 0: free */
    uint64_t mask;
    struct siphash_seed seed;
};

/* Prepares for at most ENTRIES keys in TEXT, whose offsets must be below 2^32 - 1. */
void keyindex_init(struct keyindex *index, const char *text, size_t entries);
void keyindex_clear(struct keyindex *index);

/* Adds the key at OFFSET; false if an equal one is there already (which stays). */
bool keyindex_add(struct keyindex *index, size_t offset);

/* The value of KEY; NULL if there is none. */
const char *keyindex_find(const struct keyindex *index, const char *key);

/* The same as an answer: a HIT appends the value to VALUE_R. */
enum lookup_status keyindex_ask(const struct keyindex *index, const char *key, GString *value_r);

#endif
