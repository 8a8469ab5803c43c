/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Redis or Valkey server. One thread owns the connection (hiredis locks nothing) and sends what
 * sessions ask, as it comes; answers come in the same order.
 *
 * The server is up, or away. While it is away nobody waits: the records of this process judge,
 * which every answer has kept near to what the server knows, and what they count is owed: it is
 * added when the server is back. An answer that comes too late is still read: what it says of a
 * count is set right then. Of a count whose answer never comes nobody knows whether it was made: if
 * the server was silent it is taken as made (it lies in the server's buffers), if the connection
 * broke as not.
 */
#include <errno.h>
#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/siphash.h"
#include "redis_info.h"
#include "redis_scripts.h"
#include "redis_tls.h"
#include "store_private.h"

enum {
    LATE_MAX = 3,      /* time-outs in a row after which nobody waits */
    PROBE_MS = 1000,   /* between two probes of a server that is away */
    SILENCE_MS = 5000, /* after which a silent connection is given up */
    LIST_SECONDS = 10, /* that store_list waits at most; and for each part of the answer: */
    LIST_PART_SECONDS = 1,
    OWED_MAX = 100000, /* keys of which counts are owed; those of others are lost, and told of */
};

/* What is on its way to the server. */
struct sent {
    struct redis_store *store;
    struct store_ticket *ticket; /* its reference is ours */
    GList *link;                 /* in the queue of those that have a deadline; NULL: it passed */
    gint64 deadline;
    bool is_owed;  /* nobody waits for it: a count that was made while the server was away */
    bool own_said; /* late: it was counted in the server's place */
    bool by_text;  /* the script was sent as a whole */
};

/* A walk over all keys; in a queue of its own. */
struct listing {
    GMutex lock;
    GCond done_cond;
    gatomicrefcount references;
    char *pattern;
    size_t prefix_length;
    GPtrArray *keys; /* NULL once nobody wants them any more */
    char *why;       /* owned; NULL: none */
    unsigned parts;  /* of the answer that have come */
    bool done;
};

struct redis_store {
    struct store store;
    struct store_redis_options options; /* its texts are our own */
    struct store_log log;
    char *counter_digest, *mark_digest;

    /* shared */
    GMutex lock;
    int pipe[2];
    bool pipe_full;
    bool stop;
    gint up;          /* atomic: whether requests are sent */
    GQueue asks;      /* of struct store_ticket * */
    GQueue listings;  /* of struct listing * */
    GHashTable *owed; /* date, network and key -> struct store_request *: COUNT, with its key */
    unsigned unowed;  /* counts that were too many to be owed */
    char *fault;
    bool server_said; /* the server itself has said why it is of no use */
    gint64 since;
    char *place;
    _Atomic uint64_t late, failed;

    /* of the thread */
    redisAsyncContext *connection; /* NULL: none */
    struct redis_tls *tls;         /* of the last connection; NULL: it has none */
    bool reads, writes;
    bool greeted; /* the server is ours: master, version, password */
    guint host;
    guint hosts_tried;
    GQueue waiting; /* of struct sent *, by deadline */
    unsigned late_in_a_row;
    gint64 late_at;  /* when the last of them was counted */
    gint64 next_try; /* to connect, or to probe */
    gint64 probed;   /* when the probe that has no answer left; 0: there is none */
    bool giving_up;  /* the connection is closed because it is silent */
    bool warned_of_eviction;
};

static struct redis_store *redis_of(struct store *store)
{
    return (struct redis_store *)store;
}

/* --- what this process judges by itself --- */

/* With the lock held. */
static void owe(struct redis_store *store, const struct store_request *request, bool less)
{
    g_autofree char *key =
        request->networks ? g_strdup_printf("%u %" G_GUINT64_FORMAT " %s", request->window.date,
                                            request->network, request->key)
                          : g_strdup_printf("%u - %s", request->window.date, request->key);
    struct store_request *owed = g_hash_table_lookup(store->owed, key);
    if (less) {
        if (owed)
            owed->n -= MIN(owed->n, request->n);
        return;
    }
    if (owed) {
        owed->n += request->n;
        return;
    }
    if (g_hash_table_size(store->owed) >= OWED_MAX) {
        store->unowed++;
        return;
    }
    owed = g_new(struct store_request, 1);
    *owed = *request;
    owed->action = STORE_COUNT;
    owed->key = g_strdup(request->key);
    owed->client = NULL;
    g_hash_table_insert(store->owed, g_steal_pointer(&key), owed);
}

static void free_owed(void *data)
{
    struct store_request *owed = data;
    g_free((char *)owed->key);
    g_free(owed);
}

/* COUNTED: whether the server may have counted it, or taken it back, too. Returns whether it was
 * counted here, for somebody who still wants it. */
static bool judge(struct redis_store *store, struct store_ticket *ticket, bool counted)
{
    const struct store_request *request = &ticket->request;
    struct store_answer answer;
    records_apply(store->store.records, request, &answer);
    answer.own = true;
    bool counts =
        answer.admitted && (request->action == STORE_ADD || request->action == STORE_COUNT);
    g_mutex_lock(&store->lock);
    if (counts && !counted)
        owe(store, request, false);
    if (request->action == STORE_TAKE_BACK && !counted && !request->networks)
        owe(store, request, true);
    g_mutex_unlock(&store->lock);
    bool unwanted = store_ticket_settle(ticket, &answer);
    if (unwanted && counts) {
        struct store_request back = *request;
        back.action = STORE_TAKE_BACK;
        back.slot = answer.slot;
        records_apply(store->store.records, &back, &answer);
        g_mutex_lock(&store->lock);
        if (!counted)
            owe(store, &back, true);
        g_mutex_unlock(&store->lock);
    }
    return counts && !unwanted;
}

static void rouse(struct redis_store *store)
{
    if (store->pipe_full)
        return;
    store->pipe_full = true;
    while (write(store->pipe[1], "", 1) < 0 && errno == EINTR)
        continue;
}

static void ask_redis(struct store *base, struct store_ticket *ticket)
{
    struct redis_store *store = redis_of(base);
    if (!g_atomic_int_get(&store->up)) {
        judge(store, ticket, false);
        return;
    }
    g_mutex_lock(&store->lock);
    g_queue_push_tail(&store->asks, store_ticket_ref(ticket));
    rouse(store);
    g_mutex_unlock(&store->lock);
}

/* --- up and away --- */

static void tell(struct redis_store *store, bool warn, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void tell(struct redis_store *store, bool warn, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    (warn ? store->log.warn : store->log.tell)(store->log.data, text);
}

/* Says so once, for the first reason; and once more when behind a lost connection there is a server
 * that says why not. */
static void go_away_for(struct redis_store *store, const char *why, bool server_says)
{
    g_mutex_lock(&store->lock);
    bool was_up = g_atomic_int_get(&store->up);
    bool is_new = !store->fault || (server_says && !store->server_said);
    store->server_said |= server_says;
    g_atomic_int_set(&store->up, 0);
    if (was_up || is_new)
        store->since = g_get_real_time() / 1000;
    g_free(store->fault);
    store->fault = g_strdup(why);
    g_mutex_unlock(&store->lock);
    if (is_new)
        tell(store, true,
             "state: %s: %s; limits are counted by each daemon by itself, greylisting passes, "
             "until it is back",
             store->place, why);
}

static void go_away(struct redis_store *store, const char *why)
{
    go_away_for(store, why, false);
}

static void send_request(struct redis_store *store, struct store_ticket *ticket, bool is_owed);

/* Sends the counts that the server is owed; returns of how many keys. */
static unsigned send_owed(struct redis_store *store)
{
    g_mutex_lock(&store->lock);
    unsigned count = g_hash_table_size(store->owed);
    GHashTable *owed = store->owed;
    if (count > 0)
        store->owed = g_hash_table_new_full(siphash_string, g_str_equal, g_free, free_owed);
    g_mutex_unlock(&store->lock);
    if (count == 0)
        return 0;
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, owed);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct store_request *request = value;
        if (request->n == 0)
            continue;
        struct store_ticket *ticket = g_new0(struct store_ticket, 1);
        g_atomic_ref_count_init(&ticket->references);
        ticket->store = &store->store;
        ticket->request = *request;
        ticket->request.key = g_strdup(request->key);
        send_request(store, ticket, true);
    }
    g_hash_table_unref(owed);
    return count;
}

