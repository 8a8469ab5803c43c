/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lists' health. Everything happens when a list is asked or answers; there is no timer. Under
 * the lock, what must not happen there (events, dropping questions, which waits for the resolver's
 * thread) is put into a "todo" that is done after it.
 */
#include "dns/dnsbl_state.h"

#include <string.h>

#include "base/siphash.h"
#include "latency.h"
#include "dnsbl_state_private.h"

struct dnsbl_list {
    struct dnsbl_state *state;
    char *key;        /* kind and zone */
    const char *zone; /* within KEY, lower case */
    enum dnsbl_kind kind;
    enum dnsbl_health health;
    enum dnsbl_reason reason;
    enum dnsbl_test_entry test_entry;
    struct dns_question *invalid; /* the probe that must not be listed; NULL: none under way */
    struct dns_question *test;    /* the one that should */
    int64_t probe_due; /* the next probe; times are us of the monotonic clock, 0: never */
    int64_t probed_at;
    int64_t probe_started;
    int64_t aside_since;
    int64_t well_since; /* when it last recovered */
    int64_t pause;
    int64_t asked_at;
    unsigned failures; /* one after the other */
    uint64_t last_failure;
    uint64_t asked, cached, listed, clean, errors, refused, timeouts, skipped;
    struct histogram times;
    struct latency latency;
};

struct dnsbl_state {
    GMutex lock;
    int64_t (*now)(void); /* us of the monotonic clock */
    GHashTable *lists;
    dnsbl_event_fn event;
    void *data;
};

/* ---- what is done after the lock is given back ---- */

struct todo {
    GPtrArray *questions;
    GArray *events;
};

static void event_clear(void *data)
{
    g_free((char *)((struct dnsbl_event *)data)->text);
}

static void todo_init(struct todo *todo)
{
    todo->questions = g_ptr_array_new();
    todo->events = g_array_new(FALSE, FALSE, sizeof(struct dnsbl_event));
    g_array_set_clear_func(todo->events, event_clear);
}

static void todo_run(struct todo *todo, struct dnsbl_state *state)
{
    for (unsigned i = 0; i < todo->questions->len; i++)
        dns_question_drop(todo->questions->pdata[i]);
    for (unsigned i = 0; i < todo->events->len && state->event; i++)
        state->event(state->data, &g_array_index(todo->events, struct dnsbl_event, i));
    g_ptr_array_unref(todo->questions);
    g_array_unref(todo->events);
}

/* ---- texts ---- */

const char *dnsbl_health_text(enum dnsbl_health health)
{
    static const char *const texts[] = {"untried", "in use", "set aside"};
    return texts[health];
}

const char *dnsbl_reason_text(enum dnsbl_reason reason, enum dnsbl_kind kind)
{
    static const char *const texts[][2] = {
        [DNSBL_FINE] = {"answers as it should", "answers as it should"},
        [DNSBL_TIMED_OUT] = {"no answer in time", "no answer in time"},
        [DNSBL_ERROR] = {"its answer is an error", "its answer is an error"},
        [DNSBL_REFUSES] = {"it refuses to serve us (127.255.255.0/24)",
                           "it refuses to serve us (127.255.255.0/24)"},
        [DNSBL_REWRITTEN] = {"an answer lies outside 127.0.0.0/8: the list is gone or somebody "
                             "rewrites DNS",
                             "an answer lies outside 127.0.0.0/8: the list is gone or somebody "
                             "rewrites DNS"},
        [DNSBL_LISTS_PROBE] = {"it lists 127.0.0.1, so it may list everything",
                               "it lists INVALID, so it may list everything"},
        [DNSBL_SILENT] = {"a run of questions had no answer", "a run of questions had no answer"},
        [DNSBL_NO_TEST_ENTRY] = {"it does not list its test entry 127.0.0.2",
                                 "it does not list its test entry TEST"},
    };
    return texts[reason][kind != DNSBL_ADDRESS];
}

