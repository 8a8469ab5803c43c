/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_limit, and the committer that counts. Of what is looked at nothing is reserved: hence
 * nothing leaks when a client vanishes. Of several messages that end at the same time those pass
 * that the store admits, each in one atomic step a limit.
 */
#include "checks/limit.h"

#include <string.h>

#include "base/siphash.h"
#include "base/text.h"
#include "limit_key.h"
#include "mail/header.h"
#include "restrictions.h"

/* What replies show of a key, in bytes. */
enum { KEY_SHOWN = 100 };

/* What one recipient, or the message, costs of one limit. */
struct limit_charge {
    struct charge charge;
    const struct limit *limit;
    char *key;
    uint64_t n;         /* recipients; of messages, bytes and clients the message counts */
    uint64_t total;     /* N of all charges of this limit and key so far */
    uint64_t used, max; /* as the store said when it was looked at; max with overrides */
    bool whatever;      /* count beyond the maximum too: warn_if_reject, monitor mode */
    const char *check;
};

static void charge_free(struct charge *base)
{
    struct limit_charge *charge = (struct limit_charge *)base;
    g_free(charge->key);
    g_free(charge);
}

static int64_t now_ms(void)
{
    return g_get_real_time() / 1000;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static struct store_request request_for(const struct limit_site *site, const struct limit *limit,
                                        const struct facts *facts, const char *store_key)
{
    return (struct store_request){.key = store_key,
                                  .window = limit_window(site, limit, now_ms()),
                                  .networks = limit->count == LIMIT_CLIENTS,
                                  .network = limit_network(&facts->address)};
}

/* --- replies --- */

/* "KEY", or the limit's name where the key is what a stranger's header says. */
static char *shown_key(const struct limit *limit, const char *key)
{
    return text_reply_safe(limit->has_header ? limit->name : key, KEY_SHOWN);
}

static char *over_reply(const struct limit_site *site, const struct limit *limit, const char *key,
                        uint64_t max, int64_t wait)
{
    g_autofree char *shown = shown_key(limit, key);
    g_autofree char *text = limit_text(limit, max);
    g_autofree char *later = limit_wait_text(site, limit, wait, now_ms());
    bool rejects = limit->action == LIMIT_REJECT;
    return check_format_reply(rejects ? 550 : 450, rejects ? "5.7.1" : "4.7.0",
                              "%s: sending limit reached (%s); try again in %s", shown, text,
                              later);
}

static char *larger_reply(const struct limit *limit, const char *key, uint64_t n, uint64_t max)
{
    bool bytes = limit->count == LIMIT_BYTES;
    g_autofree char *shown = shown_key(limit, key);
    g_autofree char *amount = limit_amount_text(limit, n);
    g_autofree char *whole = limit_bare_amount_text(limit, max);
    return check_format_reply(bytes ? 552 : 550, bytes ? "5.3.4" : "5.7.1",
                              "%s: %s are more than the limit of %s %s", shown, amount, whole,
                              limit->window_text);
}

static void note_refusal(struct store *store, const struct store_request *like,
                         const struct facts *facts, uint64_t n, bool held)
{
    char client[IPADDR_TEXT_MAX];
    struct store_request request = *like;
    request.action = STORE_NOTE;
    request.n = n;
    request.held = held;
    request.client = facts->without_smtp ? "local" : ipaddr_format(&facts->address, client);
    store_ticket_drop(store_ask(store, &request, (struct waker){0}));
}

/* What the log says of it. */
static void mark(GPtrArray **details, const struct limit *limit, const char *key, uint64_t used,
                 uint64_t max)
{
    g_autofree char *used_text = g_strdup_printf("%" G_GUINT64_FORMAT, used);
    g_autofree char *max_text = g_strdup_printf("%" G_GUINT64_FORMAT, max);
    check_details_set(details, "limit", limit->name);
    check_details_set(details, "key", key);
    check_details_set(details, "used", used_text);
    check_details_set(details, "max", max == UINT64_MAX ? "unlimited" : max_text);
}

/* --- at RCPT --- */

/* The last charge for this key. */
static const struct limit_charge *find_charge(const struct check_effects *effects,
                                              const struct limit *limit, const char *key)
{
    return (const struct limit_charge *)(effects ? check_effects_charged(effects, limit, key)
                                                 : NULL);
}

static void free_ticket(void *data)
{
    store_ticket_drop(data);
}

/* What the message costs by itself, as far as it is known: at RCPT the client's word. */
static uint64_t amount(const struct limit *limit, const struct facts *facts, uint64_t recipients)
{
    switch (limit->count) {
    case LIMIT_RECIPIENTS:
        return recipients;
    case LIMIT_BYTES:
        return facts->message ? facts->message->size : facts->announced_size;
    default:
        return 1;
    }
}

static void lay(struct check *check, const struct limit *limit, const char *key,
                const struct limit_charge *model)
{
    struct limit_charge *charge = g_new(struct limit_charge, 1);
    *charge = *model;
    charge->limit = limit;
    charge->key = g_strdup(key);
    charge->charge = (struct charge){charge_free, limit, charge->key};
    charge->check = check->name;
    charge->whatever = check->warn_only || check->monitor;
    check_effects_charge(check->effects, &charge->charge);
}

/* Whether there is room for one recipient more, as a question to the store. */
struct room_question {
    struct limit_charge charge; /* without what the store will say */
    uint64_t more;              /* what the message has of the limit then */
    struct store_request request;
};

/* Fills *QUESTION, whose key becomes *STORE_KEY_R, owned by the caller; false if the store need not
 * be asked: what it said of a recipient before has room for this one, too. */
static bool room_question_init(struct room_question *question, struct check *check,
                               const struct limit *limit, const char *key, char **store_key_r)
{
    const struct limit_charge *before = find_charge(check->so_far, limit, key);
    *question = (struct room_question){.charge = {.n = 1, .total = before ? before->total + 1 : 1}};
    question->more = amount(limit, check->facts, question->charge.total);
    if (before &&
        (limit->count == LIMIT_CLIENTS || plus(before->used, question->more) <= before->max)) {
        question->charge.used = before->used;
        question->charge.max = before->max;
        return false;
    }
    *store_key_r = limit_store_key(limit, key);
    question->request = request_for(check->site->limits, limit, check->facts, *store_key_r);
    question->request.action = STORE_LOOK;
    question->request.n = question->more;
    question->request.max =
        limit_max(limit, key, check->site->recipient_delimiter, &check->warner, NULL);
    return true;
}

/* What the store says; NULL: it is being asked. */
static const struct store_answer *ask_for_room(struct check *check,
                                               const struct room_question *question)
{
    if (!check->errand->data) {
        check->errand->free = free_ticket;
        check->errand->data = store_ask(check->store, &question->request, check->waker);
    }
    return store_ticket_answer(check->errand->data);
}

/* Whether this may be a notice: to the address of limit_notice, from here, without a sender. */
static bool looks_like_notice(const struct check *check, const char *recipient)
{
    const struct facts *facts = check->facts;
    return facts->sender_meant.address.null &&
           site_in_mynetworks(check->site, facts, NULL) == LOOKUP_HIT &&
           *check->site->limits->notice_address &&
           g_ascii_strcasecmp(recipient, check->site->limits->notice_address) == 0;
}

static enum check_result look_at_key(struct check *check, const struct limit *limit,
                                     const char *key)
{
    if (find_charge(check->effects, limit, key))
        return CHECK_DUNNO; /* named twice, counted once */
    g_autofree char *store_key = NULL;
    struct room_question question;
    if (!room_question_init(&question, check, limit, key, &store_key)) {
        lay(check, limit, key, &question.charge);
        return CHECK_DUNNO;
    }
    const struct store_answer *answer = ask_for_room(check, &question);
    if (!answer && !wait_budget_expired(check->budget, WAIT_STORE))
        return check_wait(check, WAIT_STORE);
    struct limit_charge charge = question.charge;
    uint64_t more = question.more;
    charge.used = answer ? answer->used : 0;
    charge.max = answer ? answer->max : question.request.max;
    int64_t wait = answer ? answer->wait : 0;
    bool fits = !answer || answer->admitted;
    check_errand_clear(check->errand);
    bool larger = more > charge.max && limit->count != LIMIT_CLIENTS;
    /* Whether a limit can refuse a recipient here: not mail that came without SMTP, which is held
     * at its end, nor where the whole message is to be held. */
    bool refuses = (larger || !fits) &&
                   (!check->facts->without_smtp && limit->action != LIMIT_HOLD) &&
                   !looks_like_notice(check, check->facts->recipient.text);
    if (!refuses || check->warn_only || check->monitor)
        lay(check, limit, key, &charge);
    if (!refuses)
        return CHECK_DUNNO;
    if (!check->warn_only && !check->monitor)
        note_refusal(check->store, &question.request, check->facts,
                     limit->count == LIMIT_RECIPIENTS ? 1 : more, false);
    mark(&check->effects->details, limit, key, charge.used, charge.max);
    check->reply = larger ? larger_reply(limit, key, more, charge.max)
                          : over_reply(check->site->limits, limit, key, charge.max, wait);
    return CHECK_REFUSE;
}

/* For limit_keys_missing. */
static _Atomic uint64_t keys_missing;

uint64_t limit_keys_missing(void)
{
    return keys_missing;
}

/* At the end of a message nothing is looked at: the count decides at once. What a list before
 * charged for a recipient is not charged again. */
static void charge_message(struct check *check, const struct limit *limit)
{
    g_autoptr(GArray) keys = limit_keys(check->site, limit, check->facts);
    keys_missing += keys->len == 0;
    for (guint i = 0; i < keys->len; i++) {
        const struct limit_key *key = &g_array_index(keys, struct limit_key, i);
        const struct limit_charge *before = find_charge(check->so_far, limit, key->key);
        uint64_t charged = before ? before->total : 0;
        if (find_charge(check->effects, limit, key->key) || charged >= key->recipients)
            continue;
        struct limit_charge charge = {.n = key->recipients - charged, .total = key->recipients};
        lay(check, limit, key->key, &charge);
    }
}

enum check_result run_check_limit(struct check *check)
{
    const struct limit *limit = check->argument->limit;
    if (!check->store || !limit_is_for(check->site, limit, check->facts))
        return CHECK_DUNNO;
    if (check->list == LIST_MESSAGE) {
        charge_message(check, limit);
        return CHECK_DUNNO;
    }
    g_autoptr(GArray) keys = limit_keys(check->site, limit, check->facts);
    keys_missing += keys->len == 0;
    return keys->len > 0 ? look_at_key(check, limit, g_array_index(keys, struct limit_key, 0).key)
                         : CHECK_DUNNO;
}

void ask_limit_ahead(struct check *check)
{
    const struct limit *limit = check->argument->limit;
    if (check->list == LIST_MESSAGE || !check->store ||
        !limit_is_for(check->site, limit, check->facts))
        return;
    g_autoptr(GArray) keys = limit_keys(check->site, limit, check->facts);
    if (keys->len == 0)
        return;
    g_autofree char *store_key = NULL;
    struct room_question question;
    if (room_question_init(&question, check, limit, g_array_index(keys, struct limit_key, 0).key,
                           &store_key))
        ask_for_room(check, &question);
}

/* --- the committer --- */

/* All charges of the message for one limit and key. */
struct item {
    const struct limit *limit;
    char *key, *store_key;
    const char *check;
    uint64_t recipients;
    uint64_t n;
    bool whatever;
    bool over;   /* its limit */
    bool held;   /* and for the hold queue */
    bool larger; /* than the whole limit: not asked */
    struct store_request request;
    struct store_ticket *ticket; /* NULL: not asked */
};

struct commit {
    struct limit_committer *committer;
    GArray *items; /* of struct item */
};

struct limit_committer {
    struct store *store;
    unsigned char secret[LIMIT_SECRET_SIZE];
    GMutex lock;
    GHashTable *warned; /* store key and percent -> when, s of the monotonic clock */
};

static void clear_item(void *data)
{
    struct item *item = data;
    store_ticket_drop(item->ticket);
    g_free(item->key);
    g_free(item->store_key);
}

static void take_charge(GArray *items, GHashTable *index, const struct limit_charge *charge)
{
    g_autofree char *store_key = limit_store_key(charge->limit, charge->key);
    void *place;
    if (g_hash_table_lookup_extended(index, store_key, NULL, &place)) {
        struct item *item = &g_array_index(items, struct item, GPOINTER_TO_UINT(place));
        item->recipients += charge->n;
        item->whatever |= charge->whatever;
        return;
    }
    struct item item = {.limit = charge->limit,
                        .key = g_strdup(charge->key),
                        .store_key = g_steal_pointer(&store_key),
                        .check = charge->check,
                        .recipients = charge->n,
                        .whatever = charge->whatever};
    g_hash_table_insert(index, item.store_key, GUINT_TO_POINTER(items->len));
    g_array_append_val(items, item);
}

static void ask_item(struct item *item, struct store *store, const struct check *check)
{
    const struct site *site = check->site;
    item->request = request_for(site->limits, item->limit, check->facts, item->store_key);
    item->request.max =
        limit_max(item->limit, item->key, site->recipient_delimiter, &check->warner, NULL);
    item->request.n = item->n = amount(item->limit, check->facts, item->recipients);
    item->request.action = item->whatever ? STORE_COUNT : STORE_ADD;
    item->ticket = store_ask(store, &item->request, check->waker);
}

char *limit_notice_mark(const unsigned char secret[LIMIT_SECRET_SIZE], int64_t seconds,
                        const char *to)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT " %s", seconds, to);
    g_autofree char *hmac =
        g_compute_hmac_for_string(G_CHECKSUM_SHA256, secret, LIMIT_SECRET_SIZE, text, -1);
    return g_strdup_printf("%" G_GINT64_FORMAT " %s", seconds, hmac);
}

