/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of header fields. Fields and their text stand one behind the other in a few blocks of
 * memory, an arena; a hash table of names, keyed lest a stranger choose names that collide, leads
 * to the first field of each, and that to the last while the list is filled.
 */
#include "mail/header.h"

#include <glib.h>
#include <string.h>

#include "base/arena.h"
#include "base/siphash.h"

/* An ordinary header fits the first block and the first table, which so few names fill that a
 * stranger gains nothing by names that collide: it does without a keyed hash. */
enum { FIRST_BLOCK = 8192, FIRST_FIELDS = 64, FIRST_BUCKETS = 64 };

/* What tells small letters from large ones. */
enum { SMALL = 0x20 };

struct field {
    struct header header;    /* first, so that a header is its field */
    struct field *next_name; /* first field of the next name of the bucket */
    struct field *last_same; /* of the first field of a name: the last one */
    guint hash;
};

struct header_list {
    struct arena memory; /* of the fields */
    struct field **fields;
    size_t count, room;
    struct field **buckets; /* as many as a power of two, never fewer than there are names */
    size_t bucket_count, names;
    size_t bytes;
    uint64_t looks; /* bits of look_of() of all names */
};

/* One bit of 64 by a name's ends and length: most names that rules ask for are not there, and need
 * no hash to be told so. */
static uint64_t look_of(const char *name, size_t length)
{
    unsigned first = length > 0 ? (unsigned char)name[0] | SMALL : 0;
    unsigned last = length > 0 ? (unsigned char)name[length - 1] | SMALL : 0;
    return UINT64_C(1) << (7 * first + 3 * last + length) % 64;
}

/* For a table of so many buckets; for the first one, of three letters and the length. */
static guint hash_of(size_t bucket_count, const char *name, size_t length)
{
    enum { LONG = 40 };
    if (bucket_count > FIRST_BUCKETS || length > LONG || length == 0)
        return siphash_caseless(name, length);
    guint first = (guint)name[0] | SMALL, middle = (guint)name[length / 2] | SMALL,
          last = (guint)name[length - 1] | SMALL;
    return (guint)length + 5 * first + 11 * middle + 23 * last;
}

struct header_list *header_list_new(void)
{
    struct header_list *list = g_new0(struct header_list, 1);
    list->memory.first = FIRST_BLOCK;
    return list;
}

/* What an ordinary header takes stays. */
void header_list_clear(struct header_list *list)
{
    if (list->room > FIRST_FIELDS) {
        g_clear_pointer(&list->fields, g_free);
        list->room = 0;
    }
    if (list->bucket_count > FIRST_BUCKETS) {
        g_clear_pointer(&list->buckets, g_free);
        list->bucket_count = 0;
    }
    if (list->names > 0 && list->buckets)
        memset(list->buckets, 0, list->bucket_count * sizeof *list->buckets);
    arena_reset(&list->memory, FIRST_BLOCK);
    list->count = list->names = list->bytes = 0;
    list->looks = 0;
}

void header_list_free(struct header_list *list)
{
    if (!list)
        return;
    arena_reset(&list->memory, 0);
    g_free(list->fields);
    g_free(list->buckets);
    g_free(list);
}

static bool is_name(const struct field *field, const char *name, size_t length)
{
    const char *own = field->header.name;
    return field->header.name_length == length &&
           (memcmp(own, name, length) == 0 || g_ascii_strncasecmp(own, name, length) == 0);
}

static struct field *find_name(const struct header_list *list, const char *name, size_t length,
                               guint hash)
{
    if (list->bucket_count == 0)
        return NULL;
    struct field *field = list->buckets[hash & (list->bucket_count - 1)];
    while (field && (field->hash != hash || !is_name(field, name, length)))
        field = field->next_name;
    return field;
}

static void add_bucket(struct header_list *list, struct field *field)
{
    struct field **bucket = &list->buckets[field->hash & (list->bucket_count - 1)];
    field->next_name = *bucket;
    *bucket = field;
}

bool header_list_add(struct header_list *list, const char *name, size_t name_length,
                     const char *value, size_t value_length)
{
    if (name_length > HEADER_LIST_MAX_BYTES || value_length > HEADER_LIST_MAX_BYTES ||
        list->count >= HEADER_LIST_MAX_FIELDS ||
        list->bytes + name_length + value_length + 2 > HEADER_LIST_MAX_BYTES)
        return false;
    struct field *field = arena_take(&list->memory, sizeof *field + name_length + value_length + 2);
    char *text = (char *)(field + 1);
    memcpy(text, name, name_length);
    text[name_length] = '\0';
    char *copy = text + name_length + 1;
    if (value_length > 0)
        memcpy(copy, value, value_length);
    copy[value_length] = '\0';
    *field = (struct field){
        .header = {text, copy, name_length, value_length, list->count, NULL},
        .hash = hash_of(list->bucket_count, text, name_length),
    };
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : FIRST_FIELDS;
        list->fields = g_renew(struct field *, list->fields, list->room);
    }
    list->fields[list->count++] = field;
    list->bytes += name_length + value_length + 2;
    list->looks |= look_of(text, name_length);
    struct field *first = find_name(list, text, name_length, field->hash);
    if (first) {
        first->last_same->header.next_same = &field->header;
        first->last_same = field;
        return true;
    }
    field->last_same = field;
    list->names++;
    if (list->names <= list->bucket_count) {
        add_bucket(list, field);
        return true;
    }
    list->bucket_count = list->bucket_count ? 4 * list->bucket_count : FIRST_BUCKETS;
    g_free(list->buckets);
    list->buckets = g_new0(struct field *, list->bucket_count);
    for (size_t i = 0; i < list->count; i++) {
        struct field *one = list->fields[i];
        one->hash = hash_of(list->bucket_count, one->header.name, one->header.name_length);
        if (one->last_same) /* it leads a name */
            add_bucket(list, one);
    }
    return true;
}

size_t header_list_count(const struct header_list *list)
{
    return list->count;
}

size_t header_list_bytes(const struct header_list *list)
{
    return list->bytes;
}

const struct header *header_list_get(const struct header_list *list, size_t index)
{
    return index < list->count ? &list->fields[index]->header : NULL;
}

struct header_key header_key_of(const char *name)
{
    size_t length = strlen(name);
    return (struct header_key){length, look_of(name, length), hash_of(FIRST_BUCKETS, name, length),
                               siphash_caseless(name, length)};
}

const struct header *header_list_find(const struct header_list *list, const char *name,
                                      const struct header_key *key)
{
    if (!(list->looks & key->look))
        return NULL;
    guint hash = list->bucket_count > FIRST_BUCKETS ? key->keyed_hash : key->hash;
    const struct field *field = find_name(list, name, key->length, hash);
    return field ? &field->header : NULL;
}

const struct header *header_list_first(const struct header_list *list, const char *name)
{
    size_t length = strlen(name);
    if (!(list->looks & look_of(name, length)))
        return NULL;
    guint hash = hash_of(list->bucket_count, name, length);
    const struct field *field = find_name(list, name, length, hash);
    return field ? &field->header : NULL;
}