static void add_event(struct todo *todo, const struct dnsbl_list *list, enum dnsbl_reason reason)
{
    struct dnsbl_event event = {list->zone, list->kind, list->health, reason, NULL};
    const char *why = dnsbl_reason_text(reason, list->kind);
    if (list->health == DNSBL_ASIDE)
        event.text = g_strdup_printf("DNS list %s is set aside for %ds: %s", list->zone,
                                     (int)(list->pause / G_TIME_SPAN_SECOND), why);
    else if (reason == DNSBL_FINE)
        event.text = g_strdup_printf("DNS list %s is in use again: %s", list->zone, why);
    else
        event.text = g_strdup_printf("DNS list %s: %s", list->zone, why);
    g_array_append_val(todo->events, event);
}

/* ---- changes of health; all with the lock held ---- */

static void lengthen_pause(struct dnsbl_list *list, int64_t now)
{
    list->pause = MIN(list->pause * 2, DNSBL_PAUSE_MAX);
    list->probe_due = now + list->pause;
}

static void set_aside(struct dnsbl_list *list, enum dnsbl_reason reason, int64_t now,
                      struct todo *todo)
{
    if (list->health == DNSBL_ASIDE)
        return;
    bool relapse = list->well_since > 0 && now - list->well_since < DNSBL_RELAPSE;
    list->pause = relapse ? MIN(list->pause * 2, DNSBL_PAUSE_MAX) : DNSBL_PAUSE_FIRST;
    list->probe_due = now + list->pause;
    list->aside_since = now;
    list->health = DNSBL_ASIDE;
    list->reason = reason;
    add_event(todo, list, reason);
}

static void count_failure(struct dnsbl_list *list, enum dnsbl_reason reason, uint64_t serial,
                          int64_t now, struct todo *todo)
{
    if (reason == DNSBL_TIMED_OUT)
        list->timeouts++;
    else
        list->errors++;
    if (serial == list->last_failure)
        return;
    list->last_failure = serial;
    if (++list->failures >= DNSBL_FAILURES_MAX)
        set_aside(list, DNSBL_SILENT, now, todo);
}

static void probe_unanswered(struct dnsbl_list *list, const struct dns_answer *answer, int64_t now,
                             struct todo *todo)
{
    if (list->health == DNSBL_ASIDE) {
        lengthen_pause(list, now);
        return;
    }
    bool ours = answer->failure == DNS_FAIL_STOPPED || answer->failure == DNS_FAIL_BUSY;
    list->probe_due = ours ? now : now + DNSBL_PROBE_RETRY;
    if (ours)
        return;
    list->health = DNSBL_IN_USE;
    count_failure(list, answer->failure == DNS_FAIL_TIMEOUT ? DNSBL_TIMED_OUT : DNSBL_ERROR,
                  dns_question_serial(list->invalid), now, todo);
}

enum dnsbl_reason dnsbl_judge_code(const struct ipaddr *code)
{
    const uint8_t *b = code->bytes;
    if (code->family != IP_V4 || b[0] != 127)
        return DNSBL_REWRITTEN;
    return b[1] == 255 && b[2] == 255 ? DNSBL_REFUSES : DNSBL_FINE;
}

/* Any answer at all condemns; what it is tells why. */
static enum dnsbl_reason judge_probe(const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        enum dnsbl_reason reason = dnsbl_judge_code(&answer->addresses[i]);
        if (reason != DNSBL_FINE)
            return reason;
    }
    return DNSBL_LISTS_PROBE;
}

