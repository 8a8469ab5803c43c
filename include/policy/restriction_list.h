/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A restriction list, compiled: the words of a parameter as rows with their opened tables.
 *
 * Threads: immutable once compiled.
 */
#ifndef POLICY_RESTRICTION_LIST_H
#define POLICY_RESTRICTION_LIST_H

#include "checks/check.h"
#include "policy/restriction_class.h"
#include "settings/settings_table.h"

struct restriction_item {
    const struct restriction *row; /* NULL, in a class alone: the access check of the list that it
                                      will stand in */
    struct check_argument argument;
    bool warn_if_reject; /* a refusal is logged and has no effect */
    bool is_borrowed;    /* the argument is a class's */
};

/* How many restrictions a list may have, what its classes hold counted; more is an error. */
#define RESTRICTIONS_MAX 10000

struct restriction_list {
    enum restriction_list_kind kind;
    GArray *items; /* of struct restriction_item; a class as what it holds */
    const struct restriction_classes *classes; /* not owned; NULL: there are none */
};

/* The parameter that holds the list. */
enum setting restriction_list_setting(enum restriction_list_kind kind);

/* The name of the parameter: "client_restrictions". */
const char *restriction_list_name(enum restriction_list_kind kind);

/* Compiles TEXT with Postfix's syntax (a bare type:table stands for the list's own access check).
 * Unknown words, words that a milter cannot serve, tables that cannot be opened and tables whose
 * results would lose or divert mail are errors in CONTEXT->problems; results that are none are
 * warnings. The DNS lists that restrictions name are added to SITE->dnsbl_zones;
 * limits are those of SITE. CLASSES must outlive the list; NULL: there are none. NULL if there were
 * errors. The caller frees it. */
struct restriction_list *restriction_list_compile(const char *text, enum restriction_list_kind kind,
                                                  const struct site *site,
                                                  const struct restriction_classes *classes,
                                                  const struct table_context *context);

/* Compiles all CLASSES (NULL: there are none) for lists and results of tables, which borrow from
 * them. What is wrong with them, wherever they may stand, and circles are errors in the problems of
 * CONTEXT, whose file and line do not matter. */
void restriction_classes_compile(const struct restriction_classes *classes, const struct site *site,
                                 const struct table_context *context);

/* Frees them with what they hold. Accepts NULL. */
void restriction_classes_free(struct restriction_classes *classes);

/* Compiles what a table gave for a key: words without tables, and CLASSES, which must outlive the
 * result. NULL if it is not to be understood. */
struct restriction_list *restriction_list_compile_result(const char *text,
                                                         enum restriction_list_kind kind,
                                                         const struct restriction_classes *classes);

/* Accepts NULL. */
void restriction_list_free(struct restriction_list *list);

/* The item at INDEX, or NULL past the end. */
const struct restriction_item *restriction_list_item(const struct restriction_list *list,
                                                     unsigned index);

/* Whether one of the items has one of TRAITS; those below warn_if_reject count for no refusal, and
 * prove nothing. */
bool restriction_list_has(const struct restriction_list *list, unsigned traits);

/* What the restrictions of LIST ask (enum restriction_asks). THROUGH_TABLES: and those that results
 * of its tables may name. */
unsigned restriction_list_asks(const struct restriction_list *list, bool through_tables);

/* What they read of the message (enum restriction_reads), through tables too. */
unsigned restriction_list_reads(const struct restriction_list *list);

#endif
