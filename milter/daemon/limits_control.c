/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl limits, from the daemon's side.
 */
#include "limits_control.h"

#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "checks/limit.h"
#include "control/control.h"
#include "report/json.h"

enum {
    LINES_MAX = 20000, /* of an answer; what is beyond is counted */
    /* Keys that are asked for at a time: of a server, which has a fleet's mail to answer for; of
     * memory, whose locks are held for one. */
    BATCH_SERVER = 32,
    BATCH = 1024,
};

#define NEAR_US_SERVER (5 * G_TIME_SPAN_SECOND)
#define NEAR_US        (30 * G_TIME_SPAN_SECOND)

/* A key of a limit, and what the store says of it. */
struct line {
    const struct limit *limit;
    char *key;
    uint64_t max; /* with overrides, without what was allowed by hand */
    char *entry;  /* of the overrides, which gives it; NULL: none does */
    struct store_answer answer;
};

static int64_t now_ms(void)
{
    return g_get_real_time() / 1000;
}

static const struct site *site_of(const struct limits_control *control)
{
    return &snapshot_main_policy(control->snapshot)->site;
}

static struct store_request request_for(const struct limits_control *control,
                                        const struct limit *limit, const char *store_key)
{
    return (struct store_request){
        .key = store_key,
        .window = limit_window(site_of(control)->limits, limit, now_ms()),
        .networks = limit->count == LIMIT_CLIENTS,
        .network = UINT64_MAX, /* one that nobody comes from */
        .n = 1,
    };
}

static void clear_line(void *data)
{
    struct line *line = data;
    g_free(line->key);
    g_free(line->entry);
}

/* Without an answer so far. */
static void add_line(const struct limits_control *control, const struct limit *limit,
                     const char *key, GArray *lines)
{
    struct line line = {.limit = limit, .key = g_strdup(key)};
    line.max = limit_max(limit, key, site_of(control)->recipient_delimiter, NULL, &line.entry);
    g_array_append_val(lines, line);
}

guint limits_control_batch(const struct limits_control *control)
{
    return store_is_shared(control->store) ? BATCH_SERVER : BATCH;
}

/* Gives LINES their answers. */
static void ask_lines(const struct limits_control *control, GArray *lines)
{
    guint batch = limits_control_batch(control);
    g_autofree struct store_request *requests = g_new(struct store_request, batch);
    g_autofree struct store_answer *answers = g_new(struct store_answer, batch);
    for (guint first = 0, count; first < lines->len; first += count) {
        struct line *some = &g_array_index(lines, struct line, first);
        count = MIN(batch, lines->len - first);
        for (guint i = 0; i < count; i++) {
            char *store_key = limit_store_key(some[i].limit, some[i].key);
            requests[i] = request_for(control, some[i].limit, store_key);
            requests[i].action = STORE_LOOK;
            requests[i].max = some[i].max;
        }
        store_ask_all(control->store, requests, count, answers);
        for (guint i = 0; i < count; i++) {
            some[i].answer = answers[i];
            g_free((char *)requests[i].key);
        }
    }
}

static double share_of(const struct store_answer *answer)
{
    return answer->max == UINT64_MAX ? 0 : (double)answer->used / (double)MAX(answer->max, 1);
}

static int compare_shares(const void *a, const void *b)
{
    const struct line *one = a, *other = b;
    double left = share_of(&one->answer), right = share_of(&other->answer);
    if (left != right)
        return left < right ? 1 : -1;
    return strcmp(one->key, other->key);
}

static int64_t room_in(const struct limits_control *control, const struct line *line,
                       const struct store_answer *answer)
{
    if (answer->wait >= 0)
        return answer->wait / 1000;
    int64_t now = now_ms();
    return (calendar_next(site_of(control)->limits->calendar, line->limit->unit, now) - now) / 1000;
}

