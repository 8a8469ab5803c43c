/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restriction classes: lists that a name stands for, in other lists and in the results of tables.
 *
 * Threads: immutable once compiled.
 */
#ifndef POLICY_RESTRICTION_CLASS_H
#define POLICY_RESTRICTION_CLASS_H

#include "checks/check.h"
#include "settings/settings.h"

struct restriction_list;

struct restriction_class {
    char *name;
    const struct setting_value *value; /* the settings'; what it holds, if it is said at all */
    bool is_said;
    bool is_named; /* by a list, another class, or a result of a table, once all are compiled */
    enum { CLASS_UNREAD, CLASS_BEING_READ, CLASS_READ } state;
    struct restriction_list *list; /* once it is read; NULL: an error was told */
};

/* The classes of a policy: in the order of the settings, and by name. */
struct restriction_classes {
    GPtrArray *all;      /* of struct restriction_class * */
    GHashTable *by_name; /* name -> struct restriction_class * of these */
};

/* All classes that SECTION (NULL: main) of SETTINGS, which must outlive them, has by name; none is
 * compiled; restriction_classes_free (restriction_list.h) frees them. Names that cannot be are
 * errors in PROBLEMS, names without a list are warned of. NULL: there are none. */
struct restriction_classes *restriction_classes_new(const struct settings *settings,
                                                    const struct section *section,
                                                    struct problems *problems);

/* The class NAME of CLASSES (NULL: there are none), or NULL. */
struct restriction_class *restriction_class_find(const struct restriction_classes *classes,
                                                 const char *name);

#endif