/* What was counted meanwhile comes first. */
static void come_back(struct redis_store *store)
{
    g_mutex_lock(&store->lock);
    bool was_away = store->fault != NULL;
    unsigned unowed = store->unowed;
    store->unowed = 0;
    g_clear_pointer(&store->fault, g_free);
    store->server_said = false;
    store->since = g_get_real_time() / 1000;
    g_mutex_unlock(&store->lock);
    unsigned count = send_owed(store);
    store->late_in_a_row = 0;
    store->hosts_tried = 0;
    g_atomic_int_set(&store->up, 1);
    if (was_away)
        tell(store, false, "state: %s is back; the counts of %u keys were added", store->place,
             count);
    if (unowed > 0)
        tell(store, true,
             "state: %u counts were lost while %s was away: they were of more than %d keys", unowed,
             store->place, OWED_MAX);
}

/* --- requests and their answers --- */

static void sent_free(struct sent *sent)
{
    if (sent->link)
        g_queue_delete_link(&sent->store->waiting, sent->link);
    store_ticket_unref(sent->ticket);
    g_free(sent);
}

/* The server's words become ours: counters are kept near, so that they serve while it is away. */
static void learn(struct redis_store *store, const struct store_request *request,
                  const struct store_answer *answer)
{
    struct store_answer ignored;
    struct store_request copy = *request;
    switch (request->action) {
    case STORE_ADD:
    case STORE_COUNT:
        if (request->networks && answer->admitted) {
            copy.action = STORE_COUNT;
            records_apply(store->store.records, &copy, &ignored);
        }
        if (!request->networks)
            records_align(store->store.records, request, answer->used);
        break;
    case STORE_LOOK:
        if (!request->networks)
            records_align(store->store.records, request, answer->used);
        break;
    case STORE_TAKE_BACK:
    case STORE_RESET:
        records_apply(store->store.records, request, &ignored);
        break;
    default:
        break;
    }
}

