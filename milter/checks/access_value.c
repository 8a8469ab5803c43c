/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is wrong with the values of access tables: told when a table is read, and in the log when
 * mail meets one.
 */
#include "access_action.h"

#include <string.h>

#include "base/text.h"

/* What is wrong with WORD in a list that a table gives; NULL: nothing. The caller frees it. */
static char *word_fault(const struct site *site, const char *word)
{
    if (site->class_names && g_hash_table_contains(site->class_names, word))
        return NULL;
    const struct restriction *row = restriction_find(word);
    if (row && (row->argument == ARGUMENT_NONE || row->argument == ARGUMENT_RESTRICTION))
        return NULL;
    if (row || strchr(word, ':'))
        return g_strdup_printf("\"%s\": a table's result cannot name another table or list", word);
    const char *why = restriction_not_served(word);
    if (why)
        return g_strdup_printf("\"%s\": %s", word, why);
    const char *nearest = restriction_nearest(word);
    return g_strdup_printf("\"%s\" is no result of access(5) and no restriction%s%s%s", word,
                           nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                           nearest ? "\"?" : "");
}

static char *restrictions_fault(const struct site *site, const char *value)
{
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(value, &why);
    if (!words || words->len == 0)
        return g_strdup(why ? why : "the result is empty");
    const struct restriction *last = restriction_find(words->pdata[words->len - 1]);
    if (last && last->argument == ARGUMENT_RESTRICTION)
        return g_strdup_printf("%s needs a restriction behind it", last->name);
    char *fault = NULL;
    for (guint i = 0; !fault && i < words->len; i++)
        fault = word_fault(site, words->pdata[i]);
    return fault;
}

char *access_value_fault(const struct site *site, const char *value, bool *forbidden_r,
                         const char **doubt_r)
{
    const char *text;
    unsigned code;
    const struct access_action *action = access_action_of(value, &text, &code);
    *forbidden_r = action && action->forbidden;
    *doubt_r = NULL;
    if (*forbidden_r)
        return g_strdup_printf("%s: gatepost never throws mail away nor sends it elsewhere; use "
                               "REJECT or HOLD, or leave this table in the MTA",
                               action->word);
    if (!action)
        return restrictions_fault(site, value);
    if (text_is_number(value) && strlen(value) == 3 && strchr("45", value[0]))
        *doubt_r = "a number alone means OK, as in Postfix; write \"550 text\" to refuse";
    const char *fault = action->fault ? action->fault(text) : NULL;
    return fault ? g_strdup(fault) : NULL;
}

bool access_value_is_action(const char *word)
{
    const char *text;
    unsigned code;
    return access_action_of(word, &text, &code) && !text_is_number(word);
}

bool access_value_is_list(const char *value)
{
    const char *text;
    unsigned code;
    return !access_action_of(value, &text, &code);
}

bool access_value_permits(const char *value)
{
    const char *text;
    unsigned code;
    const struct access_action *action = access_action_of(value, &text, &code);
    if (action)
        return strcmp(action->word, "OK") == 0 || strcmp(action->word, "RELAY") == 0;
    g_autofree char *first = g_strndup(value, strcspn(value, ", \t"));
    return strcmp(first, "permit") == 0;
}

void access_more_fault(struct check *check, const struct check_more *more)
{
    g_autofree char *fault = restrictions_fault(check->site, more->text);
    access_cannot_tell(check, more->subject, more->text,
                       fault ? fault : "it cannot stand in this list");
}
