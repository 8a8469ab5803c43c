/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tickets, and the stores that answer at once: in memory, in memory and written behind, and one
 * that never has a server.
 */
#include "store/store.h"

#include <string.h>

#include "base/waiting.h"
#include "store/statefile.h"
#include "store_private.h"

/* How often what changed is written, and what expired is cleared away, in ms. */
enum { WRITE_MS = 1000, PURGE_MS = 60000 };

/* --- tickets --- */

void store_init(struct store *store, const struct store_kind *kind, struct records *records)
{
    store->kind = kind;
    store->records = records;
    g_mutex_init(&store->lock);
    g_cond_init(&store->woken);
}

struct store_ticket *store_ticket_ref(struct store_ticket *ticket)
{
    g_atomic_ref_count_inc(&ticket->references);
    return ticket;
}

void store_ticket_unref(struct store_ticket *ticket)
{
    if (!g_atomic_ref_count_dec(&ticket->references))
        return;
    g_free((char *)ticket->request.key);
    g_free((char *)ticket->request.client);
    g_free(ticket);
}

struct store_ticket *store_ask(struct store *store, const struct store_request *request,
                               struct waker waker)
{
    struct store_ticket *ticket = g_new0(struct store_ticket, 1);
    g_atomic_ref_count_init(&ticket->references);
    ticket->store = store;
    ticket->request = *request;
    ticket->request.key = g_strdup(request->key);
    ticket->request.client = g_strdup(request->client);
    store->asked++;
    store->kind->ask(store, ticket);
    /* Behind the asking, so that what is answered at once wakes nobody; what was answered by now is
     * seen by whoever looks before he waits. */
    g_mutex_lock(&store->lock);
    ticket->waker = waker;
    g_mutex_unlock(&store->lock);
    return ticket;
}

const struct store_answer *store_ticket_answer(const struct store_ticket *ticket)
{
    return g_atomic_int_get(&ticket->ready) ? &ticket->answer : NULL;
}

bool store_ticket_settle(struct store_ticket *ticket, const struct store_answer *answer)
{
    struct store *store = ticket->store;
    ticket->answer = *answer;
    if (answer->own)
        store->own++;
    g_mutex_lock(&store->lock);
    g_atomic_int_set(&ticket->ready, 1);
    bool unwanted = ticket->unwanted;
    struct waker waker = ticket->waker;
    if (waker.wake) {
        ticket->waking = true;
        g_mutex_unlock(&store->lock);
        waker.wake(waker.data);
        g_mutex_lock(&store->lock);
        ticket->waking = false;
        g_cond_broadcast(&store->woken);
    }
    g_mutex_unlock(&store->lock);
    return unwanted;
}

void store_ticket_drop(struct store_ticket *ticket)
{
    if (!ticket)
        return;
    struct store *store = ticket->store;
    g_mutex_lock(&store->lock);
    ticket->waker = (struct waker){0};
    while (ticket->waking && g_thread_self() != store->thread)
        g_cond_wait(&store->woken, &store->lock);
    g_mutex_unlock(&store->lock);
    store_ticket_unref(ticket);
}

void store_ticket_take_back(struct store_ticket *ticket)
{
    if (!ticket)
        return;
    struct store *store = ticket->store;
    g_mutex_lock(&store->lock);
    bool ready = g_atomic_int_get(&ticket->ready);
    ticket->unwanted = !ready;
    g_mutex_unlock(&store->lock);
    if (ready && ticket->answer.admitted) {
        struct store_request back = ticket->request;
        back.action = STORE_TAKE_BACK;
        back.slot = ticket->answer.slot;
        back.client = NULL;
        store_ticket_drop(store_ask(store, &back, (struct waker){0}));
    }
    store_ticket_drop(ticket);
}