static void settle_invalid(struct dnsbl_list *list, int64_t now, struct todo *todo)
{
    const struct dns_answer *answer = list->invalid ? dns_question_answer(list->invalid) : NULL;
    bool aside = list->health == DNSBL_ASIDE;
    if (!answer)
        return;
    /* A probe that was under way when the list was set aside says nothing of whether it is well
     * again: a list may refuse the questions of sessions alone. */
    if (aside && list->probe_started <= list->aside_since) {
        list->probed_at = answer->state == DNS_FAILED ? list->probed_at : now;
    } else if (answer->state == DNS_FAILED) {
        probe_unanswered(list, answer, now, todo);
    } else if (answer->state == DNS_ANSWERED) {
        list->probed_at = now;
        if (aside)
            lengthen_pause(list, now);
        else
            set_aside(list, judge_probe(answer), now, todo);
    } else {
        list->health = DNSBL_IN_USE;
        list->reason = DNSBL_FINE;
        list->failures = 0;
        list->probed_at = now;
        list->probe_due = now + DNSBL_PROBE_AGE;
        if (aside) {
            list->well_since = now;
            add_event(todo, list, DNSBL_FINE);
        }
    }
    g_ptr_array_add(todo->questions, g_steal_pointer(&list->invalid));
}

static void settle(struct dnsbl_list *list, int64_t now, struct todo *todo)
{
    settle_invalid(list, now, todo);
    const struct dns_answer *answer = list->test ? dns_question_answer(list->test) : NULL;
    if (!answer)
        return;
    enum dnsbl_test_entry before = list->test_entry;
    if (answer->state == DNS_ANSWERED) /* a refusal to serve says nothing of the entry */
        list->test_entry =
            judge_probe(answer) == DNSBL_LISTS_PROBE ? DNSBL_TEST_LISTED : DNSBL_TEST_UNKNOWN;
    else if (answer->state != DNS_FAILED)
        list->test_entry = DNSBL_TEST_MISSING;
    if (list->test_entry == DNSBL_TEST_MISSING && before != DNSBL_TEST_MISSING &&
        list->health != DNSBL_ASIDE)
        add_event(todo, list, DNSBL_NO_TEST_ENTRY);
    g_ptr_array_add(todo->questions, g_steal_pointer(&list->test));
}

/* ---- probes ---- */

static void on_probe(void *data)
{
    struct dnsbl_list *list = data;
    struct dnsbl_state *state = list->state;
    struct todo todo;
    todo_init(&todo);
    g_mutex_lock(&state->lock);
    settle(list, state->now(), &todo);
    g_mutex_unlock(&state->lock);
    todo_run(&todo, state);
}

static struct dns_question *ask_probe(struct dnsbl_list *list, struct resolver *resolver,
                                      const char *key)
{
    g_autofree char *name = g_strdup_printf("%s.%s", key, list->zone);
    return resolver_ask_fresh(resolver, name, DNS_A, (struct waker){on_probe, list});
}

static void start_probe(struct dnsbl_list *list, struct resolver *resolver, struct todo *todo)
{
    bool addresses = list->kind == DNSBL_ADDRESS;
    if (list->invalid)
        return;
    list->probe_started = list->state->now();
    list->invalid = ask_probe(list, resolver, addresses ? "1.0.0.127" : "invalid");
    if (!list->test)
        list->test = ask_probe(list, resolver, addresses ? "2.0.0.127" : "test");
    settle(list, list->state->now(), todo); /* a question may fail at once */
}

/* ---- for lookups ---- */

static struct dnsbl_list *find_list(struct dnsbl_state *state, const char *zone,
                                    enum dnsbl_kind kind, bool create)
{
    g_autofree char *lower = g_ascii_strdown(zone, -1);
    g_autofree char *key = g_strdup_printf("%u%s", kind, lower);
    struct dnsbl_list *list = g_hash_table_lookup(state->lists, key);
    if (list || !create || g_hash_table_size(state->lists) >= DNSBL_LISTS_MAX)
        return list;
    list = g_new0(struct dnsbl_list, 1);
    list->state = state;
    list->key = g_steal_pointer(&key);
    list->zone = list->key + 1;
    list->kind = kind;
    g_hash_table_insert(state->lists, list->key, list);
    return list;
}

