/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Records by key, in parts with a lock each, so that sessions rarely meet.
 */
#include "records.h"

#include <string.h>

#include "base/siphash.h"

enum { PARTS = 16, ROOM_LOOKED_AT = 32 };

/* What few counters have. */
struct notes {
    uint64_t allowed, refused, held;
    int64_t allowed_until, refused_at;
    char client[STORE_CLIENT_MAX + 1];
};

struct mark {
    int64_t first, last;
    uint64_t hits;
    bool passed;
};

struct record {
    const char *key; /* the table's */
    guint place;     /* in the part's order */
    int64_t expires; /* ms since 1970 */
    bool is_mark;
    union {
        struct counter counter;
        struct mark mark;
    };
    struct notes *notes; /* NULL: none */
};

struct part {
    GMutex lock;
    GHashTable *records; /* char * -> struct record * */
    GPtrArray *order;    /* the same records, for whoever wants any of them */
    uint64_t dice;
    GHashTable *dirty;     /* keys that changed since records_changes; NULL: nobody asks for them */
    GHashTable *taken;     /* keys that records_changes gave, until they are confirmed */
    bool lost, lost_taken; /* the same of changes that were too many to be kept by their keys */
    bool lost_told;        /* to whoever writes them: it begins anew */
    unsigned dirty_max;
    uint64_t forgotten;
};

struct records {
    struct store_clock clock;
    unsigned part_max;
    struct part parts[PARTS];
};

static int64_t system_now(void *data)
{
    (void)data;
    return g_get_real_time() / 1000;
}

static void record_free(void *data)
{
    struct record *record = data;
    if (!record->is_mark)
        counter_clear(&record->counter);
    g_free(record->notes);
    g_free(record);
}

static GHashTable *new_set(void)
{
    return g_hash_table_new_full(siphash_string, g_str_equal, g_free, NULL);
}

struct records *records_new(const struct store_clock *clock, unsigned records_max, bool tracks)
{
    struct records *records = g_new0(struct records, 1);
    records->clock = clock ? *clock : (struct store_clock){.now = system_now};
    records->part_max = MAX(records_max / PARTS, 1);
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &records->parts[i];
        g_mutex_init(&part->lock);
        part->records = g_hash_table_new_full(siphash_string, g_str_equal, g_free, record_free);
        part->order = g_ptr_array_new();
        part->dirty_max = records->part_max;
        part->dirty = tracks ? new_set() : NULL;
        part->taken = tracks ? new_set() : NULL;
    }
    return records;
}

void records_free(struct records *records)
{
    if (!records)
        return;
    for (size_t i = 0; i < PARTS; i++) {
        g_hash_table_unref(records->parts[i].records);
        g_ptr_array_unref(records->parts[i].order);
        g_clear_pointer(&records->parts[i].dirty, g_hash_table_unref);
        g_clear_pointer(&records->parts[i].taken, g_hash_table_unref);
        g_mutex_clear(&records->parts[i].lock);
    }
    g_free(records);
}

int64_t records_now(const struct records *records)
{
    return records->clock.now(records->clock.data);
}

static struct part *part_of(struct records *records, const char *key)
{
    return &records->parts[siphash_string(key) % PARTS];
}

/* --- with the lock of the part held --- */

/* While they cannot be written, strangers may bring about more of them than there are records. */
static void changed(struct part *part, const char *key)
{
    if (!part->dirty || part->lost)
        return;
    g_hash_table_add(part->dirty, g_strdup(key));
    if (g_hash_table_size(part->dirty) > part->dirty_max) {
        g_hash_table_remove_all(part->dirty);
        part->lost = true;
    }
}

static void insert_record(struct part *part, const char *key, struct record *record)
{
    char *copy = g_strdup(key);
    record->key = copy;
    record->place = part->order->len;
    g_ptr_array_add(part->order, record);
    g_hash_table_insert(part->records, copy, record);
}

/* The last one takes its place. */
static void leave_order(struct part *part, const struct record *record)
{
    struct record *last = part->order->pdata[part->order->len - 1];
    part->order->pdata[record->place] = last;
    last->place = record->place;
    g_ptr_array_set_size(part->order, (gint)part->order->len - 1);
}