/* One of our own, sent within the last hour. */
static bool is_notice(const struct limit_committer *committer, const struct check *check)
{
    enum { SECONDS_MAX = 3600 };
    const struct message_facts *message = check->facts->message;
    const struct header *header =
        message ? header_list_first(message->headers, LIMIT_NOTICE_FIELD) : NULL;
    if (!header || message->recipient_count != 1 ||
        !looks_like_notice(check, message->recipients[0]))
        return false;
    g_autofree char *value = g_strstrip(g_strndup(header->value, header->value_length));
    int64_t seconds = g_ascii_strtoll(value, NULL, 10);
    int64_t age = g_get_real_time() / G_USEC_PER_SEC - seconds;
    g_autofree char *mark =
        limit_notice_mark(committer->secret, seconds, check->site->limits->notice_address);
    return age >= -60 && age <= SECONDS_MAX && strcmp(mark, value) == 0;
}

static void *commit_begin(void *data, const GPtrArray *charges, struct check *check)
{
    struct commit *commit = g_new0(struct commit, 1);
    commit->committer = data;
    commit->items = g_array_new(FALSE, FALSE, sizeof(struct item));
    g_array_set_clear_func(commit->items, clear_item);
    g_autoptr(GHashTable) index = g_hash_table_new(siphash_string, g_str_equal);
    guint count = is_notice(commit->committer, check) ? 0 : charges->len;
    for (guint i = 0; i < count; i++) {
        struct charge *charge = charges->pdata[i];
        if (charge->free == charge_free)
            take_charge(commit->items, index, (const struct limit_charge *)charge);
    }
    for (guint i = 0; i < commit->items->len; i++)
        ask_item(&g_array_index(commit->items, struct item, i), commit->committer->store, check);
    return commit;
}

