/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "charset NAME [in HEADER,...] LABEL...".
 */
#include <string.h>

#include "base/text.h"
#include "charset_scan.h"
#include "mail/charset.h"
#include "ruleset_private.h"
#include "ruleset/traits.h"

#define RAW8BIT "raw8bit"

static void add_label(struct builder *builder, const struct rule *rule, const char *word)
{
    char name[CHARSET_NAME_MAX];
    if (g_ascii_strcasecmp(word, RAW8BIT) == 0) {
        rule->charset->raw8bit = true;
        return;
    }
    charset_canonical(word, strlen(word), name);
    g_ptr_array_add(rule->charset->labels, g_strdup(name));
    if (!charset_is_known(name))
        problems_warning(builder->problems, rule->info.file, rule->info.line,
                         "rule %s: no charset called \"%s\" is known", rule->info.name, word);
}

enum pattern_status charset_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                       char **why_r)
{
    rule->info.kind = RULESET_CHARSET;
    rule->charset = g_new0(struct charset_rule, 1);
    rule->charset->labels = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) words = text_split_words(text, NULL);
    if (!words) {
        *why_r = g_strdup("braces have no place here");
        return PATTERN_BAD;
    }
    g_ptr_array_add(words, NULL);
    unsigned at = 0;
    if (!field_list_parse(&rule->charset->in, (char **)words->pdata, &at, why_r))
        return PATTERN_BAD;
    for (; words->pdata[at]; at++)
        add_label(builder, rule, words->pdata[at]);
    if (rule->charset->labels->len > 0 || rule->charset->raw8bit)
        return PATTERN_GOOD;
    *why_r = g_strdup("a charset rule needs the name of a charset");
    return PATTERN_BAD;
}

void charset_rule_free(struct charset_rule *rule)
{
    if (!rule)
        return;
    field_list_clear(&rule->in);
    g_ptr_array_unref(rule->labels);
    g_free(rule);
}

/* The first of the rule's labels that is among the charsets found; NULL if none is. */
static const char *find_label(const struct charset_rule *rule, const GPtrArray *charsets,
                              bool raw8bit)
{
    for (guint i = 0; i < charsets->len; i++)
        for (guint n = 0; n < rule->labels->len; n++)
            if (strcmp(rule->labels->pdata[n], charsets->pdata[i]) == 0)
                return charsets->pdata[i];
    return rule->raw8bit && raw8bit ? RAW8BIT : NULL;
}

bool charset_rule_match(const struct charset_rule *rule, const struct traits *all,
                        struct field_traits *fields, GString *text)
{
    g_string_truncate(text, 0);
    if (rule->in.places->len == 0) {
        const char *label = find_label(rule, all->charsets, all->raw8bit);
        g_string_append(text, label ? label : "");
        return true;
    }
    for (guint i = 0; i < rule->in.places->len && text->len == 0; i++) {
        const struct charset_scan *found =
            field_traits_charsets(fields, g_array_index(rule->in.places, unsigned, i));
        if (!found)
            return false;
        const char *label = find_label(rule, found->charsets, found->raw8bit);
        if (label)
            g_string_printf(text, "%s: %s", g_array_index(rule->in.sources, struct source, i).name,
                            label);
    }
    return true;
}