static void remove_record(struct part *part, const char *key)
{
    const struct record *record = g_hash_table_lookup(part->records, key);
    changed(part, key);
    if (!record)
        return;
    leave_order(part, record);
    g_hash_table_remove(part->records, key);
}

static gboolean is_stale(gpointer key, gpointer value, gpointer data)
{
    (void)key;
    return ((const struct record *)value)->expires < *(const int64_t *)data;
}

static void purge_part(struct part *part, int64_t now)
{
    GHashTableIter iter;
    void *key, *value;
    g_hash_table_iter_init(&iter, part->records);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (!is_stale(key, value, &now))
            continue;
        changed(part, key);
        leave_order(part, value);
        g_hash_table_iter_remove(&iter);
    }
}

/* Any of the records. Nothing hangs on its being hard to guess. */
static const struct record *draw(struct part *part)
{
    part->dice = part->dice * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX */
    return part->order->pdata[(part->dice >> 32) % part->order->len];
}

/* Of a few records that are drawn the one goes that would expire first; marks before counters, so
 * that a flood of strangers frees no sender. Those that come first in the table would not do: the
 * counters that are not taken would gather there. */
static void make_room(struct records *records, struct part *part)
{
    const struct record *worst = NULL;
    if (g_hash_table_size(part->records) < records->part_max)
        return;
    for (unsigned i = 0; i < ROOM_LOOKED_AT; i++) {
        const struct record *record = draw(part);
        if (!worst || (record->is_mark && !worst->is_mark) ||
            (record->is_mark == worst->is_mark && record->expires < worst->expires))
            worst = record;
    }
    part->forgotten++;
    remove_record(part, worst->key);
}

static struct record *find(struct part *part, const char *key, bool is_mark, int64_t now)
{
    struct record *record = g_hash_table_lookup(part->records, key);
    if (!record || (record->expires >= now && record->is_mark == is_mark))
        return record;
    remove_record(part, key);
    return NULL;
}

static struct record *find_or_make(struct records *records, struct part *part,
                                   const struct store_request *request, bool is_mark, int64_t now)
{
    struct record *record = find(part, request->key, is_mark, now);
    if (record)
        return record;
    make_room(records, part);
    record = g_new0(struct record, 1);
    record->is_mark = is_mark;
    if (!is_mark)
        record->counter.networks = request->networks;
    insert_record(part, request->key, record);
    return record;
}

static struct notes *notes_of(struct record *record)
{
    if (!record->notes)
        record->notes = g_new0(struct notes, 1);
    return record->notes;
}

/* --- counters --- */

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* What REQUEST would add to the counter: of a network that is known, nothing. */
static uint64_t weight(struct record *record, const struct store_request *request, int64_t now)
{
    if (!request->networks)
        return request->n;
    return record && counter_knows(&record->counter, &request->window, now, request->network) ? 0
                                                                                              : 1;
}

static void tell_counter(struct record *record, const struct store_request *request, int64_t now,
                         struct store_answer *answer_r)
{
    answer_r->max = request->max;
    answer_r->admitted = weight(record, request, now) <= request->max;
    if (!record)
        return;
    const struct notes *notes = record->notes;
    answer_r->used = counter_used(&record->counter, &request->window, now);
    if (notes) {
        answer_r->refused = notes->refused;
        answer_r->held = notes->held;
        answer_r->refused_at = notes->refused_at;
        memcpy(answer_r->client, notes->client, sizeof answer_r->client);
        if (notes->allowed_until > now) {
            answer_r->allowed = notes->allowed;
            answer_r->allowed_until = notes->allowed_until;
            answer_r->max = plus(request->max, notes->allowed);
        }
    }
    uint64_t more = weight(record, request, now);
    uint64_t room = answer_r->max > more ? answer_r->max - more : 0;
    answer_r->admitted =
        more == 0 || (more <= answer_r->max && answer_r->used <= answer_r->max - more);
    answer_r->wait = more == 0 ? 0 : counter_wait(&record->counter, &request->window, now, room);
}

