/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The content of a table: what one reading of its file (or its name) gave. Immutable and counted,
 * so that a lookup goes on undisturbed in the old one while a new one takes its place.
 */
#ifndef LOOKUP_TABLE_CONTENT_H
#define LOOKUP_TABLE_CONTENT_H

#include "lookup/table.h"

struct content_class;

struct content {
    const struct content_class *class;
    int references;   /* atomic */
    unsigned skipped; /* lines that could not be read */
};

typedef table_visit content_visit;

/* One for each type of table. Either READ is set or MAKE, never both. */
struct content_class {
    const char *type;
    bool pattern;
    bool folds; /* find() is given keys folded to lower case, valid UTF-8 alone */

    /* Builds from the TEXT of FILE, which it takes over (g_malloc; TEXT[LENGTH] is NUL). Bad lines
     * become warnings. Cannot fail. */
    struct content *(*read)(char *text, size_t length, const char *file, struct problems *problems);

    /* Builds from what follows "type:"; NULL with *WHY_R (static text) if that is malformed. */
    struct content *(*make)(const char *name, const char **why_r);

    /* Appends the value to VALUE_R (never NULL here), which is empty; *LINE_R, which is 0, is the
     * line of the file that it stands in, if there is a file. */
    enum lookup_status (*find)(const struct content *content, const char *key, GString *value_r,
                               unsigned *line_r);
    size_t (*count)(const struct content *content); /* keys or rules */
    bool (*foreach)(const struct content *content, const char *file, content_visit *visit,
                    void *data);
    /* The same for each entry, whatever values are equal; NULL: the one above does. */
    bool (*foreach_entry)(const struct content *content, const char *file, content_visit *visit,
                          void *data);
    /* As table_foreach_open; NULL: there are no such entries. */
    bool (*foreach_open)(const struct content *content, const char *file, unsigned ends,
                         content_visit *visit, void *data);
    void (*free)(struct content *content);
};

extern const struct content_class texthash_class, cidr_class, pcre_class, regexp_class,
    inline_class, static_class, fail_class;

struct content *content_ref(struct content *content);
void content_unref(struct content *content); /* accepts NULL */

/* KEY folded as tables with fixed keys compare it; NULL if it is not UTF-8. The caller frees it. */
char *content_fold(const char *key);

#endif
