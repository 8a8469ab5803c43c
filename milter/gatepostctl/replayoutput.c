/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting and showing what a replay found.
 */
#include "replayoutput.h"

#include <string.h>

#include "base/text.h"
#include "report/json.h"

/* Examples that a group shows; columns of a line, and where the text of an example begins. */
enum { EXAMPLES = 3, COLUMNS = 80, EXAMPLE_INDENT = 12 };

struct example {
    int64_t id, when;
    char *client, *sender, *recipient, *queue_id, *session, *reply;
};

struct group {
    struct replay_side before, after; /* their checks are interned */
    bool unseen;
    uint64_t count;
    GPtrArray *examples; /* of struct example *, by time */
};

struct replay_report {
    const char *check;
    uint64_t same, changed, unjudged;
    GHashTable *groups;  /* key -> struct group * */
    GHashTable *reasons; /* static text -> uint64_t * */
};

static void example_free(void *data)
{
    struct example *example = data;
    char *const texts[] = {example->client,   example->sender,  example->recipient,
                           example->queue_id, example->session, example->reply};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(example);
}

static void group_free(void *data)
{
    struct group *group = data;
    g_ptr_array_unref(group->examples);
    g_free(group);
}

struct replay_report *replay_report_new(const char *check)
{
    struct replay_report *report = g_new0(struct replay_report, 1);
    report->check = check;
    report->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, group_free);
    report->reasons = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    return report;
}

void replay_report_free(struct replay_report *report)
{
    if (!report)
        return;
    g_hash_table_unref(report->groups);
    g_hash_table_unref(report->reasons);
    g_free(report);
}

uint64_t replay_report_changes(const struct replay_report *report)
{
    return report->changed;
}

static void add_reason(struct replay_report *report, const char *reason, uint64_t count)
{
    uint64_t *number = g_hash_table_lookup(report->reasons, reason);
    if (!number) {
        number = g_new0(uint64_t, 1);
        g_hash_table_insert(report->reasons, (void *)(uintptr_t)reason, number);
    }
    *number += count;
    report->unjudged += count;
}

void replay_report_unjudged(struct replay_report *report, const char *reason)
{
    add_reason(report, reason, 1);
}

void replay_report_broken(struct replay_report *report, uint64_t count)
{
    if (count > 0)
        add_reason(report, "the row is broken", count);
}

static char *side_text(const struct replay_side *side)
{
    return g_strdup_printf("%s%s%s%s", action_word(side->action), side->tagged ? ", tagged" : "",
                           side->check ? " by " : "", side->check ? side->check : "");
}

static char *group_key(const struct replay_side *before, const struct replay_side *after,
                       bool unseen)
{
    g_autofree char *left = side_text(before), *right = side_text(after);
    return g_strdup_printf("%s > %s%s", left, right, unseen ? " ?" : "");
}

