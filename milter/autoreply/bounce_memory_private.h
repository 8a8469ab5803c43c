/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the memory and its file share.
 */
#ifndef AUTOREPLY_BOUNCE_MEMORY_PRIVATE_H
#define AUTOREPLY_BOUNCE_MEMORY_PRIVATE_H

#include "autoreply/bounce_memory.h"
#include "base/siphash.h"

struct memory_line {
    int64_t hash;
    int64_t expires;
    uint64_t change; /* of the memory, when this line changed last */
    uint32_t bounce; /* number of the last bounce that had it */
    uint8_t bounces; /* how many had it, at most 255 */
};

struct bounce_memory {
    struct siphash_seed key; /* never changes */
    GMutex lock;             /* guards what follows, except file_lock */
    GArray *ring;            /* struct memory_line */
    guint next;              /* slot that the next new line takes */
    guint max;               /* slots */
    GHashTable *index;
    uint64_t change;     /* counts changes */
    uint64_t saved;      /* the change up to which the file has them */
    uint32_t bounce;     /* counts bounces */
    uint64_t generation; /* of the state's file that has them */
    GMutex file_lock;    /* held while the file is read or written, taken before LOCK */
};

/* The keyed hash of a text. Needs no lock. */
int64_t bounce_memory_hash(const struct bounce_memory *memory, const char *text, size_t length);

/* The line of a hash or NULL; a new line for a hash that has none, taking the oldest one's place
 * if need be. With the lock held; the pointer is good until the next put. */
struct memory_line *bounce_memory_find(struct bounce_memory *memory, int64_t hash);
struct memory_line *bounce_memory_put(struct bounce_memory *memory, int64_t hash);

#endif