static void write_json(const struct limits_control *control, const struct line *line, GString *out)
{
    const struct store_answer *answer = &line->answer;
    json_open(out, NULL, '{');
    json_string(out, "limit", line->limit->name);
    json_string(out, "key", line->key);
    json_integer(out, "used", (gint64)answer->used);
    if (answer->max == UINT64_MAX)
        json_string(out, "max", NULL);
    else
        json_integer(out, "max", (gint64)answer->max);
    json_string(out, "max_from", line->entry);
    json_number(out, "share", share_of(answer), 3);
    json_integer(out, "refused", (gint64)answer->refused);
    json_integer(out, "held", (gint64)answer->held);
    json_integer(out, "refused_at", answer->refused_at / 1000);
    json_string(out, "last_client", answer->client[0] ? answer->client : NULL);
    json_integer(out, "room_in", room_in(control, line, answer));
    json_integer(out, "allowed", (gint64)answer->allowed);
    json_integer(out, "allowed_until", answer->allowed_until / 1000);
    json_close(out, '}');
    g_string_append_c(out, '\n');
}

static void write_text(const struct limits_control *control, const struct line *line, GString *out)
{
    const struct store_answer *answer = &line->answer;
    int64_t wait = room_in(control, line, answer);
    g_autofree char *key = text_escape(line->key);
    g_autofree char *max = answer->max == UINT64_MAX
                               ? g_strdup("unlimited")
                               : g_strdup_printf("%" G_GUINT64_FORMAT, answer->max);
    g_string_append_printf(out, "%s %s: %" G_GUINT64_FORMAT " of %s", line->limit->name, key,
                           answer->used, max);
    if (answer->max != UINT64_MAX)
        g_string_append_printf(out, " (%.0f%%)", 100 * share_of(answer));
    if (line->entry)
        g_string_append_printf(out, ", max from %s", line->entry);
    if (answer->allowed)
        g_string_append_printf(out, ", %" G_GUINT64_FORMAT " of it by hand", answer->allowed);
    if (answer->refused)
        g_string_append_printf(out, ", %" G_GUINT64_FORMAT " refused, the last from %s",
                               answer->refused, answer->client);
    if (answer->held)
        g_string_append_printf(out, ", %" G_GUINT64_FORMAT " held", answer->held);
    if (wait > 0) {
        g_autofree char *later =
            limit_wait_text(site_of(control)->limits, line->limit, answer->wait, now_ms());
        g_string_append_printf(out, ", room in %s", later);
    }
    g_string_append_c(out, '\n');
}

static const struct limit *find_limit(const struct limits_control *control, const char *name,
                                      GString *out)
{
    const struct limit *limit = limit_find(site_of(control)->limits, name);
    if (!limit)
        g_string_append_printf(out, "there is no limit \"%s\"\n", name);
    return limit;
}

static char *join_words(const char *const *words, size_t count)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", words[i]);
    return g_string_free(text, FALSE);
}

/* All keys that the store has of the limit. */
static bool add_keys(const struct limits_control *control, const struct limit *limit, GArray *lines,
                     GString *out)
{
    g_autofree char *why = NULL;
    g_autofree char *prefix = limit_store_key(limit, "");
    g_autoptr(GPtrArray) keys = store_list(control->store, prefix, &why);
    if (!keys) {
        g_string_append_printf(out, "%s\n", why);
        return false;
    }
    for (guint i = 0; i < keys->len; i++)
        add_line(control, limit, (const char *)keys->pdata[i] + strlen(prefix), lines);
    return true;
}

static void free_near(void *data)
{
    struct limit_near *near = data;
    g_free(near->limit);
    g_free(near->key);
    g_free(near);
}

struct limits_near *limits_near_new(void)
{
    struct limits_near *near = g_atomic_rc_box_new0(struct limits_near);
    near->nearest = g_ptr_array_new_with_free_func(free_near);
    near->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return near;
}

struct limits_near *limits_near_ref(struct limits_near *near)
{
    return g_atomic_rc_box_acquire(near);
}

static void clear_nearest(void *data)
{
    struct limits_near *near = data;
    g_ptr_array_unref(near->nearest);
    g_hash_table_unref(near->counts);
}

void limits_near_unref(struct limits_near *near)
{
    g_atomic_rc_box_release_full(near, clear_nearest);
}

guint limits_near_count(const struct limits_near *near, const char *limit)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(near->counts, limit));
}

static gint compare_near(gconstpointer a, gconstpointer b)
{
    const struct limit_near *one = *(const struct limit_near *const *)a;
    const struct limit_near *other = *(const struct limit_near *const *)b;
    return one->share > other->share ? -1 : one->share < other->share;
}

