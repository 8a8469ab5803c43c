/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A restriction list, compiled: the words of a parameter as rows with their opened tables.
 *
 * Threads: immutable once compiled.
 */
#ifndef POLICY_RESTRICTION_LIST_H
#define POLICY_RESTRICTION_LIST_H

#include "checks/check.h"
#include "settings/settings_table.h"

struct restriction_item {
    const struct restriction *row;
    struct check_argument argument;
    bool warn_if_reject; /* a refusal is logged and has no effect */
};

struct restriction_list {
    enum restriction_list_kind kind;
    GArray *items; /* of struct restriction_item */
};

/* The parameter that holds the list. */
enum setting restriction_list_setting(enum restriction_list_kind kind);

/* The name of the parameter: "client_restrictions". */
const char *restriction_list_name(enum restriction_list_kind kind);

/* Compiles TEXT with Postfix's syntax (a bare type:table stands for the list's own access check).
 * Unknown words, words that a milter cannot serve, tables that cannot be opened and tables whose
 * results would lose or divert mail are errors in CONTEXT->problems; results that are none are
 * warnings. The DNS lists that restrictions name are added to ZONES; limits are those of LIMITS.
 * NULL if there were errors. The caller frees it. */
struct restriction_list *restriction_list_compile(const char *text, enum restriction_list_kind kind,
                                                  struct dnsbl_set *zones,
                                                  const struct limit_site *limits,
                                                  const struct table_context *context);

/* Compiles what a table gave for a key: words without tables. NULL if it is not to be understood.
 */
struct restriction_list *restriction_list_compile_result(const char *text,
                                                         enum restriction_list_kind kind);

/* Accepts NULL. */
void restriction_list_free(struct restriction_list *list);

/* The item at INDEX, or NULL past the end. */
const struct restriction_item *restriction_list_item(const struct restriction_list *list,
                                                     unsigned index);

/* Whether one of the items has one of TRAITS; those below warn_if_reject count for no refusal. */
bool restriction_list_has(const struct restriction_list *list, unsigned traits);

/* What the restrictions of LIST ask (enum restriction_asks). THROUGH_TABLES: and those that results
 * of its tables may name. */
unsigned restriction_list_asks(const struct restriction_list *list, bool through_tables);

/* What they read of the message (enum restriction_reads), through tables too. */
unsigned restriction_list_reads(const struct restriction_list *list);

#endif
