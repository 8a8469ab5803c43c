/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "in HEADER,HEADER" of charset and script rules.
 */
#include <string.h>

#include "ruleset_private.h"

static bool add_sources(struct field_list *list, const char *word, char **why_r)
{
    g_auto(GStrv) names = g_strsplit(word, ",", -1);
    for (guint i = 0; names[i]; i++) {
        struct source source;
        const char *why;
        if (!names[i][0])
            continue;
        if (source_parse(names[i], &source, &why) != SOURCE_GOOD) {
            *why_r = g_strdup_printf("\"%s\": %s", names[i], why);
            return false;
        }
        g_array_append_val(list->sources, source);
    }
    return true;
}

bool field_list_parse(struct field_list *list, char *const *words, unsigned *at, char **why_r)
{
    list->sources = g_array_new(FALSE, FALSE, sizeof(struct source));
    list->places = g_array_new(FALSE, FALSE, sizeof(unsigned));
    if (!words[*at] || strcmp(words[*at], "in") != 0)
        return true;
    bool more = true;
    for (++*at; more && words[*at]; ++*at) {
        const char *word = words[*at], *next = words[*at + 1];
        if (!add_sources(list, word, why_r))
            return false;
        /* Commas may have white space around them. */
        more = g_str_has_suffix(word, ",") || (next && next[0] == ',');
    }
    if (list->sources->len > 0)
        return true;
    *why_r = g_strdup("\"in\" without the name of a header");
    return false;
}

void field_list_clear(struct field_list *list)
{
    if (!list->sources)
        return;
    for (guint i = 0; i < list->sources->len; i++)
        source_clear(&g_array_index(list->sources, struct source, i));
    g_array_unref(list->sources);
    g_array_unref(list->places);
}
