/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Trying the rules on a message. Header rules are tried by groups that look at the same text: it is
 * made once, one pass over it tells which patterns can match at all.
 */
#include <string.h>

#include "matches.h"
#include "ruleset_private.h"

struct run {
    const struct ruleset *ruleset;
    const struct ruleset_message *message;
    const bool *live; /* [rule] */
    struct ruleset_matches *matches;
    struct work work;
    struct matcher *matcher;
    GString *text;             /* scratch; of the group */
    struct sieve_found *found; /* in it, if the group has a sieve */
    bool sieved;
};

static void add_match(struct run *run, const struct rule *rule, unsigned count, const char *text,
                      size_t length)
{
    struct match match = {rule->index, count, ""};
    if (length > 0)
        match.text = g_string_chunk_insert_len(run->matches->texts, text,
                                               (gssize)MIN(length, RULESET_TEXT_MAX));
    g_array_append_val(run->matches->found, match);
}

/* What rule INDEX says is not known, or not to its end. */
static void add_untold(struct run *run, unsigned index)
{
    g_array_append_val(run->matches->untold, index);
}

/* Searches for a rule's pattern from OFFSET on, where the sieve leaves hope for it. */
static enum match_status find_match(struct run *run, const struct rule *rule, unsigned place,
                                    size_t offset, size_t *begin_r, size_t *end_r)
{
    const struct pattern *pattern = rule->header->pattern;
    size_t first = offset, last = SIZE_MAX;
    if (!run->sieved)
        return pattern_match(pattern, run->matcher, offset, SIZE_MAX, begin_r, end_r);
    while (sieve_places(run->found, place, first, &first, &last)) {
        enum match_status status =
            pattern_match(pattern, run->matcher, first, last, begin_r, end_r);
        if (status != MATCH_NO || last == SIZE_MAX)
            return status;
        first = last + 1;
    }
    return MATCH_NO;
}

/* Counts the matches of a pattern in the text; the first lies from *BEGIN_R to *END_R. */
static unsigned count_matches(struct run *run, const struct rule *rule, unsigned place,
                              size_t *begin_r, size_t *end_r)
{
    const struct header_rule *header = rule->header;
    unsigned count = 0;
    size_t offset = 0, begin, end;
    matcher_take(run->matcher, run->text->str, run->text->len);
    while (count < header->max_hits && offset <= run->text->len) {
        enum match_status status = find_match(run, rule, place, offset, &begin, &end);
        if (status == MATCH_EXPLODED)
            g_ptr_array_add(run->matches->exploded, (gpointer)rule->info.name);
        if (status == MATCH_EXPLODED || status == MATCH_SPENT)
            add_untold(run, rule->index);
        if (status != MATCH_YES)
            break;
        if (count++ == 0) {
            *begin_r = begin;
            *end_r = end;
        }
        offset = end > begin ? MAX(end, offset) : MAX(end, offset) + 1;
    }
    return count;
}

static void try_rule(struct run *run, const struct rule *rule, unsigned place)
{
    guint untold = run->matches->untold->len;
    size_t begin = 0, end = 0;
    if (rule->header->exists) {
        add_match(run, rule, 1, "", 0);
        return;
    }
    unsigned count = count_matches(run, rule, place, &begin, &end);
    if (rule->header->negated)
        count = count == 0 && run->matches->untold->len == untold;
    if (count > 0)
        add_match(run, rule, count, run->text->str + begin,
                  rule->header->negated ? 0 : end - begin);
}

static void add_absent(struct run *run, const struct rule_group *group)
{
    for (guint i = 0; i < group->rules->len; i++) {
        const struct rule *rule = group->rules->pdata[i];
        if (rule->header->absent > 0 && run->live[rule->index])
            add_match(run, rule, rule->header->absent, "", 0);
    }
}

/* Nothing is known any more of the rules of GROUP from the place FIRST on. */
static void leave_group(struct run *run, const struct rule_group *group, guint first)
{
    for (guint i = first; i < group->rules->len; i++) {
        const struct rule *rule = group->rules->pdata[i];
        if (run->live[rule->index])
            add_untold(run, rule->index);
    }
}

static void run_group(struct run *run, const struct rule_group *group)
{
    size_t size = source_size(&group->source, run->message);
    if (size > 0 && !work_take(&run->work, size * WORK_GATHER)) {
        leave_group(run, group, 0);
        return;
    }
    if (size == 0 || !source_text(&group->source, run->message, run->text)) {
        add_absent(run, group);
        return;
    }
    run->sieved = group->sieve != NULL;
    if (group->sieve &&
        !sieve_scan(group->sieve, run->text->str, run->text->len, &run->work, run->found)) {
        leave_group(run, group, 0);
        return;
    }
    for (guint i = 0; i < group->rules->len; i++) {
        const struct rule *rule = group->rules->pdata[i];
        if (run->work.spent) {
            leave_group(run, group, i);
            return;
        }
        if (!run->live[rule->index])
            continue;
        if (!run->sieved || sieve_passes(run->found, i))
            try_rule(run, rule, i);
        else if (rule->header->negated)
            add_match(run, rule, 1, "", 0);
    }
}