struct dnsbl_list *list_begin(struct dnsbl_state *state, struct resolver *resolver,
                              const char *zone, enum dnsbl_kind kind, struct waker waker,
                              struct dns_question **probe_r, int64_t *since_r,
                              enum dnsbl_reason *reason_r)
{
    struct todo todo;
    todo_init(&todo);
    *probe_r = NULL;
    g_mutex_lock(&state->lock);
    struct dnsbl_list *list = find_list(state, zone, kind, true);
    *reason_r = list ? DNSBL_FINE : DNSBL_ERROR;
    if (list) {
        int64_t now = state->now();
        settle(list, now, &todo);
        list->asked_at = now;
        if (now >= list->probe_due)
            start_probe(list, resolver, &todo);
        bool aside = list->health == DNSBL_ASIDE;
        *(aside ? &list->skipped : &list->asked) += 1;
        if (aside) {
            *reason_r = list->reason;
            list = NULL;
        }
    }
    if (list && list->invalid)
        *probe_r = dns_question_share(list->invalid, waker);
    *since_r = list ? list->well_since : 0;
    g_mutex_unlock(&state->lock);
    todo_run(&todo, state);
    return list;
}

void list_report(struct dnsbl_list *list, const struct list_report *report)
{
    struct dnsbl_state *state = list->state;
    int64_t now = state->now();
    struct todo todo;
    todo_init(&todo);
    g_mutex_lock(&state->lock);
    if (report->reason == DNSBL_TIMED_OUT || report->reason == DNSBL_ERROR) {
        count_failure(list, report->reason, report->serial, now, &todo);
    } else {
        list->listed += report->listed;
        list->clean += !report->listed && report->reason == DNSBL_FINE;
        list->cached += report->cached;
        if (!report->cached) {
            list->failures = 0;
            latency_add(&list->latency, report->latency_us);
            histogram_add(&list->times, report->latency_us);
        }
    }
    if (report->reason == DNSBL_REFUSES || report->reason == DNSBL_REWRITTEN) {
        list->errors++;
        list->refused += report->reason == DNSBL_REFUSES;
        /* what the cache holds was said before: it tells nothing about now */
        if (!report->cached)
            set_aside(list, report->reason, now, &todo);
    }
    g_mutex_unlock(&state->lock);
    todo_run(&todo, state);
}

enum dnsbl_reason list_verdict(struct dnsbl_list *list)
{
    struct dnsbl_state *state = list->state;
    struct todo todo;
    todo_init(&todo);
    g_mutex_lock(&state->lock);
    settle(list, state->now(), &todo);
    enum dnsbl_reason reason = list->health == DNSBL_ASIDE ? list->reason : DNSBL_FINE;
    g_mutex_unlock(&state->lock);
    todo_run(&todo, state);
    return reason;
}

void dnsbl_state_probe(struct dnsbl_state *state, struct resolver *resolver, const char *zone,
                       enum dnsbl_kind kind)
{
    struct todo todo;
    todo_init(&todo);
    g_mutex_lock(&state->lock);
    struct dnsbl_list *list = find_list(state, zone, kind, true);
    if (list)
        start_probe(list, resolver, &todo);
    g_mutex_unlock(&state->lock);
    todo_run(&todo, state);
}

void dnsbl_state_retry(struct dnsbl_state *state)
{
    GHashTableIter iter;
    void *data;
    g_mutex_lock(&state->lock);
    g_hash_table_iter_init(&iter, state->lists);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        struct dnsbl_list *list = data;
        list->probe_due = 0;
    }
    g_mutex_unlock(&state->lock);
}

/* ---- status ---- */

static int64_t ago(int64_t then, int64_t now)
{
    return then > 0 ? now - then : -1;
}