static int64_t number_of(const redisReply *reply, size_t index)
{
    if (index >= reply->elements)
        return 0;
    const redisReply *element = reply->element[index];
    if (element->type == REDIS_REPLY_INTEGER)
        return element->integer;
    return element->type == REDIS_REPLY_STRING ? g_ascii_strtoll(element->str, NULL, 10) : 0;
}

static bool is_of_marks(enum store_action action)
{
    return action >= STORE_SEE;
}

static bool read_answer(const struct store_request *request, const redisReply *reply,
                        struct store_answer *answer_r)
{
    *answer_r = (struct store_answer){0};
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 5)
        return false;
    if (is_of_marks(request->action)) {
        answer_r->mark = (enum store_mark)CLAMP(number_of(reply, 0), 0, STORE_MARK_PASSED);
        answer_r->first = number_of(reply, 1);
        answer_r->last = number_of(reply, 2);
        answer_r->hits = (uint64_t)number_of(reply, 3);
        answer_r->age = number_of(reply, 4);
        return true;
    }
    if (reply->elements < 10)
        return false;
    answer_r->admitted = number_of(reply, 0) == 1;
    answer_r->used = (uint64_t)number_of(reply, 1);
    answer_r->slot = (uint32_t)number_of(reply, 2);
    answer_r->wait = number_of(reply, 3);
    answer_r->allowed = (uint64_t)number_of(reply, 4);
    answer_r->allowed_until = number_of(reply, 5);
    answer_r->refused = (uint64_t)number_of(reply, 6);
    answer_r->held = (uint64_t)number_of(reply, 7);
    answer_r->refused_at = number_of(reply, 8);
    answer_r->max = request->max > UINT64_MAX - answer_r->allowed
                        ? UINT64_MAX
                        : request->max + answer_r->allowed;
    if (reply->element[9]->type == REDIS_REPLY_STRING)
        g_strlcpy(answer_r->client, reply->element[9]->str, sizeof answer_r->client);
    return true;
}

static void take_back(struct redis_store *store, const struct store_request *request, uint32_t slot)
{
    struct store_request back = *request;
    back.action = STORE_TAKE_BACK;
    back.slot = slot;
    back.client = NULL;
    store_ticket_drop(store_ask(&store->store, &back, (struct waker){0}));
}

static void take_answer(struct redis_store *store, struct sent *sent,
                        const struct store_answer *answer)
{
    const struct store_request *request = &sent->ticket->request;
    bool counts = request->action == STORE_ADD || request->action == STORE_COUNT;
    bool late = !sent->link && !sent->is_owed;
    if (!late || request->action != STORE_TAKE_BACK) /* that was done here already */
        learn(store, request, answer);
    if (!late) {
        store->late_in_a_row = 0;
        bool unwanted = store_ticket_settle(sent->ticket, answer);
        if (unwanted && counts && answer->admitted && !sent->is_owed)
            take_back(store, request, answer->slot);
        return;
    }
    /* What was said in its place is set right. */
    if (counts && sent->own_said && !answer->admitted) {
        g_mutex_lock(&store->lock);
        owe(store, request, false);
        g_mutex_unlock(&store->lock);
    } else if (counts && !sent->own_said && answer->admitted) {
        take_back(store, request, answer->slot);
    }
}

/* The connection, or the server's word, is lost for this one. */
static void fall_back(struct redis_store *store, struct sent *sent)
{
    const struct store_request *request = &sent->ticket->request;
    bool counts = request->action == STORE_ADD || request->action == STORE_COUNT;
    if (sent->is_owed || (!sent->link && counts && sent->own_said && !store->giving_up)) {
        g_mutex_lock(&store->lock);
        owe(store, request, false);
        g_mutex_unlock(&store->lock);
    } else if (sent->link) {
        judge(store, sent->ticket, false);
    }
}

static void transmit(struct redis_store *store, struct sent *sent, bool by_text);

