/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The set's side that tables and match lists see: it keeps what is given to it, and knows neither.
 */
#ifndef LOOKUP_TABLESET_H
#define LOOKUP_TABLESET_H

#include "lookup/table.h"

/* A kind of member; those of the first kind are refreshed, and told of, before the others. */
enum table_set_kind { TABLE_SET_TABLES, TABLE_SET_LISTS, TABLE_SET_LIST_FILES, TABLE_SET_KINDS };

struct table_set_class {
    enum table_set_kind kind;
    const char *(*name)(const void *member); /* NULL: nobody looks for one */
    void *(*ref)(void *member);
    void (*unref)(void *member);
    /* Both NULL: other members do it for this one, of which they are made. */
    bool (*refresh)(void *member, struct problems *problems); /* whether something was swapped */
    void (*add_status)(void *member, GPtrArray *statuses);    /* of struct table_status */
};

/* A new reference to the member of this class and name; NULL if the set (which may be NULL) has
 * none. */
void *table_set_lookup(struct table_set *set, const struct table_set_class *class,
                       const char *name);

/* The set keeps a reference of its own. */
void table_set_add(struct table_set *set, const struct table_set_class *class, void *member);

#endif