/* Leaves the nearest. */
static void keep_nearest(GPtrArray *nearest)
{
    g_ptr_array_sort(nearest, compare_near);
    if (nearest->len > LIMITS_NEAR_KEPT)
        g_ptr_array_set_size(nearest, LIMITS_NEAR_KEPT);
}

static void add_if_near(const struct limits_control *control, const struct line *line, double share,
                        struct limits_near *found)
{
    const struct store_answer *answer = &line->answer;
    if (share_of(answer) < share)
        return;
    char *name = line->limit->name;
    guint count = limits_near_count(found, name) + 1;
    g_hash_table_replace(found->counts, g_strdup(name), GUINT_TO_POINTER(count));
    struct limit_near *near = g_new0(struct limit_near, 1);
    near->limit = g_strdup(line->limit->name);
    near->key = g_strdup(line->key);
    near->used = answer->used;
    near->max = answer->max;
    near->room_in = room_in(control, line, answer);
    near->share = share_of(answer);
    g_ptr_array_add(found->nearest, near);
    if (found->nearest->len >= 20 * LIMITS_NEAR_KEPT)
        keep_nearest(found->nearest);
}

/* The limit that a key of the store's is of, in its present form; the key itself in *KEY_R, which
 * points into it. */
static const struct limit *limit_of_store_key(const GPtrArray *limits, const char *store_key,
                                              const char **key_r)
{
    for (guint i = 0; i < limits->len; i++) {
        g_autofree char *prefix = limit_store_key(limits->pdata[i], "");
        if (!g_str_has_prefix(store_key, prefix))
            continue;
        *key_r = store_key + strlen(prefix);
        return limits->pdata[i];
    }
    return NULL;
}

/* One walk through the store for all limits; then a few keys at a time are asked for, with a pause
 * as long as their answers took, and only for so long: the store has mail to answer for. */
struct limits_near *limits_control_near(const struct limits_control *control, double share)
{
    struct limits_near *found = limits_near_new();
    const GPtrArray *limits = site_of(control)->limits->limits;
    bool shared = store_is_shared(control->store);
    guint batch = limits_control_batch(control);
    gint never = 0, *stop = control->stop ? control->stop : &never;
    g_autofree char *why = NULL;
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(struct line));
    g_array_set_clear_func(lines, clear_line);
    bool told = true; /* the store itself has answered for each key */
    found->complete = limits->len == 0;
    g_autoptr(GPtrArray) keys =
        limits->len > 0 ? store_list(control->store, limit_key_prefix, &why) : NULL;
    gint64 end = g_get_monotonic_time() + (shared ? NEAR_US_SERVER : NEAR_US);
    for (guint k = 0; keys && g_get_monotonic_time() < end && !g_atomic_int_get(stop);) {
        gint64 asked = g_get_monotonic_time();
        for (; lines->len < batch && k < keys->len; k++) {
            const char *key;
            const struct limit *limit = limit_of_store_key(limits, keys->pdata[k], &key);
            if (limit)
                add_line(control, limit, key, lines);
        }
        ask_lines(control, lines);
        for (guint n = 0; n < lines->len; n++) {
            const struct line *line = &g_array_index(lines, struct line, n);
            told &= !line->answer.own;
            add_if_near(control, line, share, found);
        }
        found->complete = told && k >= keys->len;
        if (k >= keys->len)
            break;
        g_array_set_size(lines, 0);
        g_usleep((gulong)(g_get_monotonic_time() - asked));
    }
    keep_nearest(found->nearest);
    return found;
}