static void keep_for_window(struct record *record, const struct store_request *request, int64_t now)
{
    record->expires = MAX(record->expires, now + counter_lifetime(&request->window));
    if (record->notes)
        record->expires = MAX(record->expires, record->notes->allowed_until);
}

static void add(struct records *records, struct part *part, const struct store_request *request,
                int64_t now, struct store_answer *answer_r)
{
    struct record *record = find(part, request->key, false, now);
    tell_counter(record, request, now, answer_r);
    answer_r->admitted |= request->action == STORE_COUNT;
    if (!answer_r->admitted)
        return;
    record = find_or_make(records, part, request, false, now);
    if (request->networks)
        counter_add_network(&record->counter, &request->window, now, request->network,
                            &answer_r->slot);
    else
        counter_add(&record->counter, &request->window, now, request->n, &answer_r->slot);
    answer_r->used = counter_used(&record->counter, &request->window, now);
    keep_for_window(record, request, now);
    changed(part, request->key);
}

static void note(struct records *records, struct part *part, const struct store_request *request,
                 int64_t now, struct store_answer *answer_r)
{
    struct record *record = find_or_make(records, part, request, false, now);
    struct notes *notes = notes_of(record);
    if (request->held)
        notes->held = plus(notes->held, request->n);
    else
        notes->refused = plus(notes->refused, request->n);
    notes->refused_at = now;
    g_strlcpy(notes->client, request->client ? request->client : "", sizeof notes->client);
    keep_for_window(record, request, now);
    tell_counter(record, request, now, answer_r);
    changed(part, request->key);
}

static void allow(struct records *records, struct part *part, const struct store_request *request,
                  int64_t now, struct store_answer *answer_r)
{
    struct record *record = find_or_make(records, part, request, false, now);
    struct notes *notes = notes_of(record);
    notes->allowed = request->n;
    notes->allowed_until = request->until;
    keep_for_window(record, request, now);
    tell_counter(record, request, now, answer_r);
    changed(part, request->key);
}

static void take_back(struct part *part, const struct store_request *request, int64_t now,
                      struct store_answer *answer_r)
{
    struct record *record = find(part, request->key, false, now);
    if (record && request->networks)
        counter_take_back_network(&record->counter, request->network);
    else if (record)
        counter_take_back(&record->counter, request->slot, request->n);
    tell_counter(record, request, now, answer_r);
    changed(part, request->key);
}

/* --- marks --- */

static void tell_mark(const struct record *record, int64_t now, struct store_answer *answer_r)
{
    if (!record)
        return;
    answer_r->first = record->mark.first;
    answer_r->last = record->mark.last;
    answer_r->hits = record->mark.hits;
    answer_r->age = MAX(now - record->mark.first, 0);
    answer_r->mark = record->mark.passed ? STORE_MARK_PASSED : STORE_MARK_EARLY;
}

static void touch(struct records *records, struct part *part, const struct store_request *request,
                  int64_t now, struct store_answer *answer_r)
{
    struct record *record = find_or_make(records, part, request, true, now);
    struct mark *mark = &record->mark;
    if (mark->hits == 0)
        mark->first = now;
    if (mark->hits == 0 || now - mark->last >= request->gap || now < mark->last) {
        mark->hits++;
        mark->last = now;
    }
    record->expires = now + request->keep;
    tell_mark(record, now, answer_r);
    changed(part, request->key);
}

static void grey(struct records *records, struct part *part, const struct store_request *request,
                 int64_t now, struct store_answer *answer_r)
{
    struct record *record = find(part, request->key, true, now);
    if (!record) {
        record = find_or_make(records, part, request, true, now);
        record->mark = (struct mark){.first = now, .last = now};
        record->expires = now + request->open;
        tell_mark(record, now, answer_r);
        answer_r->mark = STORE_MARK_NEW;
        changed(part, request->key);
        return;
    }
    struct mark *mark = &record->mark;
    /* a clock that was set back: the waiting begins anew, so that it ends */
    mark->first = MIN(mark->first, now);
    if (!mark->passed && now - mark->first < request->delay) {
        tell_mark(record, now, answer_r);
        return;
    }
    mark->passed = true;
    mark->hits++;
    mark->last = now;
    record->expires = now + request->keep;
    tell_mark(record, now, answer_r);
    changed(part, request->key);
}