static bool commit_advance(void *data, struct check *check)
{
    const struct commit *commit = data;
    for (guint i = 0; i < commit->items->len; i++) {
        const struct item *item = &g_array_index(commit->items, struct item, i);
        if (store_ticket_answer(item->ticket) || wait_budget_expired(check->budget, WAIT_STORE))
            continue;
        check_wait(check, WAIT_STORE);
        return false;
    }
    return true;
}

/* Whether a crossing was told of this key within the window; remembers that it is told now. */
static bool was_told(struct limit_committer *committer, const struct item *item, unsigned percent)
{
    enum { TOLD_MAX = 100000, LONGEST = 31 * 86400 };
    gint64 now = g_get_monotonic_time() / G_USEC_PER_SEC;
    gint64 window = item->limit->length ? item->limit->length / 1000 : LONGEST;
    g_autofree char *key =
        item->limit->length
            ? g_strdup_printf("%u %s", percent, item->store_key)
            : g_strdup_printf("%u %s %u", percent, item->store_key, item->request.window.date);
    g_mutex_lock(&committer->lock);
    gint64 *then = g_hash_table_lookup(committer->warned, key);
    bool told = then && now - *then < window;
    if (!told) {
        if (g_hash_table_size(committer->warned) >= TOLD_MAX)
            g_hash_table_remove_all(committer->warned);
        then = g_new(gint64, 1);
        *then = now;
        g_hash_table_insert(committer->warned, g_steal_pointer(&key), then);
    }
    g_mutex_unlock(&committer->lock);
    return told;
}

