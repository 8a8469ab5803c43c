/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An arena: blocks that grow by doubling.
 */
#include "base/arena.h"

#include <glib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ASAN)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size)   ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

/* Bytes of the first block, and of what usual ones grow to. */
enum { FIRST_BLOCK = 1024, BLOCK_MAX = 1 << 20 };

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* bytes behind this head */
    max_align_t memory[];
};

static struct arena_block *add_block(struct arena *arena, size_t least)
{
    struct arena_block *last = arena->blocks;
    size_t usual = last           ? MIN(2 * last->size, (size_t)BLOCK_MAX)
                   : arena->first ? arena->first
                                  : FIRST_BLOCK;
    size_t size = MAX(usual, least);
    struct arena_block *block = g_malloc(sizeof *block + size);
    block->next = last;
    block->size = size;
    block->used = 0;
    ASAN_POISON_MEMORY_REGION(block->memory, size);
    return arena->blocks = block;
}

void *arena_take(struct arena *arena, size_t size)
{
    size_t unit = _Alignof(max_align_t), rounded = (size + unit - 1) / unit * unit;
    struct arena_block *block = arena->blocks;
    g_assert(rounded >= size);
    if (!block || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    void *memory = (char *)block->memory + block->used;
    block->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
}

char *arena_copy(struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(arena_take(arena, size), text, size);
}

void arena_reset(struct arena *arena, size_t keep)
{
    struct arena_block *kept = NULL;
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        if (!kept && block->size <= keep) {
            block->next = NULL;
            block->used = 0;
            ASAN_POISON_MEMORY_REGION(block->memory, block->size);
            kept = block;
        } else {
            ASAN_UNPOISON_MEMORY_REGION(block->memory, block->size);
            g_free(block);
        }
    }
    arena->blocks = kept;
}