void records_apply(struct records *records, const struct store_request *request,
                   struct store_answer *answer_r)
{
    struct part *part = part_of(records, request->key);
    int64_t now = records_now(records);
    *answer_r = (struct store_answer){0};
    g_mutex_lock(&part->lock);
    switch (request->action) {
    case STORE_LOOK:
        tell_counter(find(part, request->key, false, now), request, now, answer_r);
        break;
    case STORE_ADD:
    case STORE_COUNT:
        add(records, part, request, now, answer_r);
        break;
    case STORE_TAKE_BACK:
        take_back(part, request, now, answer_r);
        break;
    case STORE_NOTE:
        note(records, part, request, now, answer_r);
        break;
    case STORE_ALLOW:
        allow(records, part, request, now, answer_r);
        break;
    case STORE_RESET:
        tell_counter(find(part, request->key, false, now), request, now, answer_r);
        remove_record(part, request->key);
        break;
    case STORE_SEE:
        tell_mark(find(part, request->key, true, now), now, answer_r);
        break;
    case STORE_TOUCH:
        touch(records, part, request, now, answer_r);
        break;
    case STORE_GREY:
        grey(records, part, request, now, answer_r);
        break;
    case STORE_FORGET:
        tell_mark(find(part, request->key, true, now), now, answer_r);
        remove_record(part, request->key);
        break;
    }
    g_mutex_unlock(&part->lock);
}

void records_align(struct records *records, const struct store_request *request, uint64_t used)
{
    struct part *part = part_of(records, request->key);
    int64_t now = records_now(records);
    g_mutex_lock(&part->lock);
    struct record *record = find(part, request->key, false, now);
    if (!record && used > 0)
        record = find_or_make(records, part, request, false, now);
    if (record && !request->networks)
        counter_align(&record->counter, &request->window, now, used);
    if (record)
        keep_for_window(record, request, now);
    g_mutex_unlock(&part->lock);
}

/* --- all of them --- */

GPtrArray *records_keys(struct records *records, const char *prefix)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    int64_t now = records_now(records);
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &records->parts[i];
        GHashTableIter iter;
        void *key, *value;
        g_mutex_lock(&part->lock);
        g_hash_table_iter_init(&iter, part->records);
        while (g_hash_table_iter_next(&iter, &key, &value))
            if (g_str_has_prefix(key, prefix) && !is_stale(key, value, &now))
                g_ptr_array_add(keys, g_strdup(key));
        g_mutex_unlock(&part->lock);
    }
    return keys;
}

uint64_t records_count(struct records *records)
{
    uint64_t count = 0;
    for (size_t i = 0; i < PARTS; i++) {
        g_mutex_lock(&records->parts[i].lock);
        count += g_hash_table_size(records->parts[i].records);
        g_mutex_unlock(&records->parts[i].lock);
    }
    return count;
}

uint64_t records_forgotten(struct records *records)
{
    uint64_t count = 0;
    for (size_t i = 0; i < PARTS; i++) {
        g_mutex_lock(&records->parts[i].lock);
        count += records->parts[i].forgotten;
        g_mutex_unlock(&records->parts[i].lock);
    }
    return count;
}

void records_purge(struct records *records)
{
    int64_t now = records_now(records);
    for (size_t i = 0; i < PARTS; i++) {
        g_mutex_lock(&records->parts[i].lock);
        purge_part(&records->parts[i], now);
        g_mutex_unlock(&records->parts[i].lock);
    }
}

/* --- as text ---
 *
 * "m FIRST LAST HITS PASSED", or "c NETWORKS SLOT:USES:VALUE... [; ALLOWED UNTIL REFUSED HELD AT
 * CLIENT]". */