void store_ask_all(struct store *store, const struct store_request *requests, unsigned count,
                   struct store_answer *answers_r)
{
    struct waiting waiting;
    g_autofree struct store_ticket **tickets = g_new(struct store_ticket *, count);
    waiting_init(&waiting);
    for (unsigned i = 0; i < count; i++)
        tickets[i] = store_ask(store, &requests[i], waiting.waker);
    for (unsigned i = 0; i < count; i++) {
        while (!store_ticket_answer(tickets[i]))
            waiting_sleep(&waiting, g_get_monotonic_time() + G_TIME_SPAN_SECOND);
        answers_r[i] = *store_ticket_answer(tickets[i]);
        store_ticket_drop(tickets[i]);
    }
    waiting_clear(&waiting);
}

void store_ask_now(struct store *store, const struct store_request *request,
                   struct store_answer *answer_r)
{
    store_ask_all(store, request, 1, answer_r);
}

bool store_is_shared(const struct store *store)
{
    return store->kind->shared;
}

GPtrArray *store_list(struct store *store, const char *prefix, char **why_r)
{
    return store->kind->list(store, prefix, why_r);
}

void store_get_status(struct store *store, struct store_status *status_r)
{
    *status_r = (struct store_status){
        .kind = store->kind->name,
        .up = true,
        .asked = store->asked,
        .own = store->own,
        .records = records_count(store->records),
        .forgotten = records_forgotten(store->records),
    };
    if (store->kind->status)
        store->kind->status(store, status_r);
}

void store_status_clear(struct store_status *status)
{
    g_free(status->place);
    g_free(status->fault);
    *status = (struct store_status){0};
}

void store_finish(struct store *store)
{
    if (store->kind->finish)
        store->kind->finish(store);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->kind->close)
        store->kind->close(store);
    records_free(store->records);
    g_mutex_clear(&store->lock);
    g_cond_clear(&store->woken);
    g_free(store);
}

/* --- in memory --- */

static void ask_records(struct store *store, struct store_ticket *ticket)
{
    struct store_answer answer;
    records_apply(store->records, &ticket->request, &answer);
    store_ticket_settle(ticket, &answer);
}

static GPtrArray *list_records(struct store *store, const char *prefix, char **why_r)
{
    (void)why_r;
    return records_keys(store->records, prefix);
}

struct store *store_memory(const struct store_clock *clock)
{
    static const struct store_kind kind = {
        .name = "memory", .ask = ask_records, .list = list_records};
    struct store *store = g_new0(struct store, 1);
    store_init(store, &kind, records_new(clock, RECORDS_MAX, false));
    return store;
}

/* --- never a server --- */

static void ask_nobody(struct store *store, struct store_ticket *ticket)
{
    struct store_answer answer;
    records_apply(store->records, &ticket->request, &answer);
    answer.own = true;
    store_ticket_settle(ticket, &answer);
}

static GPtrArray *list_nobody(struct store *store, const char *prefix, char **why_r)
{
    (void)store, (void)prefix;
    *why_r = g_strdup("the store is away");
    return NULL;
}

static void status_nobody(struct store *store, struct store_status *status_r)
{
    (void)store;
    status_r->up = false;
    status_r->fault = g_strdup("it fails on purpose");
}

struct store *store_failing(const struct store_clock *clock)
{
    static const struct store_kind kind = {
        .name = "fail", .ask = ask_nobody, .list = list_nobody, .status = status_nobody};
    struct store *store = g_new0(struct store, 1);
    store_init(store, &kind, records_new(clock, RECORDS_MAX, false));
    return store;
}

/* --- written behind --- */

