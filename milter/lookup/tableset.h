/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The set's side that tables and match lists see.
 */
#ifndef LOOKUP_TABLESET_H
#define LOOKUP_TABLESET_H

#include "lookup/matchlist.h"
#include "lookup/table.h"

/* A new reference to the table of this canonical name; NULL if the set (which may be NULL) has
 * none. */
struct table *table_set_lookup(struct table_set *set, const char *name);

/* The set keeps references of its own. */
void table_set_add_table(struct table_set *set, struct table *table);
void table_set_add_list(struct table_set *set, struct match_list *list);

#endif
