/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of header fields. Each field is one block of memory; an index by folded name leads to
 * the first and, while filling, the last field of a name.
 */
#include "mail/header.h"

#include <glib.h>
#include <string.h>

struct chain {
    struct header *first, *last;
};

struct header_list {
    GPtrArray *fields;  /* struct header, owned */
    GHashTable *chains; /* name of the first field (borrowed) -> struct chain, owned */
    size_t bytes;
};

static guint name_hash(gconstpointer key)
{
    guint hash = 5381;
    for (const char *p = key; *p; p++)
        hash = hash * 33 + (guint)(guchar)g_ascii_tolower(*p);
    return hash;
}

static gboolean name_equal(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(a, b) == 0;
}

struct header_list *header_list_new(void)
{
    struct header_list *list = g_new0(struct header_list, 1);
    list->fields = g_ptr_array_new_with_free_func(g_free);
    list->chains = g_hash_table_new_full(name_hash, name_equal, NULL, g_free);
    return list;
}

void header_list_free(struct header_list *list)
{
    if (!list)
        return;
    g_hash_table_unref(list->chains);
    g_ptr_array_unref(list->fields);
    g_free(list);
}

void header_list_clear(struct header_list *list)
{
    g_hash_table_remove_all(list->chains);
    g_ptr_array_set_size(list->fields, 0);
    list->bytes = 0;
}

static struct header *field_new(const char *name, size_t name_length, const char *value,
                                size_t value_length)
{
    struct header *field = g_malloc(sizeof *field + name_length + value_length + 2);
    char *text = (char *)(field + 1);
    memcpy(text, name, name_length);
    text[name_length] = '\0';
    char *copy = text + name_length + 1;
    if (value_length > 0)
        memcpy(copy, value, value_length);
    copy[value_length] = '\0';
    *field = (struct header){text, copy, name_length, value_length, 0, NULL};
    return field;
}

static void chain_add(struct header_list *list, struct header *field)
{
    struct chain *chain = g_hash_table_lookup(list->chains, field->name);
    if (chain) {
        chain->last->next_same = field;
        chain->last = field;
        return;
    }
    chain = g_new(struct chain, 1);
    chain->first = chain->last = field;
    g_hash_table_insert(list->chains, (gpointer)field->name, chain);
}

bool header_list_add(struct header_list *list, const char *name, size_t name_length,
                     const char *value, size_t value_length)
{
    if (name_length > HEADER_LIST_MAX_BYTES || value_length > HEADER_LIST_MAX_BYTES ||
        list->fields->len >= HEADER_LIST_MAX_FIELDS ||
        list->bytes + name_length + value_length + 2 > HEADER_LIST_MAX_BYTES)
        return false;
    struct header *field = field_new(name, name_length, value, value_length);
    field->index = list->fields->len;
    list->bytes += name_length + value_length + 2;
    g_ptr_array_add(list->fields, field);
    chain_add(list, field);
    return true;
}

size_t header_list_count(const struct header_list *list)
{
    return list->fields->len;
}

size_t header_list_bytes(const struct header_list *list)
{
    return list->bytes;
}

const struct header *header_list_get(const struct header_list *list, size_t index)
{
    return index < list->fields->len ? list->fields->pdata[index] : NULL;
}

const struct header *header_list_first(const struct header_list *list, const char *name)
{
    const struct chain *chain = g_hash_table_lookup(list->chains, name);
    return chain ? chain->first : NULL;
}
