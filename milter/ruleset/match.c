/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Trying the rules on a message. Header rules are tried by groups that look at the same text: it is
 * made once, one pass over it tells which patterns can match at all.
 */
#include <string.h>

#include "base/arena.h"
#include "demand.h"
#include "matches.h"
#include "ruleset_private.h"

/* So many bytes of texts are kept for rules that wait; the others do not wait. */
#define KEPT_MAX ((size_t)256 << 10)

/* Texts of no more bytes are cheap to search. */
#define CHEAP_MAX 1024

/* Matches that are counted on. */
#define MATCHES_USUAL 64

/* A rule, its text, and where in it a match can begin: so many of the run's stretches from STRETCH
 * on. */
struct candidate {
    const struct rule *rule;
    const char *text;
    size_t length;
    guint stretch, stretches;
};

/* So many rooms that nobody needs are kept, of so many bytes each for the text and what is found
 * in it. */
#define ROOMS_MAX 16
#define ROOM_MAX  ((size_t)64 << 10)

/* What one message after the other uses. */
struct room {
    struct matcher *matcher;
    GString *text;             /* scratch; of the group */
    struct sieve_found *found; /* in it, if the group has a sieve */
    GArray *stretches;         /* struct sieve_stretch, of the rule that is tried and of those that
                                * wait */
    struct demand *demand;
    GArray *waiting;   /* struct candidate */
    struct arena kept; /* their texts */
};

struct match_rooms {
    GMutex lock;
    struct room *idle[ROOMS_MAX];
    unsigned count;
};

struct run {
    const struct ruleset *ruleset;
    const struct ruleset_message *message;
    const bool *live; /* [rule] */
    struct ruleset_matches *matches;
    struct work work;
    struct room *room;
    struct demand *demand; /* NULL: no rule waits */
    size_t kept_bytes;
    guint most_stretches; /* that there were in the room at once */
};

static void add_match(struct run *run, const struct rule *rule, unsigned count, const char *text,
                      size_t length)
{
    struct match match = {rule->index, count, ""};
    if (length > 0)
        match.text = g_string_chunk_insert_len(run->matches->texts, text,
                                               (gssize)MIN(length, RULESET_TEXT_MAX));
    g_array_append_val(run->matches->found, match);
    if (run->demand)
        demand_answer(run->demand, rule, DEMAND_HIT);
}

/* What RULE says is not known, or not to its end. */
static void add_untold(struct run *run, const struct rule *rule)
{
    g_array_append_val(run->matches->untold, rule->index);
    if (run->demand)
        demand_answer(run->demand, rule, DEMAND_UNKNOWN);
}

/* Searches for a pattern from OFFSET on; stretches before *AT hold no match any more. */
static enum match_status find_match(struct run *run, const struct candidate *candidate, guint *at,
                                    size_t offset, size_t *begin_r, size_t *end_r)
{
    for (; *at < candidate->stretches; ++*at) {
        const struct sieve_stretch *stretch =
            &g_array_index(run->room->stretches, struct sieve_stretch, candidate->stretch + *at);
        if (stretch->last < offset)
            continue;
        enum match_status status =
            pattern_match(candidate->rule->header->pattern, run->room->matcher,
                          MAX(stretch->first, offset), stretch->last, begin_r, end_r);
        if (status != MATCH_NO)
            return status;
    }
    return MATCH_NO;
}

