/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory for many small things that end together, such as all that is known of a message: taken one
 * behind the other out of a few blocks, and given back at once.
 *
 * Threads: one thread at a time for each arena.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

/* All zeros: an empty one. */
struct arena {
    struct arena_block *blocks; /* the one that is filled first */
    size_t first;               /* bytes of its first block; 0: 1024 */
};

/* SIZE bytes (aligned for any type, not zeroed) that live until arena_reset; never NULL. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of TEXT that lives as long; NULL of NULL. */
char *arena_copy(struct arena *arena, const char *text);

/* Ends the life of all that was taken. One block of no more than KEEP bytes stays, so that what
 * takes no more the next time costs no allocation; 0: none. With AddressSanitizer, who looks at
 * what ended is told of. */
void arena_reset(struct arena *arena, size_t keep);

#endif
