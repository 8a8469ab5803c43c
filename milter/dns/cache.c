/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The cache of answers: a hash table, and a list in the order of use through the same entries.
 */
#include "cache.h"

#include <glib.h>
#include <string.h>

#include "base/siphash.h"

struct entry {
    GList link; /* data points back to the entry */
    char *key;
    const struct dns_answer *answer;
    int64_t expires; /* us */
    size_t bytes;
};

struct dns_cache {
    GHashTable *entries;
    GQueue used; /* head: the latest */
    size_t most_entries;
    size_t most_bytes;
    size_t bytes;
};

static void entry_free(void *data)
{
    struct entry *entry = data;
    dns_answer_unref(entry->answer);
    g_free(entry->key);
    g_free(entry);
}

struct dns_cache *dns_cache_new(size_t entries, size_t bytes)
{
    struct dns_cache *cache = g_new0(struct dns_cache, 1);
    cache->entries = g_hash_table_new_full(siphash_string, g_str_equal, NULL, entry_free);
    g_queue_init(&cache->used);
    cache->most_entries = entries;
    cache->most_bytes = bytes;
    return cache;
}

void dns_cache_free(struct dns_cache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->entries);
    g_free(cache);
}

static void drop(struct dns_cache *cache, struct entry *entry)
{
    g_queue_unlink(&cache->used, &entry->link);
    cache->bytes -= entry->bytes;
    g_hash_table_remove(cache->entries, entry->key);
}

const struct dns_answer *dns_cache_find(struct dns_cache *cache, const char *key, int64_t now)
{
    struct entry *entry = g_hash_table_lookup(cache->entries, key);
    if (!entry)
        return NULL;
    if (entry->expires <= now) {
        drop(cache, entry);
        return NULL;
    }
    g_queue_unlink(&cache->used, &entry->link);
    g_queue_push_head_link(&cache->used, &entry->link);
    return dns_answer_ref(entry->answer);
}

static size_t strings_bytes(char **strings, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; strings && i < count; i++)
        bytes += strlen(strings[i]) + 1 + sizeof(char *);
    return bytes;
}

static size_t weigh(const char *key, const struct dns_answer *answer)
{
    size_t bytes = sizeof(struct entry) + strlen(key) + 1 + sizeof *answer;
    if (answer->addresses)
        bytes += answer->count * sizeof answer->addresses[0];
    for (size_t i = 0; answer->mx && i < answer->count; i++)
        bytes += sizeof answer->mx[0] + strlen(answer->mx[i].host) + 1;
    for (size_t i = 0; answer->srv && i < answer->count; i++)
        bytes += sizeof answer->srv[0] + strlen(answer->srv[i].target) + 1;
    for (size_t i = 0; answer->tlsa && i < answer->count; i++)
        bytes += sizeof answer->tlsa[0] + answer->tlsa[i].length;
    return bytes + strings_bytes(answer->texts, answer->count) +
           strings_bytes(answer->names, answer->count) +
           strings_bytes(answer->aliases, answer->alias_count);
}

static bool full(const struct dns_cache *cache)
{
    return cache->used.length > cache->most_entries || cache->bytes > cache->most_bytes;
}

void dns_cache_put(struct dns_cache *cache, const char *key, const struct dns_answer *answer,
                   int64_t now)
{
    struct entry *old = g_hash_table_lookup(cache->entries, key);
    if (old)
        drop(cache, old);
    if (answer->ttl == 0 || answer->state == DNS_FAILED)
        return;
    struct entry *entry = g_new0(struct entry, 1);
    entry->link.data = entry;
    entry->key = g_strdup(key);
    entry->answer = dns_answer_ref(answer);
    entry->expires = now + (int64_t)answer->ttl * G_USEC_PER_SEC;
    entry->bytes = weigh(key, answer);
    g_hash_table_insert(cache->entries, entry->key, entry);
    g_queue_push_head_link(&cache->used, &entry->link);
    cache->bytes += entry->bytes;
    while (full(cache))
        drop(cache, g_queue_peek_tail(&cache->used));
}

size_t dns_cache_entries(const struct dns_cache *cache)
{
    return cache->used.length;
}

size_t dns_cache_bytes(const struct dns_cache *cache)
{
    return cache->bytes;
}