static char *to_text(const struct record *record)
{
    if (record->is_mark)
        return g_strdup_printf(
            "m %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GUINT64_FORMAT " %d",
            record->mark.first, record->mark.last, record->mark.hits, record->mark.passed);
    GString *text = g_string_new(record->counter.networks ? "c 1" : "c 0");
    for (uint32_t i = 0; i < record->counter.count; i++) {
        const struct counter_slot *slot = &record->counter.slots[i];
        g_string_append_printf(text, " %u:%u:%" G_GUINT64_FORMAT, slot->slot, slot->uses,
                               slot->value);
    }
    const struct notes *notes = record->notes;
    if (notes)
        g_string_append_printf(text,
                               " ; %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GUINT64_FORMAT
                               " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s",
                               notes->allowed, notes->allowed_until, notes->refused, notes->held,
                               notes->refused_at, notes->client);
    return g_string_free(text, FALSE);
}

/* The next number of *TEXT_R, which must be followed by a space, one of ENDS or nothing. */
static bool take_number(const char **text_r, const char *ends, uint64_t *number_r)
{
    char *end;
    if (!g_ascii_isdigit(**text_r))
        return false;
    *number_r = g_ascii_strtoull(*text_r, &end, 10);
    if (*end != '\0' && !strchr(ends, *end))
        return false;
    *text_r = *end == '\0' ? end : end + 1;
    return true;
}

static bool read_notes(struct record *record, const char *text)
{
    uint64_t numbers[5];
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!take_number(&text, " ", &numbers[i]))
            return false;
    record->notes = g_new0(struct notes, 1);
    *record->notes = (struct notes){.allowed = numbers[0],
                                    .allowed_until = (int64_t)numbers[1],
                                    .refused = numbers[2],
                                    .held = numbers[3],
                                    .refused_at = (int64_t)numbers[4]};
    g_strlcpy(record->notes->client, text, sizeof record->notes->client);
    return true;
}

static bool read_counter(struct record *record, const char *text)
{
    uint64_t networks, slot, uses, value;
    if (!take_number(&text, " ", &networks))
        return false;
    struct counter *counter = &record->counter;
    counter->networks = networks == 1;
    while (*text && *text != ';') {
        if (!take_number(&text, ":", &slot) || !take_number(&text, ":", &uses) ||
            !take_number(&text, " ", &value) || counter->count >= COUNTER_NETWORKS_MAX)
            return false;
        if (counter->count == counter->room) {
            counter->room = counter->room ? counter->room * 2 : 1;
            counter->slots = g_renew(struct counter_slot, counter->slots, counter->room);
        }
        counter->slots[counter->count++] =
            (struct counter_slot){.slot = (uint32_t)slot, .uses = (uint32_t)uses, .value = value};
    }
    return *text == '\0' || (text[1] == ' ' && read_notes(record, text + 2));
}

static bool read_mark(struct record *record, const char *text)
{
    uint64_t numbers[4];
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!take_number(&text, " ", &numbers[i]))
            return false;
    record->is_mark = true;
    record->mark = (struct mark){.first = (int64_t)numbers[0],
                                 .last = (int64_t)numbers[1],
                                 .hits = numbers[2],
                                 .passed = numbers[3] != 0};
    return true;
}

/* What RECORD and FROM were told in two places; the notes are those of RECORD, if it has any, and
 * what was allowed by hand, if anything was. */
static void merge(struct record *record, struct record *from)
{
    if (record->is_mark != from->is_mark ||
        (!record->is_mark && record->counter.networks != from->counter.networks))
        return;
    record->expires = MAX(record->expires, from->expires);
    if (!record->is_mark) {
        counter_merge(&record->counter, &from->counter);
        if (!record->notes)
            record->notes = g_steal_pointer(&from->notes);
        if (from->notes && record->notes->allowed_until == 0) {
            record->notes->allowed = from->notes->allowed;
            record->notes->allowed_until = from->notes->allowed_until;
        }
        return;
    }
    record->mark.first = MIN(record->mark.first, from->mark.first);
    record->mark.last = MAX(record->mark.last, from->mark.last);
    record->mark.hits = plus(record->mark.hits, from->mark.hits);
    record->mark.passed |= from->mark.passed;
}

