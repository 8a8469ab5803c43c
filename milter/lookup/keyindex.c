/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Open addressing with linear probing, at most half full.
 */
#include "keyindex.h"

#include <glib.h>
#include <string.h>

#define OFFSET_MASK UINT64_C(0xffffffff)

void keyindex_init(struct keyindex *index, const char *text, size_t entries)
{
    uint64_t size = 8;
    while (size < (uint64_t)entries * 2)
        size *= 2;
    index->text = text;
    index->slots = g_new0(uint64_t, size);
    index->mask = size - 1;
    siphash_seed_random(&index->seed);
}

void keyindex_clear(struct keyindex *index)
{
    g_free(index->slots);
    *index = (struct keyindex){0};
}

/* The slot of KEY, or the free one where it would be put. */
static uint64_t *locate(const struct keyindex *index, const char *key, uint64_t *tag_r)
{
    uint64_t hash = siphash(&index->seed, key, strlen(key));
    uint64_t tag = hash & ~OFFSET_MASK;
    *tag_r = tag;
    for (uint64_t i = hash & index->mask;; i = (i + 1) & index->mask) {
        uint64_t slot = index->slots[i];
        if ((slot & OFFSET_MASK) == 0)
            return &index->slots[i];
        if ((slot & ~OFFSET_MASK) == tag &&
            strcmp(index->text + (slot & OFFSET_MASK) - 1, key) == 0)
            return &index->slots[i];
    }
}

bool keyindex_add(struct keyindex *index, size_t offset)
{
    uint64_t tag;
    uint64_t *slot = locate(index, index->text + offset, &tag);
    if (*slot & OFFSET_MASK)
        return false;
    *slot = tag | (offset + 1);
    return true;
}

const char *keyindex_find(const struct keyindex *index, const char *key)
{
    uint64_t tag;
    const uint64_t *slot = locate(index, key, &tag);
    if ((*slot & OFFSET_MASK) == 0)
        return NULL;
    const char *found = index->text + (*slot & OFFSET_MASK) - 1;
    return found + strlen(found) + 1;
}

enum lookup_status keyindex_ask(const struct keyindex *index, const char *key, GString *value_r)
{
    const char *value = keyindex_find(index, key);
    if (!value)
        return LOOKUP_MISS;
    g_string_append(value_r, value);
    return LOOKUP_HIT;
}