struct sqlite_store {
    struct store store;
    struct state_file *file;
    struct store_log log;
    GThread *writer; /* NULL: it has written for the last time */
    /* the writer's, once it has begun */
    bool loaded;         /* what the file held at the start counts */
    GString *loaded_to;  /* the last key of it that counts, where reading broke off */
    uint64_t generation; /* of the file that has all that was confirmed */
    GMutex lock;         /* guards what follows */
    GCond stop_cond;
    bool stop;
    char *fault;        /* of the last writing; NULL: none */
    gint64 fault_since; /* ms since 1970 */
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, text TEXT NOT NULL,"
    " expires INTEGER NOT NULL) WITHOUT ROWID";

struct writing {
    struct sqlite_store *store;
    uint64_t generation;
    sqlite3_stmt *put, *remove;
    int code;
};

static void write_record(void *data, const char *key, const char *text, int64_t expires)
{
    struct writing *writing = data;
    sqlite3_stmt *statement = text ? writing->put : writing->remove;
    if (writing->code != SQLITE_OK)
        return;
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (text) {
        sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, expires);
    }
    writing->code = sqlite3_step(statement);
    if (writing->code == SQLITE_DONE)
        writing->code = SQLITE_OK;
    sqlite3_reset(statement);
}

static int write_changes(sqlite3 *db, void *data)
{
    struct writing *writing = data;
    struct sqlite_store *store = writing->store;
    writing->generation = state_file_generation(store->file);
    writing->put = writing->remove = NULL;
    writing->code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (writing->code == SQLITE_OK)
        writing->code = sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3)",
                                           -1, &writing->put, NULL);
    if (writing->code == SQLITE_OK)
        writing->code =
            sqlite3_prepare_v2(db, "DELETE FROM record WHERE key = ?1", -1, &writing->remove, NULL);
    bool anew = records_lost_changes(store->store.records);
    if (writing->code == SQLITE_OK && anew)
        writing->code = sqlite3_exec(db, "DELETE FROM record", NULL, NULL, NULL);
    if (writing->code == SQLITE_OK)
        records_changes(store->store.records, anew || writing->generation != store->generation,
                        write_record, writing);
    sqlite3_finalize(writing->put);
    sqlite3_finalize(writing->remove);
    /* a second try begins with all of it */
    if (writing->code != SQLITE_OK)
        records_confirm(store->store.records, false);
    return writing->code;
}

/* Says what is new: a fault that was there before was told. */
static void tell_fault(struct sqlite_store *store, char *why)
{
    g_mutex_lock(&store->lock);
    bool is_new = why && !store->fault, is_over = !why && store->fault;
    g_free(store->fault);
    store->fault = why;
    if (is_new || is_over)
        store->fault_since = g_get_real_time() / 1000;
    g_mutex_unlock(&store->lock);
    g_autofree char *aside = state_file_put_aside(store->file);
    if (aside) {
        g_autofree char *text =
            g_strdup_printf("state: %s was no database any more: it was put aside as %s, and a "
                            "new one begun",
                            state_file_path(store->file), aside);
        store->log.warn(store->log.data, text);
    }
    if (is_new) {
        g_autofree char *text =
            g_strdup_printf("state: %s: limits and greylisting are kept in memory alone, and "
                            "tried to be written every second",
                            why);
        store->log.warn(store->log.data, text);
    } else if (is_over) {
        g_autofree char *text =
            g_strdup_printf("state: %s is written again", state_file_path(store->file));
        store->log.tell(store->log.data, text);
    }
}

static int load_records(sqlite3 *db, void *data);

static void write_behind(struct sqlite_store *store)
{
    if (store->loaded && !records_has_changes(store->store.records) &&
        state_file_is_there(store->file))
        return;
    struct writing writing = {.store = store};
    char *why = NULL;
    /* a file that could not be read holds what was counted before: to write first would lose it */
    store->loaded = store->loaded || state_file_run(store->file, true, load_records, store, &why);
    if (!store->loaded) {
        tell_fault(store, why);
        return;
    }
    bool written = state_file_run(store->file, true, write_changes, &writing, &why);
    records_confirm(store->store.records, written);
    if (written)
        store->generation = writing.generation;
    tell_fault(store, why);
}