bool records_restore(struct records *records, const char *key, const char *text, int64_t expires)
{
    struct record *record = g_new0(struct record, 1);
    bool good = false;
    record->expires = expires;
    if (g_str_has_prefix(text, "m "))
        good = read_mark(record, text + 2);
    else if (g_str_has_prefix(text, "c "))
        good = read_counter(record, text + 2);
    struct part *part = part_of(records, key);
    g_mutex_lock(&part->lock);
    struct record *there = good ? g_hash_table_lookup(part->records, key) : NULL;
    bool removed = !there && part->dirty && g_hash_table_contains(part->dirty, key);
    if (there) {
        merge(there, record);
        changed(part, key);
    } else if (good && !removed) {
        make_room(records, part);
        insert_record(part, key, record);
        record = NULL;
    }
    g_mutex_unlock(&part->lock);
    if (record)
        record_free(record);
    return good;
}

/* --- writing behind --- */

struct change {
    char *key, *text;
    int64_t expires;
};

static void change_clear(void *data)
{
    struct change *change = data;
    g_free(change->key);
    g_free(change->text);
}

/* What changed, as text, so that nobody waits for the file. */
static GArray *changes_of(struct part *part, bool all)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(struct change));
    g_array_set_clear_func(changes, change_clear);
    GHashTableIter iter;
    void *key;
    g_mutex_lock(&part->lock);
    if (all) {
        g_hash_table_iter_init(&iter, part->records);
        while (g_hash_table_iter_next(&iter, &key, NULL))
            g_hash_table_add(part->dirty, g_strdup(key));
        /* what nobody was told of by then is taken the next time */
        part->lost_taken = part->lost_told;
        part->lost &= !part->lost_told;
        part->lost_told = false;
    }
    GHashTable *dirty = part->dirty;
    part->dirty = new_set();
    g_hash_table_iter_init(&iter, dirty);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct record *record = g_hash_table_lookup(part->records, key);
        struct change change = {.key = g_strdup(key),
                                .text = record ? to_text(record) : NULL,
                                .expires = record ? record->expires : 0};
        g_array_append_val(changes, change);
    }
    g_hash_table_unref(part->taken);
    part->taken = dirty;
    g_mutex_unlock(&part->lock);
    return changes;
}

void records_changes(struct records *records, bool all, records_visitor *visit, void *data)
{
    for (size_t i = 0; i < PARTS; i++) {
        g_autoptr(GArray) changes = changes_of(&records->parts[i], all);
        for (guint j = 0; j < changes->len; j++) {
            const struct change *change = &g_array_index(changes, struct change, j);
            visit(data, change->key, change->text, change->expires);
        }
    }
}

bool records_has_changes(struct records *records)
{
    bool any = false;
    for (size_t i = 0; i < PARTS && !any; i++) {
        g_mutex_lock(&records->parts[i].lock);
        any = g_hash_table_size(records->parts[i].dirty) > 0 || records->parts[i].lost;
        g_mutex_unlock(&records->parts[i].lock);
    }
    return any;
}

bool records_lost_changes(struct records *records)
{
    bool any = false;
    for (size_t i = 0; i < PARTS; i++) {
        g_mutex_lock(&records->parts[i].lock);
        records->parts[i].lost_told = records->parts[i].lost;
        any |= records->parts[i].lost;
        g_mutex_unlock(&records->parts[i].lock);
    }
    return any;
}

void records_confirm(struct records *records, bool written)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &records->parts[i];
        GHashTableIter iter;
        void *key;
        g_mutex_lock(&part->lock);
        g_hash_table_iter_init(&iter, part->taken);
        while (!written && g_hash_table_iter_next(&iter, &key, NULL))
            changed(part, key);
        g_hash_table_remove_all(part->taken);
        part->lost |= part->lost_taken && !written;
        part->lost_taken = false;
        g_mutex_unlock(&part->lock);
    }
}