static struct group *group_of(struct replay_report *report, const struct replay_side *before,
                              const struct replay_side *after, bool unseen)
{
    g_autofree char *key = group_key(before, after, unseen);
    struct group *group = g_hash_table_lookup(report->groups, key);
    if (group)
        return group;
    group = g_new0(struct group, 1);
    group->before = *before;
    group->after = *after;
    group->before.check = g_intern_string(before->check);
    group->after.check = g_intern_string(after->check);
    group->unseen = unseen;
    group->examples = g_ptr_array_new_with_free_func(example_free);
    g_hash_table_insert(report->groups, g_steal_pointer(&key), group);
    return group;
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    const struct example *left = *(struct example *const *)a, *right = *(struct example *const *)b;
    if (left->when != right->when)
        return left->when < right->when ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Keeps the first ones alone. */
static void add_example(struct group *group, struct example *example)
{
    g_ptr_array_add(group->examples, example);
    g_ptr_array_sort(group->examples, by_time);
    if (group->examples->len > EXAMPLES)
        g_ptr_array_set_size(group->examples, EXAMPLES);
}

static struct example *example_of(const struct history_row *row,
                                  const struct replay_outcome *outcome)
{
    struct example *example = g_new0(struct example, 1);
    const GArray *recipients = row->recipients;
    const char *recipient = outcome->recipient;
    if (!recipient && recipients && recipients->len > 0)
        recipient =
            g_array_index(recipients, struct history_recipient, recipients->len - 1).address;
    example->id = row->id;
    example->when = row->when;
    example->client = g_strdup(row->client);
    example->sender = g_strdup(row->sender);
    example->recipient = g_strdup(recipient);
    example->queue_id = g_strdup(row->queue_id);
    example->session = g_strdup(row->session);
    example->reply = g_strdup(outcome->reply);
    return example;
}

static bool concerns(const struct replay_report *report, const struct replay_outcome *outcome)
{
    return !report->check || outcome->judgement == REPLAY_UNJUDGED ||
           g_strcmp0(outcome->before.check, report->check) == 0 ||
           g_strcmp0(outcome->after.check, report->check) == 0;
}

void replay_report_add(struct replay_report *report, const struct history_row *row,
                       const struct replay_outcome *outcome)
{
    if (!concerns(report, outcome))
        return;
    if (outcome->judgement == REPLAY_SAME) {
        report->same++;
        return;
    }
    if (outcome->judgement == REPLAY_UNJUDGED) {
        add_reason(report, outcome->reason, 1);
        return;
    }
    struct group *group = group_of(report, &outcome->before, &outcome->after, outcome->unseen);
    report->changed++;
    group->count++;
    const struct example *last =
        group->examples->len == EXAMPLES ? group->examples->pdata[EXAMPLES - 1] : NULL;
    if (!last || row->when < last->when)
        add_example(group, example_of(row, outcome));
}

void replay_report_merge(struct replay_report *into, const struct replay_report *from)
{
    GHashTableIter iter;
    void *key, *value;
    into->same += from->same;
    into->changed += from->changed;
    g_hash_table_iter_init(&iter, from->reasons);
    while (g_hash_table_iter_next(&iter, &key, &value))
        add_reason(into, key, *(uint64_t *)value);
    g_hash_table_iter_init(&iter, from->groups);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        struct group *other = value;
        struct group *group = group_of(into, &other->before, &other->after, other->unseen);
        group->count += other->count;
        while (other->examples->len > 0)
            add_example(group, g_ptr_array_steal_index(other->examples, 0));
    }
}

static gint by_count(gconstpointer a, gconstpointer b)
{
    const struct group *left = *(struct group *const *)a, *right = *(struct group *const *)b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    g_autofree char *first = group_key(&left->before, &left->after, left->unseen);
    g_autofree char *second = group_key(&right->before, &right->after, right->unseen);
    return strcmp(first, second);
}

/* To be unref'd. */
static GPtrArray *sorted_groups(const struct replay_report *report)
{
    GPtrArray *groups = g_ptr_array_new();
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, report->groups);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(groups, value);
    g_ptr_array_sort(groups, by_count);
    return groups;
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_reasons(const struct replay_report *report)
{
    GPtrArray *reasons = g_ptr_array_new();
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, report->reasons);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(reasons, key);
    g_ptr_array_sort(reasons, by_text);
    return reasons;
}

/* ---- text ---- */

static void print_example(const struct example *example, FILE *stream)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(example->when / G_USEC_PER_SEC);
    g_autofree char *date =
        time && example->when ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("-");
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_printf(out, "%*s", EXAMPLE_INDENT, "");
    g_autofree char *what =
        g_strdup_printf("%s %s, %s %s", date, example->client ? example->client : "-",
                        example->queue_id ? "queue id" : "session",
                        example->queue_id  ? example->queue_id
                        : example->session ? example->session
                                           : "-");
    text_wrap(out, what, EXAMPLE_INDENT + 2, COLUMNS);
    g_autofree char *whom = g_strdup_printf("<%s> to <%s>", example->sender ? example->sender : "",
                                            example->recipient ? example->recipient : "");
    g_string_append_printf(out, "%*s", EXAMPLE_INDENT + 2, "");
    text_wrap(out, whom, EXAMPLE_INDENT + 2, COLUMNS);
    if (example->reply) {
        g_string_append_printf(out, "%*s", EXAMPLE_INDENT + 2, "");
        text_wrap(out, example->reply, EXAMPLE_INDENT + 2, COLUMNS);
    }
    fputs(out->str, stream);
}