/* Tells when this message made the use of ITEM reach limit_warn, and when all of it. */
static void tell_crossing(struct limit_committer *committer, const struct item *item,
                          const struct store_answer *answer, struct check *check)
{
    const unsigned percents[] = {check->site->limits->warn_percent, 100};
    if (answer->max == UINT64_MAX)
        return;
    uint64_t before = answer->used - MIN(answer->used, item->request.networks ? 1 : item->n);
    for (size_t i = 0; i < G_N_ELEMENTS(percents); i++) {
        double edge = (double)answer->max * percents[i] / 100.0;
        if (percents[i] == 0 || (double)before >= edge || (double)answer->used < edge ||
            (i == 0 && (percents[i] >= 100 || answer->used >= answer->max)) ||
            was_told(committer, item, percents[i]))
            continue;
        g_autofree char *text = limit_text(item->limit, answer->max);
        struct check_note note = {
            .action = ACTION_INFO,
            .text = g_strdup_printf("limit %s: %s has used %u%% of %s", item->limit->name,
                                    item->key, percents[i], text),
        };
        mark(&note.details, item->limit, item->key, answer->used, answer->max);
        g_array_append_val(check->notes, note);
    }
}

/* The same of all that the message was counted for. */
static void tell_crossings(const struct commit *commit, struct check *check)
{
    for (guint i = 0; i < commit->items->len; i++) {
        const struct item *item = &g_array_index(commit->items, struct item, i);
        const struct store_answer *answer = store_ticket_answer(item->ticket);
        if (answer && !item->over)
            tell_crossing(commit->committer, item, answer, check);
    }
}

