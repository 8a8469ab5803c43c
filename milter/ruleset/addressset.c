/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patterns are filed by what is fixed in them: whole addresses, what they end with, what they
 * begin with, the longest part in their middle, nothing. Ends and beginnings are looked up once for
 * each length that occurs.
 */
#include "addressset.h"

#include <string.h>

#include "prefilter.h"

struct chain {
    const char *pattern;
    struct chain *next;
};

/* Patterns by a fixed end or beginning. */
struct index {
    GHashTable *chains; /* the fixed part (owned) -> struct chain */
    GArray *lengths;    /* size_t, each that occurs, ascending */
};

struct addressset {
    GHashTable *exact; /* address -> itself */
    struct index ends, begins;
    GPtrArray *middle;          /* patterns with something fixed only in the middle */
    struct prefilter *literals; /* of middle, by index */
    GPtrArray *loose;           /* patterns with nothing fixed */
};

bool addressset_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == '?' || (*pattern && *pattern == *text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static void chain_free(gpointer data)
{
    struct chain *chain = data;
    while (chain) {
        struct chain *next = chain->next;
        g_free(chain);
        chain = next;
    }
}

static void index_init(struct index *index)
{
    index->chains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, chain_free);
    index->lengths = g_array_new(FALSE, FALSE, sizeof(size_t));
}

static void index_clear(struct index *index)
{
    g_hash_table_unref(index->chains);
    g_array_unref(index->lengths);
}

static void index_add(struct index *index, const char *fixed, size_t length, const char *pattern)
{
    g_autofree char *key = g_strndup(fixed, length);
    struct chain *chain = g_new(struct chain, 1), *first = g_hash_table_lookup(index->chains, key);
    *chain = (struct chain){pattern, NULL};
    if (first) {
        chain->next = first->next;
        first->next = chain;
        return;
    }
    g_hash_table_insert(index->chains, g_steal_pointer(&key), chain);
    for (guint i = 0; i < index->lengths->len; i++)
        if (g_array_index(index->lengths, size_t, i) == length)
            return;
    g_array_append_val(index->lengths, length);
}

static const char *chain_find(const struct chain *chain, const char *address)
{
    for (; chain; chain = chain->next)
        if (addressset_glob(chain->pattern, address))
            return chain->pattern;
    return NULL;
}

static const char *find_end(const struct index *index, const char *address, size_t length)
{
    for (guint i = 0; i < index->lengths->len; i++) {
        size_t part = g_array_index(index->lengths, size_t, i);
        const char *found =
            part > length
                ? NULL
                : chain_find(g_hash_table_lookup(index->chains, address + length - part), address);
        if (found)
            return found;
    }
    return NULL;
}

static const char *find_begin(const struct index *index, const char *address, size_t length)
{
    g_autofree char *copy = g_strdup(address);
    for (guint i = 0; i < index->lengths->len; i++) {
        size_t part = g_array_index(index->lengths, size_t, i);
        if (part > length)
            continue;
        char kept = copy[part];
        copy[part] = '\0';
        const struct chain *chain = g_hash_table_lookup(index->chains, copy);
        copy[part] = kept;
        const char *found = chain_find(chain, address);
        if (found)
            return found;
    }
    return NULL;
}

/* Files a pattern whose ends are both loose by the longest fixed part between. */
static void add_middle(struct addressset *set, const char *pattern)
{
    const char *best = NULL;
    size_t best_length = 0;
    for (const char *p = pattern; *p;) {
        p += strspn(p, "*?");
        size_t length = strcspn(p, "*?");
        if (length > best_length) {
            best = p;
            best_length = length;
        }
        p += length;
    }
    if (best && prefilter_add(set->literals, best, best_length, set->middle->len))
        g_ptr_array_add(set->middle, (gpointer)pattern);
    else
        g_ptr_array_add(set->loose, (gpointer)pattern);
}

static void add(struct addressset *set, const char *pattern)
{
    size_t length = strlen(pattern), begin = strcspn(pattern, "*?"), end = 0;
    if (begin == length) {
        g_hash_table_add(set->exact, (gpointer)pattern);
        return;
    }
    while (!strchr("*?", pattern[length - 1 - end]))
        end++;
    if (end > 0 && end >= begin)
        index_add(&set->ends, pattern + length - end, end, pattern);
    else if (begin > 0)
        index_add(&set->begins, pattern, begin, pattern);
    else
        add_middle(set, pattern);
}

struct addressset *addressset_new(const char *const *patterns, size_t count)
{
    struct addressset *set = g_new0(struct addressset, 1);
    set->exact = g_hash_table_new(g_str_hash, g_str_equal);
    index_init(&set->ends);
    index_init(&set->begins);
    set->middle = g_ptr_array_new();
    set->loose = g_ptr_array_new();
    set->literals = prefilter_new();
    for (size_t i = 0; i < count; i++)
        add(set, patterns[i]);
    prefilter_finish(set->literals);
    return set;
}

void addressset_free(struct addressset *set)
{
    if (!set)
        return;
    g_hash_table_unref(set->exact);
    index_clear(&set->ends);
    index_clear(&set->begins);
    g_ptr_array_unref(set->middle);
    g_ptr_array_unref(set->loose);
    prefilter_free(set->literals);
    g_free(set);
}

static const char *find_middle(const struct addressset *set, const char *address, size_t length)
{
    if (set->middle->len == 0)
        return NULL;
    g_autofree guint8 *found = g_new0(guint8, set->middle->len);
    prefilter_scan(set->literals, address, length, found);
    for (guint i = 0; i < set->middle->len; i++)
        if (found[i] && addressset_glob(set->middle->pdata[i], address))
            return set->middle->pdata[i];
    return NULL;
}

const char *addressset_find(const struct addressset *set, const char *address)
{
    size_t length = strlen(address);
    const char *found = g_hash_table_lookup(set->exact, address);
    if (!found)
        found = find_end(&set->ends, address, length);
    if (!found)
        found = find_begin(&set->begins, address, length);
    if (!found)
        found = find_middle(set, address, length);
    for (guint i = 0; !found && i < set->loose->len; i++)
        if (addressset_glob(set->loose->pdata[i], address))
            found = set->loose->pdata[i];
    return found;
}
