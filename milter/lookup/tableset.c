/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All tables and match lists of one configuration.
 */
#include "tableset.h"

#include "lookup/tablestatus.h"

struct table_set {
    GMutex lock; /* guards the arrays; never held while something is refreshed */
    GPtrArray *tables;
    GPtrArray *lists;
};

static void unref_table(void *table)
{
    table_unref(table);
}

static void unref_list(void *list)
{
    match_list_unref(list);
}

struct table_set *table_set_new(void)
{
    struct table_set *set = g_new0(struct table_set, 1);
    g_mutex_init(&set->lock);
    set->tables = g_ptr_array_new_with_free_func(unref_table);
    set->lists = g_ptr_array_new_with_free_func(unref_list);
    return set;
}

void table_set_free(struct table_set *set)
{
    if (!set)
        return;
    g_ptr_array_unref(set->lists);
    g_ptr_array_unref(set->tables);
    g_mutex_clear(&set->lock);
    g_free(set);
}

struct table *table_set_lookup(struct table_set *set, const char *name)
{
    if (!set)
        return NULL;
    struct table *found = NULL;
    g_mutex_lock(&set->lock);
    for (unsigned i = 0; !found && i < set->tables->len; i++)
        if (g_str_equal(table_name(set->tables->pdata[i]), name))
            found = table_ref(set->tables->pdata[i]);
    g_mutex_unlock(&set->lock);
    return found;
}

void table_set_add_table(struct table_set *set, struct table *table)
{
    g_mutex_lock(&set->lock);
    g_ptr_array_add(set->tables, table_ref(table));
    g_mutex_unlock(&set->lock);
}

void table_set_add_list(struct table_set *set, struct match_list *list)
{
    g_mutex_lock(&set->lock);
    g_ptr_array_add(set->lists, match_list_ref(list));
    g_mutex_unlock(&set->lock);
}

/* What was there when asked, by index, so that the lock is not held during a visit. */
static void *get(struct table_set *set, GPtrArray *array, unsigned index)
{
    g_mutex_lock(&set->lock);
    void *item = index < array->len ? array->pdata[index] : NULL;
    g_mutex_unlock(&set->lock);
    return item;
}

unsigned table_set_refresh(struct table_set *set, struct problems *problems)
{
    unsigned swapped = 0;
    struct table *table;
    struct match_list *list;
    for (unsigned i = 0; (table = get(set, set->tables, i)); i++)
        swapped += table_refresh(table, problems);
    for (unsigned i = 0; (list = get(set, set->lists, i)); i++)
        swapped += match_list_refresh(list, problems);
    return swapped;
}

static void status_free(void *data)
{
    struct table_status *status = data;
    g_free(status->name);
    g_free(status->trouble);
    g_free(status);
}

GPtrArray *table_set_status(struct table_set *set)
{
    GPtrArray *statuses = g_ptr_array_new_with_free_func(status_free);
    struct table *table;
    struct match_list *list;
    for (unsigned i = 0; (table = get(set, set->tables, i)); i++)
        table_add_status(table, statuses);
    for (unsigned i = 0; (list = get(set, set->lists, i)); i++)
        match_list_add_status(list, statuses);
    return statuses;
}