static void hold(struct check *check, const struct item *item, char *reply)
{
    struct check_effects *effects = check->effects;
    if (effects->hold) {
        g_free(reply);
        return;
    }
    effects->hold = reply;
    effects->hold_check = item->check;
}

/* What the item comes to: DUNNO, or REFUSE with *REPLY_R. */
static bool is_over(struct check *check, const struct item *item, char **reply_r)
{
    const struct store_answer *answer = store_ticket_answer(item->ticket);
    uint64_t max = answer ? answer->max : item->request.max;
    bool larger = item->n > max && item->limit->count != LIMIT_CLIENTS;
    bool over = answer && (item->whatever ? answer->used > max : !answer->admitted);
    if (larger)
        *reply_r = larger_reply(item->limit, item->key, item->n, max);
    else if (over)
        *reply_r = over_reply(check->site->limits, item->limit, item->key, max, answer->wait);
    return larger || over;
}

/* For `gatepostctl limits release`. */
static void remember_held(const struct commit *commit, const struct facts *facts)
{
    const char *queue_id = facts->macros.queue_id;
    for (guint i = 0; i < commit->items->len; i++) {
        const struct item *item = &g_array_index(commit->items, struct item, i);
        if (!item->held || !queue_id || queue_id[strcspn(queue_id, "|")] != '\0')
            continue;
        g_autofree char *key = g_strdup_printf(LIMIT_HELD "%s|%s|%" G_GUINT64_FORMAT "|%s",
                                               queue_id, item->limit->name, item->n, item->key);
        const struct store_request request = {
            .action = STORE_TOUCH, .key = key, .keep = LIMIT_HELD_MS};
        store_ticket_drop(store_ask(commit->committer->store, &request, (struct waker){0}));
    }
}

