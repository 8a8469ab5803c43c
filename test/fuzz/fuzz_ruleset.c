/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A rule file and, after a NUL byte, a message to run it on: the prefilter must not change what
 * hits, and everything can be asked of the ruleset.
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/message.h"
#include "ruleset/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char stock_message[] = "From: \"A B\" <a@b.example>\nTo: c@d.example\n"
                                    "Subject: =?koi8-r?B?8NLJ18XU?= order\n"
                                    "Received: from x\n\tby y\nContent-Type: text/plain\n\n";

static void ask(const struct ruleset *ruleset)
{
    double required;
    for (size_t i = 0; i < ruleset_rule_count(ruleset); i++)
        if (ruleset_rule_find(ruleset, ruleset_rule_get(ruleset, i)->name) !=
            ruleset_rule_get(ruleset, i))
            abort();
    for (size_t i = 0; i < ruleset_skipped_count(ruleset); i++)
        if (!*ruleset_skipped_get(ruleset, i)->reason)
            abort();
    for (size_t i = 0; i < ruleset_external_count(ruleset); i++)
        if (!*ruleset_external_get(ruleset, i)->spec)
            abort();
    ruleset_required_score(ruleset, &required);
    ruleset_needs_body(ruleset);
}

static char *run(const char *rules, size_t length, const struct ruleset_message *message,
                 bool no_prefilter)
{
    struct problems *problems = problems_new();
    struct ruleset_options options = {.keep_subrules = true, .no_prefilter = no_prefilter};
    struct ruleset *ruleset = ruleset_load_text("fuzz", rules, length, &options, problems);
    struct ruleset_matches *matches = ruleset_match(ruleset, message, NULL, 0);
    struct ruleset_result result;
    GString *out = g_string_new(NULL);
    ask(ruleset);
    ruleset_score(ruleset, matches, NULL, &result);
    for (size_t i = 0; i < result.hit_count; i++)
        g_string_append_printf(out, "%s=%u ", result.hits[i].name, result.hits[i].count);
    /* what explodes, or is too dear, without a prefilter may not with it */
    if (ruleset_matches_exploded(matches, 0) || ruleset_matches_spent(matches))
        g_string_assign(out, "exploded");
    if (result.least > result.score || result.most < result.score)
        abort();
    ruleset_result_clear(&result);
    ruleset_matches_free(matches);
    ruleset_unref(ruleset);
    problems_free(problems);
    return g_string_free(out, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *nul = memchr(text, '\0', size);
    const char *mail = nul ? nul + 1 : stock_message;
    size_t rules = nul ? (size_t)(nul - text) : size;
    size_t length = nul ? size - rules - 1 : strlen(stock_message);
    struct header_list *headers = header_list_new();
    size_t body = message_parse(mail, length, headers);
    struct ruleset_message message = {.headers = headers,
                                      .envelope_sender = "a@b.example",
                                      .body = mail + body,
                                      .body_length = length - body};
    char *with = run(text, rules, &message, false), *without = run(text, rules, &message, true);
    if (strcmp(with, without) != 0 && strcmp(with, "exploded") != 0 &&
        strcmp(without, "exploded") != 0)
        abort();
    g_free(with);
    g_free(without);
    header_list_free(headers);
    return 0;
}
