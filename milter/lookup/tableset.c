/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All tables and match lists of one configuration.
 */
#include "tableset.h"

#include "lookup/tablestatus.h"

struct member {
    const struct table_set_class *class;
    void *object;
};

struct table_set {
    GMutex lock; /* guards the array; never held while something is refreshed */
    GArray *members[TABLE_SET_KINDS];
};

static void member_clear(void *data)
{
    struct member *member = data;
    member->class->unref(member->object);
}

struct table_set *table_set_new(void)
{
    struct table_set *set = g_new0(struct table_set, 1);
    g_mutex_init(&set->lock);
    for (int kind = 0; kind < TABLE_SET_KINDS; kind++) {
        set->members[kind] = g_array_new(FALSE, FALSE, sizeof(struct member));
        g_array_set_clear_func(set->members[kind], member_clear);
    }
    return set;
}

void table_set_free(struct table_set *set)
{
    if (!set)
        return;
    /* Lists hold tables: the last first. */
    for (int kind = TABLE_SET_KINDS; kind-- > 0;)
        g_array_unref(set->members[kind]);
    g_mutex_clear(&set->lock);
    g_free(set);
}

void *table_set_lookup(struct table_set *set, const struct table_set_class *class, const char *name)
{
    if (!set)
        return NULL;
    void *found = NULL;
    g_mutex_lock(&set->lock);
    const GArray *members = set->members[class->kind];
    for (guint i = 0; !found && i < members->len; i++) {
        void *object = g_array_index(members, struct member, i).object;
        if (g_str_equal(class->name(object), name))
            found = class->ref(object);
    }
    g_mutex_unlock(&set->lock);
    return found;
}

void table_set_add(struct table_set *set, const struct table_set_class *class, void *object)
{
    struct member member = {class, class->ref(object)};
    g_mutex_lock(&set->lock);
    g_array_append_val(set->members[class->kind], member);
    g_mutex_unlock(&set->lock);
}

/* What was there when asked, by index over all kinds, so that the lock is not held during a visit;
 * false behind the last. */
static bool get(struct table_set *set, guint index, struct member *member_r)
{
    bool found = false;
    g_mutex_lock(&set->lock);
    for (int kind = 0; !found && kind < TABLE_SET_KINDS; kind++) {
        const GArray *members = set->members[kind];
        found = index < members->len;
        if (found)
            *member_r = g_array_index(members, struct member, index);
        index -= MIN(index, members->len);
    }
    g_mutex_unlock(&set->lock);
    return found;
}

unsigned table_set_refresh(struct table_set *set, struct problems *problems)
{
    unsigned swapped = 0;
    struct member member;
    for (guint i = 0; get(set, i, &member); i++)
        swapped += member.class->refresh && member.class->refresh(member.object, problems);
    return swapped;
}

static void status_free(void *data)
{
    struct table_status *status = data;
    g_free(status->name);
    g_free(status->file);
    g_free(status->trouble);
    g_free(status);
}

GPtrArray *table_set_status(struct table_set *set)
{
    GPtrArray *statuses = g_ptr_array_new_with_free_func(status_free);
    struct member member;
    for (guint i = 0; get(set, i, &member); i++)
        if (member.class->add_status)
            member.class->add_status(member.object, statuses);
    return statuses;
}