static enum check_result commit_result(void *data, struct check *check)
{
    struct commit *commit = data;
    enum check_result result = CHECK_DUNNO;
    double largest = -1;
    for (guint i = 0; i < commit->items->len; i++) {
        struct item *item = &g_array_index(commit->items, struct item, i);
        const struct store_answer *answer = store_ticket_answer(item->ticket);
        char *reply = NULL;
        uint64_t used = answer ? answer->used : 0, max = answer ? answer->max : item->request.max;
        item->over = is_over(check, item, &reply);
        if (!item->over) {
            double share = (double)used / (double)max;
            if (largest < 0 || (largest <= 1 && share > largest)) {
                largest = share;
                mark(&check->effects->details, item->limit, item->key, used, max);
            }
            continue;
        }
        /* Whether what is over its limit goes to the hold queue: local mail, which Postfix would
         * try again with every new submission, and never bounce. */
        bool held = (item->limit->action == LIMIT_HOLD ||
                     (item->limit->action == LIMIT_DEFER && check->facts->without_smtp)) &&
                    item->n <= max;
        if (item->whatever && !check->monitor) {
            struct check_note note = {.action = ACTION_WARN,
                                      .check = item->check,
                                      .text = g_strdup_printf("%s would %s: %s", item->check,
                                                              held ? "hold" : "refuse", reply)};
            g_array_append_val(check->notes, note);
            g_free(reply);
            continue;
        }
        if (!item->whatever)
            note_refusal(commit->committer->store, &item->request, check->facts, item->n, held);
        if (result == CHECK_REFUSE || (held && check->effects->hold)) {
            item->held = held;
            g_free(reply);
            continue;
        }
        largest = 2;
        mark(&check->effects->details, item->limit, item->key, used, max);
        item->held = held;
        if (held) {
            hold(check, item, reply);
            continue;
        }
        check->reply = reply;
        check->name = item->check;
        result = CHECK_REFUSE;
    }
    if (result == CHECK_DUNNO || check->monitor) /* else nothing of it stays counted */
        tell_crossings(commit, check);
    if (result == CHECK_DUNNO && !check->monitor)
        remember_held(commit, check->facts);
    return result;
}

static void commit_end(void *data, bool keep)
{
    struct commit *commit = data;
    for (guint i = 0; i < commit->items->len && !keep; i++)
        store_ticket_take_back(
            g_steal_pointer(&g_array_index(commit->items, struct item, i).ticket));
    g_array_unref(commit->items);
    g_free(commit);
}

struct committer *limit_committer_new(struct store *store,
                                      const unsigned char secret[LIMIT_SECRET_SIZE])
{
    struct limit_committer *limits = g_new0(struct limit_committer, 1);
    limits->store = store;
    memcpy(limits->secret, secret, LIMIT_SECRET_SIZE);
    g_mutex_init(&limits->lock);
    limits->warned = g_hash_table_new_full(siphash_string, g_str_equal, g_free, g_free);
    struct committer *committer = g_new(struct committer, 1);
    *committer = (struct committer){.begin = commit_begin,
                                    .advance = commit_advance,
                                    .result = commit_result,
                                    .end = commit_end,
                                    .data = limits};
    return committer;
}