static int list(const struct limits_control *control, const char *const *words, GString *out)
{
    bool json = false, found = false;
    double near = -1;
    for (; words[0] && words[0][0] == '-'; words++) {
        if (strcmp(words[0], "--json") == 0)
            json = true;
        else if (strcmp(words[0], "--near") == 0 && words[1])
            near = g_ascii_strtod((++words)[0], NULL) / 100;
    }
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(struct line));
    g_array_set_clear_func(lines, clear_line);
    const GPtrArray *limits = site_of(control)->limits->limits;
    const struct limit *only = words[0] ? find_limit(control, words[0], out) : NULL;
    if (words[0] && !only)
        return EX_USAGE;
    if (only && words[1]) {
        g_autofree char *key = join_words(words + 1, g_strv_length((char **)words + 1));
        add_line(control, only, key, lines);
    } else {
        for (guint i = 0; i < limits->len; i++)
            if ((!only || limits->pdata[i] == only) &&
                !add_keys(control, limits->pdata[i], lines, out))
                return EX_UNAVAILABLE;
    }
    ask_lines(control, lines);
    g_array_sort(lines, compare_shares);
    guint shown = 0;
    for (guint i = 0; i < lines->len; i++) {
        const struct line *line = &g_array_index(lines, struct line, i);
        if (near >= 0 && share_of(&line->answer) < near)
            continue;
        found = true;
        if (++shown > LINES_MAX)
            continue;
        (json ? write_json : write_text)(control, line, out);
    }
    if (shown > LINES_MAX && !json)
        g_string_append_printf(out, "and %u more\n", shown - LINES_MAX);
    return near >= 0 && found ? 1 : EX_OK;
}

static int change(const struct limits_control *control, const char *const *words,
                  enum store_action action, GString *out)
{
    size_t count = g_strv_length((char **)words), behind = action == STORE_ALLOW ? 2 : 0;
    uint64_t n = 0;
    int64_t until = 0;
    struct store_answer answer;
    if (count < 2 + behind) {
        g_string_append(out, action == STORE_ALLOW ? "usage: limits allow LIMIT KEY N TIME\n"
                                                   : "usage: limits reset LIMIT KEY\n");
        return EX_USAGE;
    }
    const struct limit *limit = find_limit(control, words[0], out);
    if (!limit)
        return EX_USAGE;
    if (action == STORE_ALLOW) {
        int64_t time = settings_read_time(words[count - 1]);
        if (!limit_read_max(limit, words[count - 2], &n) || n == UINT64_MAX || n == 0 ||
            time <= 0) {
            g_string_append(out, "usage: limits allow LIMIT KEY N TIME (as in 100 2h)\n");
            return EX_USAGE;
        }
        until = now_ms() + time / 1000;
    }
    g_autofree char *key = join_words(words + 1, count - 1 - behind);
    g_autofree char *store_key = limit_store_key(limit, key);
    struct store_request request = request_for(control, limit, store_key);
    request.action = action;
    request.max = limit_max(limit, key, site_of(control)->recipient_delimiter, NULL, NULL);
    if (action == STORE_ALLOW) {
        request.n = n;
        request.until = until;
    }
    store_ask_now(control->store, &request, &answer);
    if (answer.own) {
        g_string_append(out, "the store is away: nothing was changed there\n");
        return EX_UNAVAILABLE;
    }
    g_autofree char *who = control_peer();
    if (action == STORE_RESET) {
        log_info(control->log, "limit %s: %s was reset by %s; %" G_GUINT64_FORMAT " were used",
                 limit->name, key, who, answer.used);
        g_string_append_printf(out, "%s %s: reset; %" G_GUINT64_FORMAT " were used\n", limit->name,
                               key, answer.used);
    } else {
        log_info(control->log, "limit %s: %s may send %" G_GUINT64_FORMAT " more for %s, says %s",
                 limit->name, key, n, words[count - 1], who);
        g_string_append_printf(out, "%s %s: %" G_GUINT64_FORMAT " more for %s\n", limit->name, key,
                               n, words[count - 1]);
    }
    return EX_OK;
}

/* --- release --- */

/* A message on hold, and one limit that it was over. */
struct held {
    char *store_key; /* of the note of it */
    char *queue_id;
    const struct limit *limit; /* NULL: there is no such limit any more */
    uint64_t n;
    char *key;
    int64_t since; /* the earliest note of the message */
    uint32_t slot;
    bool counted;
};

static void clear_held(void *data)
{
    struct held *held = data;
    g_free(held->store_key);
    g_free(held->queue_id);
    g_free(held->key);
}

/* The oldest first; those of one message together. */
static int compare_held(const void *a, const void *b)
{
    const struct held *left = a, *right = b;
    if (left->since != right->since)
        return left->since < right->since ? -1 : 1;
    return strcmp(left->queue_id, right->queue_id);
}