static void run_traits(struct run *run)
{
    const struct ruleset *ruleset = run->ruleset;
    const struct ruleset_message *message = run->message;
    struct traits traits;
    if (ruleset->charsets->len == 0 && ruleset->scripts->len == 0)
        return;
    size_t body = MIN(message->body_length, RULESET_BODY_MAX); /* more is not looked at */
    work_take(&run->work, (header_list_bytes(message->headers) + body) * WORK_GATHER);
    traits_read(message->headers, message->body, message->body_length, message->smtputf8, &traits);
    struct field_traits *fields = field_traits_new(ruleset->listed, message, &traits, &run->work);
    const GPtrArray *const kinds[] = {ruleset->charsets, ruleset->scripts};
    for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        for (guint i = 0; i < kinds[kind]->len; i++) {
            const struct rule *rule = kinds[kind]->pdata[i];
            if (!run->live[rule->index])
                continue;
            bool told = work_take(&run->work, PATTERN_WORK_EACH) &&
                        (rule->charset
                             ? charset_rule_match(rule->charset, &traits, fields, run->text)
                             : script_rule_match(rule->script, &traits.scripts, fields, run->text));
            if (!told)
                add_untold(run, rule->index);
            else if (run->text->len > 0)
                add_match(run, rule, 1, run->text->str, run->text->len);
        }
    }
    field_traits_free(fields);
    traits_clear(&traits);
}

static void run_addresses(struct run *run)
{
    GPtrArray *(*const gather[ADDRESS_SOURCES])(const struct ruleset_message *message) = {
        [ADDRESSES_FROM] = source_from_addresses,
        [ADDRESSES_FROM_ANY_READER] = source_from_readings,
        [ADDRESSES_TO] = source_to_addresses,
    };
    GPtrArray *addresses[ADDRESS_SOURCES] = {NULL};
    for (guint i = 0; i < run->ruleset->addresses->len; i++) {
        const struct rule *rule = run->ruleset->addresses->pdata[i];
        enum address_source source = rule->address->source;
        if (!run->live[rule->index])
            continue;
        if (!addresses[source]) {
            work_take(&run->work, source_addresses_size(run->message) * WORK_GATHER);
            addresses[source] = gather[source](run->message);
        }
        if (address_rule_match(rule->address, addresses[source], run->text))
            add_match(run, rule, 1, run->text->str, run->text->len);
    }
    for (int i = 0; i < ADDRESS_SOURCES; i++)
        if (addresses[i])
            g_ptr_array_unref(addresses[i]);
}

static void run_externals(struct run *run)
{
    if (!run->message->external)
        return;
    for (guint i = 0; i < run->ruleset->externals->len; i++) {
        const struct rule *rule = run->ruleset->externals->pdata[i];
        if (run->live[rule->index] &&
            run->message->external(run->message->external_data, rule->external))
            add_match(run, rule, 1, rule->info.text, strlen(rule->info.text));
    }
}

/* What must be run for one of the profiles; NULL: what the single one, or none, says. */
static bool *union_live(const struct ruleset *ruleset,
                        const struct ruleset_profile *const *profiles, size_t count)
{
    if (count < 2)
        return NULL;
    bool *live = g_new0(bool, ruleset->rules->len + 1);
    for (size_t i = 0; i < count; i++) {
        const struct ruleset_profile *profile = profiles[i] ? profiles[i] : ruleset->base;
        for (guint n = 0; n < ruleset->rules->len; n++)
            live[n] = live[n] || profile->live[n];
    }
    return live;
}

struct ruleset_matches *ruleset_match(const struct ruleset *ruleset,
                                      const struct ruleset_message *message,
                                      const struct ruleset_profile *const *profiles, size_t count)
{
    g_autofree bool *live = union_live(ruleset, profiles, count);
    const struct ruleset_profile *one = count > 0 && profiles[0] ? profiles[0] : ruleset->base;
    struct run run = {.ruleset = ruleset, .message = message, .live = live ? live : one->live};
    run.work = work_begin(ruleset->patterned, ruleset->options.timeless);
    run.matches = g_new(struct ruleset_matches, 1);
    run.matches->found = g_array_new(FALSE, FALSE, sizeof(struct match));
    run.matches->exploded = g_ptr_array_new();
    run.matches->untold = g_array_new(FALSE, FALSE, sizeof(unsigned));
    run.matches->texts = g_string_chunk_new(1024);
    run.matcher = matcher_new(ruleset->patterns, &run.work);
    run.text = g_string_sized_new(8192);
    run.found = sieve_found_new();
    run_traits(&run);
    run_addresses(&run);
    run_externals(&run);
    for (guint i = 0; i < ruleset->groups->len; i++)
        run_group(&run, ruleset->groups->pdata[i]);
    run.matches->spent = run.work.spent;
    run.matches->work = run.work.taken;
    sieve_found_free(run.found);
    g_string_free(run.text, TRUE);
    matcher_free(run.matcher);
    return run.matches;
}

void ruleset_matches_free(struct ruleset_matches *matches)
{
    if (!matches)
        return;
    g_array_unref(matches->found);
    g_ptr_array_unref(matches->exploded);
    g_array_unref(matches->untold);
    g_string_chunk_free(matches->texts);
    g_free(matches);
}

const char *ruleset_matches_exploded(const struct ruleset_matches *matches, size_t index)
{
    return index < matches->exploded->len ? matches->exploded->pdata[index] : NULL;
}

bool ruleset_matches_spent(const struct ruleset_matches *matches)
{
    return matches->spent;
}

uint64_t ruleset_matches_work(const struct ruleset_matches *matches)
{
    return matches->work;
}