void replay_report_text(const struct replay_report *report, FILE *stream)
{
    g_autoptr(GPtrArray) groups = sorted_groups(report), reasons = sorted_reasons(report);
    fprintf(stream,
            "%" G_GUINT64_FORMAT " decisions: %" G_GUINT64_FORMAT
            " as they were, %" G_GUINT64_FORMAT " others, %" G_GUINT64_FORMAT
            " cannot be judged again\n",
            report->same + report->changed + report->unjudged, report->same, report->changed,
            report->unjudged);
    for (guint i = 0; i < groups->len; i++) {
        const struct group *group = groups->pdata[i];
        g_autofree char *before = side_text(&group->before), *after = side_text(&group->after);
        g_autoptr(GString) out = g_string_new(NULL);
        g_autofree char *what =
            g_strdup_printf("%s -> %s%s", before, after,
                            group->unseen ? " at RCPT; the message was never seen" : "");
        g_string_printf(out, "%10" G_GUINT64_FORMAT "  ", group->count);
        text_wrap(out, what, EXAMPLE_INDENT, COLUMNS);
        fputs(out->str, stream);
        for (guint k = 0; k < group->examples->len; k++)
            print_example(group->examples->pdata[k], stream);
    }
    if (reasons->len > 0)
        fputs("cannot be judged again:\n", stream);
    for (guint i = 0; i < reasons->len; i++)
        fprintf(stream, "%10" G_GUINT64_FORMAT "  %s\n",
                *(uint64_t *)g_hash_table_lookup(report->reasons, reasons->pdata[i]),
                (const char *)reasons->pdata[i]);
}

/* ---- JSON ---- */

static void put_side(GString *out, const char *key, const struct replay_side *side)
{
    json_open(out, key, '{');
    json_string(out, "action", action_word(side->action));
    json_string(out, "check", side->check);
    json_bool(out, "tagged", side->tagged);
    json_close(out, '}');
}

static void put_example(GString *out, const struct example *example)
{
    json_open(out, NULL, '{');
    if (example->when)
        json_time(out, "ts", example->when);
    else
        json_string(out, "ts", NULL);
    json_integer(out, "id", example->id);
    json_string(out, "client", example->client);
    json_string(out, "from", example->sender);
    json_string(out, "to", example->recipient);
    json_string(out, "queue_id", example->queue_id);
    json_string(out, "session", example->session);
    json_string(out, "reply", example->reply);
    json_close(out, '}');
}

void replay_report_json(const struct replay_report *report, FILE *stream)
{
    g_autoptr(GPtrArray) groups = sorted_groups(report), reasons = sorted_reasons(report);
    g_autoptr(GString) out = g_string_new(NULL);
    json_open(out, NULL, '{');
    json_integer(out, "decisions", (gint64)(report->same + report->changed + report->unjudged));
    json_integer(out, "same", (gint64)report->same);
    json_integer(out, "changed", (gint64)report->changed);
    json_integer(out, "unjudged", (gint64)report->unjudged);
    json_open(out, "changes", '[');
    for (guint i = 0; i < groups->len; i++) {
        const struct group *group = groups->pdata[i];
        json_open(out, NULL, '{');
        json_integer(out, "count", (gint64)group->count);
        put_side(out, "old", &group->before);
        put_side(out, "new", &group->after);
        json_bool(out, "unseen", group->unseen);
        json_open(out, "examples", '[');
        for (guint k = 0; k < group->examples->len; k++)
            put_example(out, group->examples->pdata[k]);
        json_close(out, ']');
        json_close(out, '}');
    }
    json_close(out, ']');
    json_open(out, "reasons", '{');
    for (guint i = 0; i < reasons->len; i++)
        json_integer(out, reasons->pdata[i],
                     (gint64) *
                         (uint64_t *)g_hash_table_lookup(report->reasons, reasons->pdata[i]));
    json_close(out, '}');
    json_close(out, '}');
    fprintf(stream, "%s\n", out->str);
}