/* Which errors say that another server must be asked. */
static void take_error(struct redis_store *store, struct sent *sent, const char *text)
{
    if (g_str_has_prefix(text, "NOSCRIPT") && !sent->by_text && store->connection) {
        transmit(store, sent, true);
        return;
    }
    g_autofree char *why =
        g_str_has_prefix(text, "MOVED") || g_str_has_prefix(text, "CLUSTERDOWN") ||
                g_str_has_prefix(text, "CROSSSLOT")
            ? g_strdup_printf("%s (this is a cluster, which gatepost does not speak to)", text)
            : g_strdup(text);
    store->failed++;
    go_away_for(store, why, true);
    if (g_str_has_prefix(text, "READONLY") && store->connection)
        redisAsyncDisconnect(store->connection);
    fall_back(store, sent);
    sent_free(sent);
}

static void on_reply(redisAsyncContext *connection, void *data, void *context)
{
    const redisReply *reply = data;
    struct sent *sent = context;
    struct redis_store *store = sent->store;
    struct store_answer answer;
    (void)connection;
    if (!reply) {
        fall_back(store, sent);
        sent_free(sent);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        take_error(store, sent, reply->str);
    } else if (read_answer(&sent->ticket->request, reply, &answer)) {
        take_answer(store, sent, &answer);
        sent_free(sent);
    } else {
        go_away(store, "it answers what is no answer");
        fall_back(store, sent);
        sent_free(sent);
    }
}

static const char *word_of(enum store_action action)
{
    static const char *const words[] = {
        [STORE_LOOK] = "look",      [STORE_ADD] = "add",      [STORE_COUNT] = "count",
        [STORE_TAKE_BACK] = "back", [STORE_NOTE] = "note",    [STORE_ALLOW] = "allow",
        [STORE_RESET] = "reset",    [STORE_SEE] = "see",      [STORE_TOUCH] = "touch",
        [STORE_GREY] = "grey",      [STORE_FORGET] = "forget"};
    return words[action];
}

static void transmit(struct redis_store *store, struct sent *sent, bool by_text)
{
    const struct store_request *request = &sent->ticket->request;
    bool marks = is_of_marks(request->action);
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    sent->by_text = by_text;
    g_ptr_array_add(words, g_strdup(by_text ? "EVAL" : "EVALSHA"));
    if (by_text)
        g_ptr_array_add(words, g_strdup(marks ? redis_mark_script : redis_counter_script));
    else
        g_ptr_array_add(words, g_strdup(marks ? store->mark_digest : store->counter_digest));
    g_ptr_array_add(words, g_strdup("1"));
    g_ptr_array_add(words, g_strconcat(store->options.prefix, request->key, NULL));
    g_ptr_array_add(words, g_strdup(word_of(request->action)));
    if (marks) {
        const int64_t numbers[] = {request->delay, request->open, request->keep, request->gap};
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
            g_ptr_array_add(words, g_strdup_printf("%" G_GINT64_FORMAT, numbers[i]));
    } else {
        g_ptr_array_add(words, g_strdup_printf("%" G_GINT64_FORMAT, request->window.length));
        g_ptr_array_add(words, g_strdup_printf("%u", request->window.date));
        g_ptr_array_add(words, g_strdup_printf("%" G_GUINT64_FORMAT, request->n));
        g_ptr_array_add(words, request->max == UINT64_MAX
                                   ? g_strdup("-1")
                                   : g_strdup_printf("%" G_GUINT64_FORMAT, request->max));
        g_ptr_array_add(words, request->networks
                                   ? g_strdup_printf("%" G_GUINT64_FORMAT, request->network)
                                   : g_strdup(""));
        g_ptr_array_add(words, g_strdup_printf("%u", request->slot));
        g_ptr_array_add(words, g_strdup_printf("%" G_GINT64_FORMAT, request->until));
        g_ptr_array_add(words, g_strdup(request->client ? request->client : ""));
        g_ptr_array_add(words, g_strdup(request->held ? "1" : "0"));
        g_ptr_array_add(words, g_strdup_printf("%" G_GINT64_FORMAT, request->window.end));
        g_ptr_array_add(words, g_strdup_printf("%u", request->window.next));
    }
    size_t lengths[20];
    for (guint i = 0; i < words->len; i++)
        lengths[i] = strlen(words->pdata[i]);
    if (redisAsyncCommandArgv(store->connection, on_reply, sent, (int)words->len,
                              (const char **)words->pdata, lengths) != REDIS_OK) {
        fall_back(store, sent);
        sent_free(sent);
    }
}

/* Takes the reference to TICKET. */
static void send_request(struct redis_store *store, struct store_ticket *ticket, bool is_owed)
{
    struct sent *sent = g_new0(struct sent, 1);
    *sent = (struct sent){.store = store,
                          .ticket = ticket,
                          .deadline = g_get_monotonic_time() + store->options.timeout,
                          .is_owed = is_owed};
    if (!is_owed) {
        g_queue_push_tail(&store->waiting, sent);
        sent->link = g_queue_peek_tail_link(&store->waiting);
    }
    if (!store->connection || (!g_atomic_int_get(&store->up) && !is_owed)) {
        fall_back(store, sent);
        sent_free(sent);
        return;
    }
    transmit(store, sent, false);
}

