/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What spam.c works with and comes to: profiles, verdicts.
 */
#include "checks/spam.h"

#include <string.h>

static void free_hit(void *data)
{
    struct spam_hit *hit = data;
    g_free(hit->name);
    g_free(hit->description);
    g_free(hit->text);
    g_free(hit);
}

struct spam_verdict *spam_verdict_new(const struct spam_profile *profile,
                                      const struct ruleset_result *result)
{
    struct spam_verdict *verdict = g_new0(struct spam_verdict, 1);
    verdict->score = result->score;
    verdict->least = result->least;
    verdict->most = result->most;
    verdict->required = profile->tag_score;
    verdict->profile = profile->name;
    verdict->refused = result->score >= profile->reject_score;
    verdict->tagged = verdict->refused || result->score >= profile->tag_score;
    verdict->hits = g_ptr_array_new_with_free_func(free_hit);
    for (size_t i = 0; i < result->hit_count; i++) {
        struct spam_hit *hit = g_new0(struct spam_hit, 1);
        hit->name = g_strdup(result->hits[i].name);
        hit->description = g_strdup(result->hits[i].description);
        hit->text = g_strdup(result->hits[i].text);
        hit->score = result->hits[i].score;
        g_ptr_array_add(verdict->hits, hit);
    }
    return verdict;
}

void spam_verdict_free(struct spam_verdict *verdict)
{
    if (!verdict)
        return;
    g_ptr_array_unref(verdict->hits);
    g_free(verdict);
}

void spam_site_free(struct spam_site *spam)
{
    if (!spam)
        return;
    for (guint i = 0; i < spam->profiles->len; i++) {
        struct spam_profile *profile = spam->profiles->pdata[i];
        g_free(profile->name);
        ruleset_profile_free(profile->rules);
        g_free(profile);
    }
    g_ptr_array_unref(spam->profiles);
    g_array_unref(spam->rule_zones);
    ruleset_unref(spam->ruleset);
    g_clear_pointer(&spam->rules_text, g_ref_string_release);
    g_clear_pointer(&spam->rules_name, g_ref_string_release);
    g_free(spam);
}

int spam_profile_find(const struct spam_site *spam, const char *name)
{
    for (guint i = 1; i < spam->profiles->len; i++)
        if (strcmp(((struct spam_profile *)spam->profiles->pdata[i])->name, name) == 0)
            return (int)i;
    return -1;
}

char *spam_verdict_rules(const struct spam_verdict *verdict, const char *separator)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < verdict->hits->len; i++) {
        const struct spam_hit *hit = verdict->hits->pdata[i];
        g_string_append_printf(out, "%s%s", i ? separator : "", hit->name);
    }
    return g_string_free(out, FALSE);
}
