/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers that are still good, by question. Bounded in number and bytes; when it is full, what was
 * not asked for longest goes first.
 *
 * Threads: one thread at a time (the resolver holds its lock).
 */
#ifndef MILTER_DNS_CACHE_H
#define MILTER_DNS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "dns/dns_answer.h"

struct dns_cache;

/* A cache of at most ENTRIES answers and BYTES in all (by estimate). 0 entries: keeps nothing. */
struct dns_cache *dns_cache_new(size_t entries, size_t bytes);
void dns_cache_free(struct dns_cache *cache);

/* A reference to the answer kept for KEY, which the caller gives back; NULL if there is none that
 * is good at NOW (us, monotonic). */
const struct dns_answer *dns_cache_find(struct dns_cache *cache, const char *key, int64_t now);

/* Keeps ANSWER (referenced) for its TTL from NOW on, in place of an older one. Answers without a
 * TTL and failures are not kept, and take away what was. */
void dns_cache_put(struct dns_cache *cache, const char *key, const struct dns_answer *answer,
                   int64_t now);

size_t dns_cache_entries(const struct dns_cache *cache);
size_t dns_cache_bytes(const struct dns_cache *cache);

#endif