static struct dnsbl_list_status *describe(const struct dnsbl_list *list, int64_t now)
{
    struct dnsbl_list_status *status = g_new0(struct dnsbl_list_status, 1);
    *status = (struct dnsbl_list_status){
        .zone = g_strdup(list->zone),
        .kind = list->kind,
        .health = list->health,
        .reason = list->reason,
        .test_entry = list->test_entry,
        .probing = list->invalid || list->test,
        .asked_ago = ago(list->asked_at, now),
        .probed_ago = ago(list->probed_at, now),
        .retry_in = list->health == DNSBL_ASIDE ? MAX(list->probe_due - now, 0) : 0,
        .asked = list->asked,
        .cached = list->cached,
        .listed = list->listed,
        .clean = list->clean,
        .errors = list->errors,
        .refused = list->refused,
        .times = list->times,
        .timeouts = list->timeouts,
        .skipped = list->skipped,
        .latency_p50 = latency_percentile(&list->latency, 50),
        .latency_p90 = latency_percentile(&list->latency, 90),
        .latency_p99 = latency_percentile(&list->latency, 99),
    };
    return status;
}

void dnsbl_list_status_free(struct dnsbl_list_status *status)
{
    if (!status)
        return;
    g_free(status->zone);
    g_free(status);
}

static void free_status(void *data)
{
    dnsbl_list_status_free(data);
}

static gint by_zone(gconstpointer a, gconstpointer b)
{
    const struct dnsbl_list_status *left = *(struct dnsbl_list_status *const *)a;
    const struct dnsbl_list_status *right = *(struct dnsbl_list_status *const *)b;
    int order = strcmp(left->zone, right->zone);
    return order ? order : (int)left->kind - (int)right->kind;
}

GPtrArray *dnsbl_state_status(struct dnsbl_state *state)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(free_status);
    int64_t now = state->now();
    GHashTableIter iter;
    void *list;
    g_mutex_lock(&state->lock);
    g_hash_table_iter_init(&iter, state->lists);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        g_ptr_array_add(all, describe(list, now));
    g_mutex_unlock(&state->lock);
    g_ptr_array_sort(all, by_zone);
    return all;
}

struct dnsbl_list_status *dnsbl_state_list(struct dnsbl_state *state, const char *zone,
                                           enum dnsbl_kind kind)
{
    g_mutex_lock(&state->lock);
    struct dnsbl_list *list = find_list(state, zone, kind, false);
    struct dnsbl_list_status *status = list ? describe(list, state->now()) : NULL;
    g_mutex_unlock(&state->lock);
    return status;
}

/* ---- life ---- */

static void list_free(void *data)
{
    struct dnsbl_list *list = data;
    dns_question_drop(list->invalid);
    dns_question_drop(list->test);
    g_free(list->key);
    g_free(list);
}

struct dnsbl_state *dnsbl_state_new(dnsbl_event_fn event, void *data)
{
    struct dnsbl_state *state = g_new0(struct dnsbl_state, 1);
    g_mutex_init(&state->lock);
    state->lists = g_hash_table_new(siphash_string, g_str_equal);
    state->now = g_get_monotonic_time;
    state->event = event;
    state->data = data;
    return state;
}

void state_set_clock(struct dnsbl_state *state, int64_t (*now)(void))
{
    state->now = now;
}

/* Cancels all probes first, without the lock: a wake that is going on takes it. */
static void cancel_probes(struct dnsbl_state *state)
{
    GPtrArray *questions = g_ptr_array_new();
    GHashTableIter iter;
    void *data;
    g_mutex_lock(&state->lock);
    g_hash_table_iter_init(&iter, state->lists);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        struct dnsbl_list *list = data;
        if (list->invalid)
            g_ptr_array_add(questions, g_steal_pointer(&list->invalid));
        if (list->test)
            g_ptr_array_add(questions, g_steal_pointer(&list->test));
    }
    g_mutex_unlock(&state->lock);
    for (unsigned i = 0; i < questions->len; i++)
        dns_question_drop(questions->pdata[i]);
    g_ptr_array_unref(questions);
}

void dnsbl_state_free(struct dnsbl_state *state)
{
    if (!state)
        return;
    cancel_probes(state);
    GHashTableIter iter;
    void *list;
    g_hash_table_iter_init(&iter, state->lists);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        list_free(list);
    g_hash_table_unref(state->lists);
    g_mutex_clear(&state->lock);
    g_free(state);
}