/* Those that waited long enough. Of those that wait at the same time one is counted as late: it is
 * one stall of the server, however many have met it. */
static void pass_deadlines(struct redis_store *store)
{
    gint64 now = g_get_monotonic_time();
    struct sent *sent;
    while ((sent = g_queue_peek_head(&store->waiting)) && sent->deadline <= now) {
        g_queue_delete_link(&store->waiting, sent->link);
        sent->link = NULL;
        store->late++;
        if (sent->deadline - store->options.timeout >= store->late_at) {
            store->late_in_a_row++;
            store->late_at = now;
        }
        sent->own_said = judge(store, sent->ticket, true);
    }
    if (store->late_in_a_row < LATE_MAX || !g_atomic_int_get(&store->up))
        return;
    g_autofree char *why = g_strdup_printf("no answer within %" G_GINT64_FORMAT " ms, %u times",
                                           store->options.timeout / 1000, LATE_MAX);
    go_away(store, why);
    store->next_try = now;
}

/* --- lists of keys --- */

static void listing_unref(struct listing *listing)
{
    if (!g_atomic_ref_count_dec(&listing->references))
        return;
    g_mutex_clear(&listing->lock);
    g_cond_clear(&listing->done_cond);
    g_clear_pointer(&listing->keys, g_ptr_array_unref);
    g_free(listing->pattern);
    g_free(listing->why);
    g_free(listing);
}

/* Takes the thread's reference. */
static void end_listing(struct listing *listing, const char *why)
{
    g_mutex_lock(&listing->lock);
    listing->done = true;
    listing->why = g_strdup(why);
    g_cond_signal(&listing->done_cond);
    g_mutex_unlock(&listing->lock);
    listing_unref(listing);
}

static void on_scan(redisAsyncContext *connection, void *data, void *context)
{
    const redisReply *reply = data;
    struct listing *listing = context;
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !reply->element[0]->str) {
        end_listing(listing,
                    reply && reply->type == REDIS_REPLY_ERROR ? reply->str : "the store is away");
        return;
    }
    const redisReply *keys = reply->element[1];
    g_mutex_lock(&listing->lock);
    for (size_t i = 0; listing->keys && i < keys->elements; i++)
        if (keys->element[i]->str && strlen(keys->element[i]->str) >= listing->prefix_length)
            g_ptr_array_add(listing->keys,
                            g_strdup(keys->element[i]->str + listing->prefix_length));
    bool wanted = listing->keys != NULL;
    listing->parts++;
    g_cond_signal(&listing->done_cond);
    g_mutex_unlock(&listing->lock);
    /* A connection that is being closed takes no more questions: half a walk is not the whole. */
    bool more = wanted && strcmp(reply->element[0]->str, "0") != 0;
    if (!more || redisAsyncCommand(connection, on_scan, listing, "SCAN %s MATCH %s COUNT 1000",
                                   reply->element[0]->str, listing->pattern) != REDIS_OK)
        end_listing(listing, more ? "the store is away" : NULL);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A walk may show a key twice. */
static void sort_keys(GPtrArray *keys)
{
    g_ptr_array_sort(keys, compare_keys);
    for (guint i = keys->len; i > 1; i--)
        if (strcmp(keys->pdata[i - 1], keys->pdata[i - 2]) == 0)
            g_ptr_array_remove_index(keys, i - 1);
}

static GPtrArray *list_redis(struct store *base, const char *prefix, char **why_r)
{
    struct redis_store *store = redis_of(base);
    GPtrArray *keys = NULL;
    if (!g_atomic_int_get(&store->up)) {
        *why_r = g_strdup("the store is away");
        return NULL;
    }
    struct listing *listing = g_new0(struct listing, 1);
    g_atomic_ref_count_init(&listing->references);
    g_mutex_init(&listing->lock);
    g_cond_init(&listing->done_cond);
    listing->keys = g_ptr_array_new_with_free_func(g_free);
    GString *pattern = g_string_new(NULL);
    for (int part = 0; part < 2; part++)
        for (const char *p = part ? prefix : store->options.prefix; *p; p++) {
            if (strchr("*?[]\\", *p))
                g_string_append_c(pattern, '\\');
            g_string_append_c(pattern, *p);
        }
    g_string_append_c(pattern, '*');
    listing->pattern = g_string_free(pattern, FALSE);
    listing->prefix_length = strlen(store->options.prefix);
    g_atomic_ref_count_inc(&listing->references);
    g_mutex_lock(&store->lock);
    g_queue_push_tail(&store->listings, listing);
    rouse(store);
    g_mutex_unlock(&store->lock);
    gint64 end = g_get_monotonic_time() + LIST_SECONDS * G_USEC_PER_SEC;
    g_mutex_lock(&listing->lock);
    for (bool comes = true; comes && !listing->done;) { /* a server that hangs is not waited for */
        gint64 soon = g_get_monotonic_time() + LIST_PART_SECONDS * G_USEC_PER_SEC;
        unsigned before = listing->parts;
        while (!listing->done && listing->parts == before &&
               g_cond_wait_until(&listing->done_cond, &listing->lock, MIN(soon, end)))
            continue;
        comes = listing->parts != before;
    }
    if (listing->done && !listing->why)
        keys = g_steal_pointer(&listing->keys);
    else
        *why_r = g_strdup(listing->why ? listing->why : "the store does not answer");
    g_clear_pointer(&listing->keys, g_ptr_array_unref);
    g_mutex_unlock(&listing->lock);
    listing_unref(listing);
    if (keys)
        sort_keys(keys);
    return keys;
}

