/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "script NAME [in HEADER,...] SCRIPT... >= N%".
 */
#include <string.h>

#include "base/text.h"
#include "mail/script.h"
#include "ruleset_private.h"
#include "ruleset/traits.h"

/* Cuts ">= N%" off TEXT, which is changed. */
static bool cut_percent(char *text, double *percent_r, char **why_r)
{
    char *sign = strstr(text, ">="), *end = NULL;
    double percent = sign ? g_ascii_strtod(sign + 2, &end) : 0;
    if (end)
        end += strspn(end, " \t");
    if (!sign || end == sign + 2 || *end != '%' || end[1] || !(percent >= 0 && percent <= 100)) {
        *why_r = g_strdup("a script rule ends with a share: \">= 30%\"");
        return false;
    }
    *sign = '\0';
    *percent_r = percent;
    return true;
}

static bool add_script(struct script_rule *rule, const char *word, char **why_r)
{
    size_t count;
    int script = script_find(word);
    for (guint i = 0; i < rule->scripts->len; i++)
        if (g_array_index(rule->scripts, int, i) == script)
            return true;
    if (script >= 0) {
        g_array_append_val(rule->scripts, script);
        return true;
    }
    const char *const *names = script_names(&count);
    const char *near = text_nearest(word, names, count);
    *why_r = near ? g_strdup_printf("there is no script \"%s\"; \"%s\"?", word, near)
                  : g_strdup_printf("there is no script \"%s\"", word);
    return false;
}

enum pattern_status script_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                      char **why_r)
{
    (void)builder;
    struct script_rule *script = rule->script = g_new0(struct script_rule, 1);
    rule->info.kind = RULESET_SCRIPT;
    script->scripts = g_array_new(FALSE, FALSE, sizeof(int));
    g_autofree char *copy = g_strdup(text);
    if (!cut_percent(copy, &script->percent, why_r))
        return PATTERN_BAD;
    g_autoptr(GPtrArray) words = text_split_words(copy, NULL);
    if (!words) {
        *why_r = g_strdup("braces have no place here");
        return PATTERN_BAD;
    }
    g_ptr_array_add(words, NULL);
    unsigned at = 0;
    if (!field_list_parse(&script->in, (char **)words->pdata, &at, why_r))
        return PATTERN_BAD;
    for (; words->pdata[at]; at++)
        if (!add_script(script, words->pdata[at], why_r))
            return PATTERN_BAD;
    if (script->scripts->len > 0)
        return PATTERN_GOOD;
    *why_r = g_strdup("a script rule needs the name of a script");
    return PATTERN_BAD;
}

void script_rule_free(struct script_rule *rule)
{
    if (!rule)
        return;
    field_list_clear(&rule->in);
    g_array_unref(rule->scripts);
    g_free(rule);
}

bool script_rule_match(const struct script_rule *rule, const struct script_counts *all,
                       struct field_traits *fields, GString *text)
{
    size_t letters = 0, of_all = 0;
    for (guint i = 0; i < MAX(rule->in.places->len, 1); i++) {
        const struct script_counts *counts =
            rule->in.places->len > 0
                ? field_traits_scripts(fields, g_array_index(rule->in.places, unsigned, i))
                : all;
        if (!counts)
            return false;
        of_all += counts->letters;
        for (guint n = 0; n < rule->scripts->len; n++)
            letters += counts->of[g_array_index(rule->scripts, int, n)];
    }
    g_string_truncate(text, 0);
    if (letters > 0 && (double)letters * 100 >= rule->percent * (double)of_all)
        g_string_printf(text, "%u%% of %zu letters",
                        (unsigned)((double)letters * 100 / (double)of_all), of_all);
    return true;
}
