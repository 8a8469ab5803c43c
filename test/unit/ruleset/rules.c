/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

#include <glib.h>
#include <string.h>

#include "mail/message.h"

struct ruleset *rules_load(const char *text, struct problems *problems)
{
    return ruleset_load_text("rules.cf", text, strlen(text), NULL, problems);
}

char *rules_problems(const struct problems *problems)
{
    GString *out = g_string_new(NULL);
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(problems, i)); i++)
        g_string_append_printf(out, "%u: %s: %s\n", problem->line,
                               problem->severity == PROBLEM_ERROR ? "error" : "warning",
                               problem->text);
    return g_string_free(out, FALSE);
}

char *rules_run(const struct ruleset *ruleset, const char *text, const char *sender,
                const struct ruleset_profile *profile)
{
    struct header_list *headers = header_list_new();
    size_t size = strlen(text), body = message_parse(text, size, headers);
    struct ruleset_message message = {.headers = headers,
                                      .envelope_sender = sender,
                                      .body = text + body,
                                      .body_length = size - body};
    struct ruleset_matches *matches = ruleset_match(ruleset, &message, &profile, 1);
    struct ruleset_result result;
    ruleset_score(ruleset, matches, profile, &result);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%g", result.score);
    for (size_t i = 0; i < result.hit_count; i++) {
        g_string_append_printf(out, " %s", result.hits[i].name);
        if (result.hits[i].count > 1)
            g_string_append_printf(out, "=%u", result.hits[i].count);
    }
    for (size_t i = 0; ruleset_matches_exploded(matches, i); i++)
        g_string_append_printf(out, " !%s", ruleset_matches_exploded(matches, i));
    if (ruleset_matches_spent(matches))
        g_string_append(out, " !!");
    ruleset_result_clear(&result);
    ruleset_matches_free(matches);
    header_list_free(headers);
    return g_string_free(out, FALSE);
}