void limit_committer_free(struct committer *committer)
{
    if (!committer)
        return;
    struct limit_committer *limits = committer->data;
    g_mutex_clear(&limits->lock);
    g_hash_table_unref(limits->warned);
    g_free(limits);
    g_free(committer);
}

/* --- a limit --- */

const char limit_key_prefix[] = "l:";

char *limit_store_key(const struct limit *limit, const char *key)
{
    return g_strconcat(limit_key_prefix, limit->name, "|", limit->window_key, "|", key, NULL);
}

struct store_window limit_window(const struct limit_site *site, const struct limit *limit,
                                 int64_t now)
{
    if (limit->length)
        return (struct store_window){.length = limit->length};
    /* The rest is known to an hour, but where a day was left out: two hours behind it is the next.
     */
    static const int64_t behind = 2LL * 3600 * 1000;
    int64_t end = now + calendar_rest(site->calendar, limit->unit, now);
    return (struct store_window){.date = calendar_date(site->calendar, limit->unit, now),
                                 .end = end,
                                 .next = calendar_date(site->calendar, limit->unit, end + behind)};
}

bool limit_read_max(const struct limit *limit, const char *text, uint64_t *max_r)
{
    static const char units[] = "kmg";
    char *end;
    if (g_ascii_strcasecmp(text, "unlimited") == 0) {
        *max_r = UINT64_MAX;
        return true;
    }
    if (!g_ascii_isdigit(*text))
        return false;
    guint64 number = g_ascii_strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, g_ascii_tolower(*end)) : NULL;
    if (limit->count == LIMIT_BYTES && unit && end[1] == '\0') {
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        *max_r = number > UINT64_MAX >> shift ? UINT64_MAX : number << shift;
        return true;
    }
    *max_r = number;
    return *end == '\0';
}

/* The whole key, then, if it is one address, its parts as access(5) has them. */
static enum lookup_status search_key(const struct limit *limit, const struct table_list *tables,
                                     const char *key, const char *delimiter, GString *value,
                                     GString *entry)
{
    enum lookup_status status = table_list_find(tables, key, value, entry);
    if (status != LOOKUP_MISS || limit->parts->len != 1)
        return status;
    struct ipaddr client;
    switch (g_array_index(limit->parts, struct limit_part, 0).kind) {
    case LIMIT_SENDER:
    case LIMIT_RECIPIENT:
    case LIMIT_FROM: {
        struct mail_address address;
        mail_address_parse(key, &address);
        status = search_address(tables, &address, SEARCH_ACCESS, delimiter, false, value, entry);
        mail_address_clear(&address);
        return status;
    }
    case LIMIT_SENDER_DOMAIN:
    case LIMIT_RECIPIENT_DOMAIN:
    case LIMIT_FROM_DOMAIN:
        return search_domain(tables, key, value, entry);
    case LIMIT_CLIENT:
        return ipaddr_parse(key, &client) ? search_client(tables, NULL, &client, value, entry)
                                          : status;
    default:
        return status;
    }
}

uint64_t limit_max(const struct limit *limit, const char *key, const char *recipient_delimiter,
                   const struct check_warner *warner, char **entry_r)
{
    if (entry_r)
        *entry_r = NULL;
    if (!limit->overrides)
        return limit->max;
    g_autoptr(GString) value = g_string_new(NULL);
    g_autoptr(GString) entry = entry_r ? g_string_new(NULL) : NULL;
    if (search_key(limit, limit->overrides, key, recipient_delimiter, value, entry) != LOOKUP_HIT)
        return limit->max;
    uint64_t max;
    g_strstrip(value->str);
    if (!limit_read_max(limit, value->str, &max)) {
        if (warner) {
            g_autofree char *id = g_strconcat("limit:", limit->name, ":", value->str, NULL);
            g_autofree char *text =
                g_strdup_printf("limit %s: its overrides say \"%s\" for %s, which is neither a "
                                "number nor \"unlimited\": max stays in force",
                                limit->name, value->str, key);
            warner->warn_once(warner->data, id, text);
        }
        return limit->max;
    }
    if (entry_r)
        *entry_r = g_strdup(entry->str);
    return max;
}