/* --- the connection --- */

static void add_read(void *data)
{
    ((struct redis_store *)data)->reads = true;
}

static void del_read(void *data)
{
    ((struct redis_store *)data)->reads = false;
}

static void add_write(void *data)
{
    ((struct redis_store *)data)->writes = true;
}

static void del_write(void *data)
{
    ((struct redis_store *)data)->writes = false;
}

static void clean_up(void *data)
{
    struct redis_store *store = data;
    store->reads = store->writes = false;
}

/* The next host, at once until all were tried, then after a pause. */
static void try_next(struct redis_store *store)
{
    guint count = store->options.hosts->len ? store->options.hosts->len : 1;
    store->host = (store->host + 1) % count;
    gint64 now = g_get_monotonic_time();
    store->next_try = ++store->hosts_tried % count ? now : now + PROBE_MS * 1000;
}

static void on_disconnect(const redisAsyncContext *connection, int status)
{
    struct redis_store *store = connection->data;
    bool was_ours = store->greeted;
    store->connection = NULL;
    store->greeted = false;
    store->probed = 0;
    if (status != REDIS_OK && !store->stop) {
        g_autofree char *distrust = store->tls ? redis_tls_fault(store->tls) : NULL;
        g_autofree char *why =
            distrust ? g_strdup(distrust)
                     : g_strdup_printf("the connection is lost: %s", connection->errstr);
        go_away_for(store, why, distrust != NULL);
    }
    if (was_ours && store->options.hosts->len <= 1)
        store->next_try = g_get_monotonic_time() + 20 * G_TIME_SPAN_MILLISECOND;
    else
        try_next(store);
}

static void give_up_host(struct redis_store *store, const char *why)
{
    go_away_for(store, why, true);
    if (store->connection)
        redisAsyncDisconnect(store->connection);
}

static void on_probe(redisAsyncContext *connection, void *data, void *context)
{
    const redisReply *reply = data;
    struct redis_store *store = context;
    store->probed = 0;
    if (!reply)
        return;
    if (reply->type != REDIS_REPLY_ERROR) {
        if (!g_atomic_int_get(&store->up))
            come_back(store);
        return;
    }
    go_away_for(store, reply->str, true);
    if (g_str_has_prefix(reply->str, "READONLY"))
        redisAsyncDisconnect(connection);
}

/* Writes, as only a server that takes writes is of use. */
static void probe(struct redis_store *store)
{
    g_autofree char *key = g_strconcat(store->options.prefix, "probe", NULL);
    store->probed = g_get_monotonic_time();
    store->next_try = store->probed + PROBE_MS * 1000;
    redisAsyncCommand(store->connection, on_probe, store, "SET %s 1 PX 60000", key);
}

static void on_info(redisAsyncContext *connection, void *data, void *context)
{
    const redisReply *reply = data;
    struct redis_store *store = context;
    (void)connection;
    if (!reply)
        return;
    if (reply->type == REDIS_REPLY_ERROR || !reply->str) {
        give_up_host(store, reply->str ? reply->str : "it does not say what it is");
        return;
    }
    g_autofree char *why = redis_info_fault(reply->str);
    if (why) {
        give_up_host(store, why);
        return;
    }
    g_autofree char *warning = redis_info_warning(reply->str);
    if (warning && !store->warned_of_eviction) {
        store->warned_of_eviction = true;
        tell(store, true, "state: %s: %s", store->place, warning);
    }
    store->greeted = true;
    probe(store);
}

static void on_greeting(redisAsyncContext *connection, void *data, void *context)
{
    const redisReply *reply = data;
    (void)connection;
    if (reply && reply->type == REDIS_REPLY_ERROR)
        give_up_host(context, reply->str);
}