static GArray *held_messages(const struct limits_control *control, const GPtrArray *keys)
{
    g_autoptr(GHashTable) since =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free); /* by queue id */
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct held));
    g_array_set_clear_func(list, clear_held);
    for (guint i = 0; i < keys->len; i++) {
        g_auto(GStrv) parts = g_strsplit((const char *)keys->pdata[i] + strlen(LIMIT_HELD), "|", 4);
        struct store_answer answer;
        const struct store_request see = {.action = STORE_SEE, .key = keys->pdata[i]};
        if (g_strv_length(parts) != 4)
            continue;
        store_ask_now(control->store, &see, &answer);
        struct held held = {.store_key = g_strdup(keys->pdata[i]),
                            .queue_id = g_strdup(parts[0]),
                            .limit = limit_find(site_of(control)->limits, parts[1]),
                            .n = g_ascii_strtoull(parts[2], NULL, 10),
                            .key = g_strdup(parts[3]),
                            .since = answer.first};
        const int64_t *before = g_hash_table_lookup(since, held.queue_id);
        if (!before || *before > held.since)
            g_hash_table_insert(since, held.queue_id, g_memdup2(&held.since, sizeof held.since));
        g_array_append_val(list, held);
    }
    for (guint i = 0; i < list->len; i++) {
        struct held *held = &g_array_index(list, struct held, i);
        held->since = *(const int64_t *)g_hash_table_lookup(since, held->queue_id);
    }
    g_array_sort(list, compare_held);
    return list;
}

static void carry_out(const struct limits_control *control, struct held *held,
                      enum store_action action, struct store_answer *answer_r)
{
    g_autofree char *store_key = limit_store_key(held->limit, held->key);
    struct store_request request = request_for(control, held->limit, store_key);
    request.action = action;
    request.n = held->n;
    request.slot = held->slot;
    request.max =
        limit_max(held->limit, held->key, site_of(control)->recipient_delimiter, NULL, NULL);
    store_ask_now(control->store, &request, answer_r);
}

/* Whether the message from FIRST to LAST fits into all its limits; then it is counted there, as
 * its release is not seen again. */
static bool fits(const struct limits_control *control, GArray *list, guint first, guint last)
{
    struct store_answer answer;
    bool all = true;
    for (guint i = first; i <= last && all; i++) {
        struct held *held = &g_array_index(list, struct held, i);
        if (!held->limit || held->limit->count == LIMIT_CLIENTS)
            continue;
        carry_out(control, held, STORE_ADD, &answer);
        all = held->counted = answer.admitted;
        held->slot = answer.slot;
    }
    for (guint i = first; i <= last && !all; i++) {
        struct held *held = &g_array_index(list, struct held, i);
        if (held->counted)
            carry_out(control, held, STORE_TAKE_BACK, &answer);
    }
    return all;
}

static int release(const struct limits_control *control, GString *out)
{
    g_autofree char *why = NULL, *who = control_peer();
    g_autoptr(GPtrArray) keys = store_list(control->store, LIMIT_HELD, &why);
    if (!keys) {
        g_string_append_printf(out, "%s\n", why);
        return EX_UNAVAILABLE;
    }
    g_autoptr(GArray) list = held_messages(control, keys);
    for (guint first = 0, last; first < list->len; first = last + 1) {
        const char *queue_id = g_array_index(list, struct held, first).queue_id;
        for (last = first; last + 1 < list->len; last++)
            if (strcmp(g_array_index(list, struct held, last + 1).queue_id, queue_id) != 0)
                break;
        if (!fits(control, list, first, last))
            continue;
        for (guint i = first; i <= last; i++) {
            struct store_answer answer;
            const struct store_request forget = {
                .action = STORE_FORGET, .key = g_array_index(list, struct held, i).store_key};
            store_ask_now(control->store, &forget, &answer);
        }
        g_string_append_printf(out, "%s\n", queue_id);
        log_info(control->log, "queue_id=%s fits into its limits again: released by %s", queue_id,
                 who);
    }
    return EX_OK;
}

int limits_control_run(const struct limits_control *control, const char *const *words, GString *out)
{
    if (words[0] && strcmp(words[0], "reset") == 0)
        return change(control, words + 1, STORE_RESET, out);
    if (words[0] && strcmp(words[0], "allow") == 0)
        return change(control, words + 1, STORE_ALLOW, out);
    if (words[0] && strcmp(words[0], "release") == 0 && !words[1])
        return release(control, out);
    return list(control, words, out);
}
