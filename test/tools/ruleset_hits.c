/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Prints which rules hit which messages: "ruleset-hits [-a] [-n] RULES... -- MESSAGE...". A line
 * each: message, score, NAME=COUNT for each hit. A Return-Path field on top is the envelope's
 * sender. -a: __rules too; -n: without the prefilter; -l: list the rules instead.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "mail/addrlist.h"
#include "mail/message.h"
#include "ruleset/ruleset.h"

/* The address in Return-Path, "" for <>; NULL without the field. */
static char *envelope_sender(const struct header_list *headers)
{
    const struct header *field = header_list_first(headers, "Return-Path");
    if (!field)
        return NULL;
    g_autoptr(GPtrArray) entries = addrlist_parse(field->value, field->value_length);
    const struct addrlist_entry *entry = entries->len > 0 ? entries->pdata[0] : NULL;
    return g_strdup(entry && entry->address ? entry->address : "");
}

static void print_message(const struct ruleset *ruleset, const char *path)
{
    g_autofree char *data = NULL;
    gsize size;
    if (!g_file_get_contents(path, &data, &size, NULL)) {
        printf("%s unreadable\n", path);
        return;
    }
    struct header_list *headers = header_list_new();
    size_t body = message_parse(data, size, headers);
    g_autofree char *sender = envelope_sender(headers);
    struct ruleset_message message = {.headers = headers,
                                      .envelope_sender = sender,
                                      .body = data + body,
                                      .body_length = size - body};
    struct ruleset_matches *matches = ruleset_match(ruleset, &message, NULL, 0);
    struct ruleset_result result;
    ruleset_score(ruleset, matches, NULL, &result);
    printf("%s %.3f", path, result.score);
    for (size_t i = 0; i < result.hit_count; i++)
        printf(" %s=%u", result.hits[i].name, result.hits[i].count);
    for (size_t i = 0; ruleset_matches_exploded(matches, i); i++)
        printf(" !%s", ruleset_matches_exploded(matches, i));
    if (ruleset_matches_spent(matches))
        printf(" !!");
    printf("\n");
    ruleset_result_clear(&result);
    ruleset_matches_free(matches);
    header_list_free(headers);
}

static void print_rules(const struct ruleset *ruleset)
{
    static const char *const kinds[] = {"header", "meta", "charset", "script", "address", "dnsbl"};
    for (size_t i = 0; i < ruleset_rule_count(ruleset); i++) {
        const struct ruleset_rule *rule = ruleset_rule_get(ruleset, i);
        printf("%s %s %g %s:%u %s\n", kinds[rule->kind], rule->name, rule->score, rule->file,
               rule->line, rule->text);
    }
    for (size_t i = 0; i < ruleset_skipped_count(ruleset); i++) {
        const struct ruleset_skipped *skipped = ruleset_skipped_get(ruleset, i);
        printf("skipped %s:%u: %s: %s\n", skipped->file, skipped->line, skipped->directive,
               skipped->reason);
    }
}

int main(int argc, char **argv)
{
    struct ruleset_options options = {0};
    bool list = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '-'; at++) {
        options.keep_subrules |= argv[at][1] == 'a';
        options.no_prefilter |= argv[at][1] == 'n';
        list |= argv[at][1] == 'l';
    }
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    for (; at < argc && strcmp(argv[at], "--") != 0; at++)
        g_ptr_array_add(paths, argv[at]);
    g_ptr_array_add(paths, NULL);
    struct problems *problems = problems_new();
    struct ruleset *ruleset = ruleset_load((const char *const *)paths->pdata, &options, problems);
    problems_print(problems, stderr);
    if (list)
        print_rules(ruleset);
    for (at++; at < argc; at++)
        print_message(ruleset, argv[at]);
    int status = problems_errors(problems) > 0;
    ruleset_unref(ruleset);
    problems_free(problems);
    return status;
}