static void on_connect(const redisAsyncContext *connection, int status)
{
    struct redis_store *store = connection->data;
    if (status == REDIS_OK)
        return;
    g_autofree char *why = g_strdup_printf("cannot connect: %s", connection->errstr);
    store->connection = NULL; /* hiredis frees it */
    go_away(store, why);
    try_next(store);
}

static void set_place(struct redis_store *store, const char *place)
{
    g_mutex_lock(&store->lock);
    g_free(store->place);
    store->place = g_strdup(place);
    g_mutex_unlock(&store->lock);
}

/* To the host whose turn it is; NULL with *WHY_R (owned by the caller). */
static redisAsyncContext *open_connection(struct redis_store *store, char **why_r)
{
    redisAsyncContext *connection;
    g_autofree char *name = NULL;
    g_clear_pointer(&store->tls, redis_tls_free);
    if (store->options.path) {
        set_place(store, store->options.path);
        connection = redisAsyncConnectUnix(store->options.path);
    } else {
        const char *host = store->options.hosts->pdata[store->host];
        const char *colon = strrchr(host, ':');
        name = host[0] == '[' ? g_strndup(host + 1, (gsize)(colon - host) - 2)
                              : g_strndup(host, (gsize)(colon - host));
        set_place(store, host);
        connection = redisAsyncConnect(name, (int)g_ascii_strtoull(colon + 1, NULL, 10));
    }
    if (!connection || connection->err)
        *why_r =
            g_strdup_printf("cannot connect: %s", connection ? connection->errstr : "no memory");
    else if (store->options.tls && name)
        store->tls = redis_tls_begin(&connection->c, name, &store->options, why_r);
    if (!*why_r)
        return connection;
    if (connection)
        redisAsyncFree(connection);
    return NULL;
}

static void connect_server(struct redis_store *store)
{
    g_autofree char *why = NULL;
    redisAsyncContext *connection = open_connection(store, &why);
    if (!connection) {
        go_away(store, why);
        try_next(store);
        return;
    }
    store->connection = connection;
    store->greeted = false;
    store->giving_up = false;
    store->late_in_a_row = 0;
    connection->data = store;
    connection->ev.data = store;
    connection->ev.addRead = add_read;
    connection->ev.delRead = del_read;
    connection->ev.addWrite = add_write;
    connection->ev.delWrite = del_write;
    connection->ev.cleanup = clean_up;
    fcntl(connection->c.fd, F_SETFD, FD_CLOEXEC);
    redisAsyncSetConnectCallback(connection, on_connect);
    redisAsyncSetDisconnectCallback(connection, on_disconnect);
    store->probed = g_get_monotonic_time();
    if (store->options.password && store->options.user)
        redisAsyncCommand(connection, on_greeting, store, "AUTH %s %s", store->options.user,
                          store->options.password);
    else if (store->options.password)
        redisAsyncCommand(connection, on_greeting, store, "AUTH %s", store->options.password);
    if (store->options.database)
        redisAsyncCommand(connection, on_greeting, store, "SELECT %u", store->options.database);
    redisAsyncCommand(connection, on_info, store, "INFO");
}

/* Connects, probes, gives up: what time brings. Returns when it is to be called again. */
static gint64 look_at_time(struct redis_store *store)
{
    gint64 now = g_get_monotonic_time();
    pass_deadlines(store);
    if (!store->connection && now >= store->next_try)
        connect_server(store);
    if (store->connection && store->probed && now - store->probed > SILENCE_MS * 1000) {
        store->giving_up = true;
        redisAsyncContext *silent = store->connection;
        if (!store->greeted)
            go_away(store, "it does not answer");
        store->connection = NULL;
        store->greeted = false;
        store->probed = 0;
        redisAsyncFree(silent);
        store->giving_up = false;
        try_next(store);
    }
    if (store->connection && store->greeted && !store->probed && !g_atomic_int_get(&store->up) &&
        now >= store->next_try)
        probe(store);
    /* While it is up: what was judged in the moment in which it came back, and late answers. */
    if (store->connection && store->greeted && g_atomic_int_get(&store->up))
        send_owed(store);
    const struct sent *first = g_queue_peek_head(&store->waiting);
    gint64 next = now + PROBE_MS * 1000;
    if (first)
        next = MIN(next, first->deadline);
    if (!store->connection || (!g_atomic_int_get(&store->up) && !store->probed))
        next = MIN(next, store->next_try);
    return next;
}