/* Counts the matches of a pattern in the text; the first lies from *BEGIN_R to *END_R. */
static unsigned count_matches(struct run *run, const struct candidate *candidate, size_t *begin_r,
                              size_t *end_r)
{
    const struct rule *rule = candidate->rule;
    unsigned count = 0;
    guint at = 0;
    size_t offset = 0, begin, end;
    matcher_take(run->room->matcher, candidate->text, candidate->length);
    while (count < rule->header->max_hits && offset <= candidate->length) {
        enum match_status status = find_match(run, candidate, &at, offset, &begin, &end);
        if (status == MATCH_EXPLODED)
            g_ptr_array_add(run->matches->exploded, (gpointer)rule->info.name);
        if (status == MATCH_EXPLODED || status == MATCH_SPENT)
            add_untold(run, rule);
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

static void try_rule(struct run *run, const struct candidate *candidate)
{
    bool negated = candidate->rule->header->negated;
    guint untold = run->matches->untold->len;
    size_t begin = 0, end = 0;
    unsigned count = count_matches(run, candidate, &begin, &end);
    if (negated)
        count = count == 0 && run->matches->untold->len == untold;
    if (count > 0)
        add_match(run, candidate->rule, count, candidate->text + begin, negated ? 0 : end - begin);
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
            add_untold(run, rule);
    }
}

/* Whether the rule may wait until more is known of the others. */
static bool may_wait(const struct run *run, const struct rule *rule)
{
    return run->demand && rule->subrule && run->kept_bytes + run->room->text->len <= KEPT_MAX;
}

/* Lets a rule wait; its text, the group's, is kept once for all that do. */
static void let_wait(struct run *run, struct candidate *candidate, const char **kept)
{
    if (!*kept) {
        char *copy = arena_take(&run->room->kept, candidate->length + 1);
        memcpy(copy, candidate->text, candidate->length + 1);
        run->kept_bytes += candidate->length;
        *kept = copy;
    }
    candidate->text = *kept;
    g_array_append_val(run->room->waiting, *candidate);
    demand_answer(run->demand, candidate->rule, DEMAND_UNKNOWN);
}

static void run_group(struct run *run, const struct rule_group *group)
{
    size_t size = source_size(&group->source, run->message);
    const char *kept = NULL;
    if (size > 0 && !work_take(&run->work, size * WORK_GATHER)) {
        leave_group(run, group, 0);
        return;
    }
    if (size == 0 || !source_text(&group->source, run->message, run->room->text)) {
        add_absent(run, group);
        return;
    }
    if (group->sieve && !sieve_scan(group->sieve, run->room->text->str, run->room->text->len,
                                    &run->work, run->room->found)) {
        leave_group(run, group, 0);
        return;
    }
    for (guint i = 0; group->sieve && i < group->negated->len; i++) {
        unsigned place = g_array_index(group->negated, unsigned, i);
        const struct rule *rule = group->rules->pdata[place];
        if (!sieve_passes(run->room->found, place) && run->live[rule->index])
            add_match(run, rule, 1, "", 0);
    }
    for (guint i = 0;; i++) {
        if (group->sieve)
            i = sieve_next(run->room->found, i);
        if (i >= group->rules->len)
            break;
        const struct rule *rule = group->rules->pdata[i];
        if (run->work.spent) {
            leave_group(run, group, i);
            return;
        }
        if (!run->live[rule->index])
            continue;
        if (rule->header->exists) {
            add_match(run, rule, 1, "", 0);
            continue;
        }
        struct candidate candidate = {rule, run->room->text->str, run->room->text->len,
                                      run->room->stretches->len, 0};
        struct sieve_stretch whole = {0, SIZE_MAX};
        if (group->sieve)
            sieve_stretches(run->room->found, i, run->room->stretches);
        else
            g_array_append_val(run->room->stretches, whole);
        candidate.stretches = run->room->stretches->len - candidate.stretch;
        run->most_stretches = MAX(run->most_stretches, run->room->stretches->len);
        if (may_wait(run, rule)) {
            let_wait(run, &candidate, &kept);
            continue;
        }
        try_rule(run, &candidate);
        g_array_set_size(run->room->stretches, candidate.stretch);
    }
}

/* Tries those that wait and on which something still hangs; those first that cost little, as what
 * they say may leave others without a use. */
static void run_waiting(struct run *run)
{
    for (int dear = 0; dear < 2; dear++) {
        for (guint i = 0; i < run->room->waiting->len; i++) {
            const struct candidate *candidate =
                &g_array_index(run->room->waiting, struct candidate, i);
            if ((candidate->length > CHEAP_MAX) != dear ||
                !demand_has(run->demand, candidate->rule))
                continue;
            if (run->work.spent) {
                add_untold(run, candidate->rule);
                continue;
            }
            demand_answer(run->demand, candidate->rule, DEMAND_NO);
            try_rule(run, candidate);
        }
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
            bool told =
                work_take(&run->work, PATTERN_WORK_EACH) &&
                (rule->charset
                     ? charset_rule_match(rule->charset, &traits, fields, run->room->text)
                     : script_rule_match(rule->script, &traits.scripts, fields, run->room->text));
            if (!told)
                add_untold(run, rule);
            else if (run->room->text->len > 0)
                add_match(run, rule, 1, run->room->text->str, run->room->text->len);
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
        if (address_rule_match(rule->address, addresses[source], run->room->text))
            add_match(run, rule, 1, run->room->text->str, run->room->text->len);
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

static void room_free(struct room *room)
{
    matcher_free(room->matcher);
    g_string_free(room->text, TRUE);
    sieve_found_free(room->found);
    g_array_unref(room->stretches);
    demand_free(room->demand);
    g_array_unref(room->waiting);
    arena_reset(&room->kept, 0);
    g_free(room);
}

struct match_rooms *match_rooms_new(void)
{
    struct match_rooms *rooms = g_new0(struct match_rooms, 1);
    g_mutex_init(&rooms->lock);
    return rooms;
}

void match_rooms_free(struct match_rooms *rooms)
{
    while (rooms->count > 0)
        room_free(rooms->idle[--rooms->count]);
    g_mutex_clear(&rooms->lock);
    g_free(rooms);
}

static struct room *take_room(const struct ruleset *ruleset)
{
    struct match_rooms *rooms = ruleset->rooms;
    g_mutex_lock(&rooms->lock);
    struct room *room = rooms->count > 0 ? rooms->idle[--rooms->count] : NULL;
    g_mutex_unlock(&rooms->lock);
    if (room)
        return room;
    room = g_new(struct room, 1);
    *room = (struct room){
        .matcher = matcher_new(ruleset->patterns),
        .text = g_string_sized_new(8192),
        .found = sieve_found_new(),
        .stretches = g_array_new(FALSE, FALSE, sizeof(struct sieve_stretch)),
        .demand = demand_new(ruleset),
        .waiting = g_array_new(FALSE, FALSE, sizeof(struct candidate)),
    };
    room->kept.first = 8192;
    return room;
}

/* Keeps the room for the next message, unless this one made it large. */
static void give_room_back(const struct run *run)
{
    struct match_rooms *rooms = run->ruleset->rooms;
    struct room *room = run->room;
    bool usual = room->text->allocated_len <= ROOM_MAX &&
                 sieve_found_size(room->found) <= ROOM_MAX &&
                 run->most_stretches * sizeof(struct sieve_stretch) <= ROOM_MAX;
    matcher_begin(room->matcher, NULL);
    g_array_set_size(room->stretches, 0);
    g_array_set_size(room->waiting, 0);
    arena_reset(&room->kept, ROOM_MAX);
    g_mutex_lock(&rooms->lock);
    if (usual && rooms->count < ROOMS_MAX) {
        rooms->idle[rooms->count++] = room;
        room = NULL;
    }
    g_mutex_unlock(&rooms->lock);
    if (room)
        room_free(room);
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
    run.matches->found = g_array_sized_new(FALSE, FALSE, sizeof(struct match), MATCHES_USUAL);
    run.matches->exploded = g_ptr_array_new();
    run.matches->untold = g_array_new(FALSE, FALSE, sizeof(unsigned));
    run.matches->texts = g_string_chunk_new(1024);
    run.room = take_room(ruleset);
    matcher_begin(run.room->matcher, &run.work);
    if (!live && !ruleset->options.keep_subrules) {
        run.demand = run.room->demand;
        demand_begin(run.demand, one);
    }
    run_traits(&run);
    run_addresses(&run);
    run_externals(&run);
    for (guint i = 0; i < ruleset->groups->len; i++)
        run_group(&run, ruleset->groups->pdata[i]);
    if (run.demand)
        run_waiting(&run);
    run.matches->spent = run.work.spent;
    run.matches->work = run.work.taken;
    give_room_back(&run);
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