static void *write_for_ever(void *data)
{
    struct sqlite_store *store = data;
    gint64 purged = g_get_monotonic_time();
    g_mutex_lock(&store->lock);
    while (!store->stop) {
        g_cond_wait_until(&store->stop_cond, &store->lock,
                          g_get_monotonic_time() + WRITE_MS * G_TIME_SPAN_MILLISECOND);
        g_mutex_unlock(&store->lock);
        if (g_get_monotonic_time() - purged > PURGE_MS * G_TIME_SPAN_MILLISECOND) {
            records_purge(store->store.records);
            purged = g_get_monotonic_time();
        }
        write_behind(store);
        g_mutex_lock(&store->lock);
    }
    g_mutex_unlock(&store->lock);
    write_behind(store); /* what came since */
    return NULL;
}

static int load_records(sqlite3 *db, void *data)
{
    struct sqlite_store *store = data;
    sqlite3_stmt *rows = NULL;
    int code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db,
                                  "SELECT key, text, expires FROM record WHERE expires >= ?1"
                                  " AND key > ?2 ORDER BY key",
                                  -1, &rows, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(rows, 1, records_now(store->store.records));
        sqlite3_bind_text(rows, 2, store->loaded_to->str, -1, SQLITE_TRANSIENT);
        while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
            const char *key = (const char *)sqlite3_column_text(rows, 0);
            const char *text = (const char *)sqlite3_column_text(rows, 1);
            if (!key || !text)
                continue;
            g_string_assign(store->loaded_to, key);
            records_restore(store->store.records, key, text, sqlite3_column_int64(rows, 2));
        }
    }
    sqlite3_finalize(rows);
    if (code == SQLITE_DONE) {
        sqlite3_stmt *clear = NULL;
        code = sqlite3_prepare_v2(db, "DELETE FROM record WHERE expires < ?1", -1, &clear, NULL);
        if (code == SQLITE_OK) {
            sqlite3_bind_int64(clear, 1, records_now(store->store.records));
            code = sqlite3_step(clear);
        }
        sqlite3_finalize(clear);
        store->generation = state_file_generation(store->file);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void status_sqlite(struct store *base, struct store_status *status_r)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    status_r->place = g_strdup(state_file_path(store->file));
    g_mutex_lock(&store->lock);
    status_r->up = !store->fault;
    status_r->fault = g_strdup(store->fault);
    status_r->since = store->fault_since;
    g_mutex_unlock(&store->lock);
}

static void finish_sqlite(struct store *base)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    g_mutex_lock(&store->lock);
    store->stop = true;
    g_cond_signal(&store->stop_cond);
    g_mutex_unlock(&store->lock);
    g_clear_pointer(&store->writer, g_thread_join);
}

static void close_sqlite(struct store *base)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    bool finished = !store->writer;
    finish_sqlite(base);
    if (finished)
        write_behind(store); /* what others changed since */
    g_mutex_clear(&store->lock);
    g_cond_clear(&store->stop_cond);
    g_string_free(store->loaded_to, TRUE);
    g_free(store->fault);
}

struct store *store_sqlite(struct state_file *file, const struct store_clock *clock,
                           const struct store_log *log)
{
    static const struct store_kind kind = {.name = "sqlite",
                                           .ask = ask_records,
                                           .list = list_records,
                                           .status = status_sqlite,
                                           .finish = finish_sqlite,
                                           .close = close_sqlite};
    struct sqlite_store *store = g_new0(struct sqlite_store, 1);
    store_init(&store->store, &kind, records_new(clock, RECORDS_MAX, true));
    store->file = file;
    store->log = *log;
    store->loaded_to = g_string_new(NULL);
    g_mutex_init(&store->lock);
    g_cond_init(&store->stop_cond);
    char *why = NULL;
    store->loaded = state_file_run(file, true, load_records, store, &why);
    tell_fault(store, why);
    store->writer = g_thread_new("store", write_for_ever, store);
    return &store->store;
}