/* Takes what was asked since the last round; false when the thread is to end. */
static bool take_asks(struct redis_store *store)
{
    char bytes[64];
    while (read(store->pipe[0], bytes, sizeof bytes) > 0)
        continue;
    g_mutex_lock(&store->lock);
    GQueue asks = store->asks, listings = store->listings;
    g_queue_init(&store->asks);
    g_queue_init(&store->listings);
    store->pipe_full = false;
    bool go_on = !store->stop;
    g_mutex_unlock(&store->lock);
    struct store_ticket *ticket;
    struct listing *listing;
    while ((ticket = g_queue_pop_head(&asks)))
        send_request(store, ticket, false);
    while ((listing = g_queue_pop_head(&listings)))
        if (!store->connection ||
            redisAsyncCommand(store->connection, on_scan, listing, "SCAN 0 MATCH %s COUNT 1000",
                              listing->pattern) != REDIS_OK)
            end_listing(listing, "the store is away");
    return go_on;
}

static void *run(void *data)
{
    struct redis_store *store = data;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (take_asks(store)) {
        gint64 next = look_at_time(store);
        struct pollfd places[2] = {{.fd = store->pipe[0], .events = POLLIN}, {.fd = -1}};
        if (store->connection) {
            places[1].fd = store->connection->c.fd;
            places[1].events = (short)((store->reads ? POLLIN : 0) | (store->writes ? POLLOUT : 0));
        }
        gint64 ms = (next - g_get_monotonic_time() + 999) / 1000;
        if (poll(places, 2, (int)CLAMP(ms, 0, PROBE_MS)) <= 0)
            continue;
        if (store->connection && places[1].revents & (POLLIN | POLLHUP | POLLERR) && store->reads)
            redisAsyncHandleRead(store->connection);
        if (store->connection && places[1].fd == store->connection->c.fd &&
            places[1].revents & (POLLOUT | POLLHUP | POLLERR) && store->writes)
            redisAsyncHandleWrite(store->connection);
    }
    g_atomic_int_set(&store->up, 0);
    if (store->connection) {
        redisAsyncContext *connection = g_steal_pointer(&store->connection);
        redisAsyncFree(connection);
    }
    take_asks(store); /* what came meanwhile is answered */
    return NULL;
}

/* --- life --- */

static void status_redis(struct store *base, struct store_status *status_r)
{
    struct redis_store *store = redis_of(base);
    g_mutex_lock(&store->lock);
    status_r->place = g_strdup(store->place);
    status_r->up = g_atomic_int_get(&store->up);
    status_r->fault = g_strdup(store->fault);
    status_r->since = store->since;
    status_r->late = store->late;
    status_r->failed = store->failed;
    g_mutex_unlock(&store->lock);
}

static void close_redis(struct store *base)
{
    struct redis_store *store = redis_of(base);
    g_mutex_lock(&store->lock);
    store->stop = true;
    rouse(store);
    g_mutex_unlock(&store->lock);
    g_thread_join(store->store.thread);
    for (int i = 0; i < 2; i++)
        close(store->pipe[i]);
    g_hash_table_unref(store->owed);
    g_ptr_array_unref(store->options.hosts);
    g_mutex_clear(&store->lock);
    g_free((char *)store->options.path);
    g_free((char *)store->options.ca_file);
    g_free((char *)store->options.cert_file);
    g_free((char *)store->options.user);
    g_free((char *)store->options.password);
    g_free((char *)store->options.prefix);
    redis_tls_free(store->tls);
    g_free(store->counter_digest);
    g_free(store->mark_digest);
    g_free(store->fault);
    g_free(store->place);
}

struct store *store_redis(const struct store_redis_options *options, const struct store_log *log,
                          char **why_r)
{
    static const struct store_kind kind = {.name = "redis",
                                           .shared = true,
                                           .ask = ask_redis,
                                           .list = list_redis,
                                           .status = status_redis,
                                           .close = close_redis};
    struct redis_store *store = g_new0(struct redis_store, 1);
    if (pipe(store->pipe) != 0) {
        *why_r = g_strdup(g_strerror(errno));
        g_free(store);
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(store->pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(store->pipe[i], F_SETFL, O_NONBLOCK);
    }
    store_init(&store->store, &kind, records_new(NULL, RECORDS_MAX, false));
    store->options = *options;
    store->options.hosts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; options->hosts && i < options->hosts->len; i++)
        g_ptr_array_add(store->options.hosts, g_strdup(options->hosts->pdata[i]));
    store->options.path = g_strdup(options->path);
    store->options.ca_file = g_strdup(options->ca_file);
    store->options.cert_file = g_strdup(options->cert_file);
    store->options.user = g_strdup(options->user);
    store->options.password = g_strdup(options->password);
    store->options.prefix = g_strdup(options->prefix);
    store->log = *log;
    store->counter_digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA1, redis_counter_script, -1);
    store->mark_digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, redis_mark_script, -1);
    store->owed = g_hash_table_new_full(siphash_string, g_str_equal, g_free, free_owed);
    store->place =
        g_strdup(store->options.path ? store->options.path : store->options.hosts->pdata[0]);
    g_mutex_init(&store->lock);
    store->store.thread = g_thread_new("redis", run, store);
    return &store->store;
}
