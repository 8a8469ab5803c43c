/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing the file.
 */
#include "history_file.h"

#include "history_key.h"

/* What a transaction evicts at most, so that it ends soon, and rows read at a time for it. */
enum { EVICT_MAX = 4000, EVICT_STEP = 200 };

/* Bytes that SQLite needs for a row and a key beside the record: a guess for the shares; what the
 * whole takes is measured. */
enum { ROW_EXTRA = 50, KEY_EXTRA = 23 };

/* Step N brings a file of version N to N + 1. */
static const char *const steps[HISTORY_SCHEMA] = {
    "CREATE TABLE decision(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " early INTEGER NOT NULL, size INTEGER NOT NULL, row BLOB NOT NULL);"
    "CREATE INDEX decision_early ON decision(id) WHERE early = 1;"
    "CREATE TABLE key(day INTEGER, hash INTEGER, id INTEGER, PRIMARY KEY(day, hash, id))"
    " WITHOUT ROWID;"
    "CREATE TABLE client(day INTEGER, address BLOB, id INTEGER, PRIMARY KEY(day, address, id))"
    " WITHOUT ROWID;"
    "CREATE TABLE ruleset(name TEXT PRIMARY KEY, at INTEGER NOT NULL, rules TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE total(early INTEGER PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "INSERT INTO total VALUES(0, 0, 0), (1, 0, 0);"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('seed', randomblob(16));",
    /* half of the hash tells rows apart well enough, and the day goes before it */
    "CREATE TABLE short(place INTEGER, id INTEGER, PRIMARY KEY(place, id)) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO short SELECT day << 32 | (hash & 0xffffffff), id FROM key ORDER BY 1, 2;"
    "DROP TABLE key; ALTER TABLE short RENAME TO key;",
};

struct history_item *history_item_new(const void *record, size_t length)
{
    struct history_item *item = g_malloc(sizeof *item + length);
    *item = (struct history_item){.link.data = item, .length = length};
    memcpy(item->record, record, length);
    return item;
}

void history_item_free(struct history_item *item)
{
    if (!item)
        return;
    g_clear_pointer(&item->rules_name, g_ref_string_release);
    g_clear_pointer(&item->rules_text, g_ref_string_release);
    g_free(item);
}

/* The statement that says SQL. It stays with the connection, as to compile it costs as much as to
 * run it some ten times; whoever closes that finalizes it. */
static int kept_statement(sqlite3 *db, const char *sql, sqlite3_stmt **statement_r)
{
    sqlite3_stmt *kept = NULL;
    while ((kept = sqlite3_next_stmt(db, kept)) && strcmp(sqlite3_sql(kept), sql) != 0)
        continue;
    *statement_r = kept;
    return kept ? SQLITE_OK : sqlite3_prepare_v2(db, sql, -1, statement_r, NULL);
}

/* The number that SQL gives; -1 if it gives none. */
static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *query;
    int64_t number = -1;
    if (kept_statement(db, sql, &query) != SQLITE_OK)
        return -1;
    if (sqlite3_step(query) == SQLITE_ROW)
        number = sqlite3_column_int64(query, 0);
    sqlite3_reset(query);
    return number;
}

static int bring_up(sqlite3 *db, struct history_work *work)
{
    int64_t version = number_of(db, "PRAGMA user_version");
    work->too_new = version > HISTORY_SCHEMA;
    if (work->too_new)
        return SQLITE_ERROR;
    if (version < 0)
        return sqlite3_errcode(db) == SQLITE_OK ? SQLITE_ERROR : sqlite3_errcode(db);
    work->rises = version > 0 && version < HISTORY_SCHEMA;
    for (; version < HISTORY_SCHEMA; version++) {
        g_autofree char *mark =
            g_strdup_printf("PRAGMA user_version = %" G_GINT64_FORMAT, version + 1);
        int code = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db, mark, NULL, NULL, NULL);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

int history_file_seed(sqlite3 *db, struct siphash_seed *seed_r)
{
    sqlite3_stmt *query = NULL;
    int code =
        sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = 'seed'", -1, &query, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(query);
        bool whole = code == SQLITE_ROW && sqlite3_column_bytes(query, 0) == sizeof *seed_r;
        if (whole)
            memcpy(seed_r, sqlite3_column_blob(query, 0), sizeof *seed_r);
        code = whole                                       ? SQLITE_OK
               : code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_CORRUPT
                                                           : code;
    }
    sqlite3_finalize(query);
    return code;
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement_r)
{
    return sqlite3_prepare_v2(db, sql, -1, statement_r, NULL);
}

/* Runs a prepared statement that gives nothing. */
static int run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* ---- what goes ---- */

static int add_total(sqlite3 *db, bool early, int64_t rows, int64_t bytes)
{
    g_autofree char *sql =
        g_strdup_printf("UPDATE total SET rows = max(rows + %" G_GINT64_FORMAT
                        ", 0), bytes = max(bytes + %" G_GINT64_FORMAT ", 0) WHERE early = %d",
                        rows, bytes, early);
    return rows || bytes ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_OK;
}

int history_deleter_init(struct history_deleter *deleter, sqlite3 *db, const char *delimiters)
{
    *deleter = (struct history_deleter){.db = db, .delimiters = delimiters};
    deleter->hashes = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int code = history_file_seed(db, &deleter->seed);
    if (code == SQLITE_OK)
        code = prepare(db, "DELETE FROM decision WHERE id = ?", &deleter->decision);
    if (code == SQLITE_OK)
        code = prepare(db, "DELETE FROM key WHERE place = ? AND id = ?", &deleter->key);
    if (code == SQLITE_OK)
        code = prepare(db, "DELETE FROM client WHERE day = ? AND address = ? AND id = ?",
                       &deleter->client);
    return code;
}

int history_delete(struct history_deleter *deleter, int64_t id, bool early, int64_t size,
                   const void *record, size_t length)
{
    struct history_row row;
    int code = SQLITE_OK;
    g_array_set_size(deleter->hashes, 0);
    if (history_record_read(record, length, &row)) {
        unsigned char client[HISTORY_CLIENT_MAX];
        size_t client_length = history_row_client(&row, client);
        int64_t day = history_day(row.when);
        history_row_hashes(&row, &deleter->seed, deleter->delimiters, deleter->hashes);
        for (guint i = 0; code == SQLITE_OK && i < deleter->hashes->len; i++) {
            int64_t hash = g_array_index(deleter->hashes, int64_t, i);
            sqlite3_bind_int64(deleter->key, 1, history_key_place(day, hash));
            sqlite3_bind_int64(deleter->key, 2, id);
            code = run(deleter->key);
        }
        sqlite3_bind_int64(deleter->client, 1, day);
        sqlite3_bind_blob(deleter->client, 2, client, (int)client_length, SQLITE_STATIC);
        sqlite3_bind_int64(deleter->client, 3, id);
        if (code == SQLITE_OK)
            code = run(deleter->client);
        history_row_clear(&row);
    }
    sqlite3_bind_int64(deleter->decision, 1, id);
    if (code == SQLITE_OK)
        code = run(deleter->decision);
    deleter->rows[early]++;
    deleter->bytes[early] += size;
    return code;
}

int history_deleter_end(struct history_deleter *deleter)
{
    int code = SQLITE_OK;
    for (int early = 0; code == SQLITE_OK && early < 2; early++)
        code = add_total(deleter->db, early, -deleter->rows[early], -deleter->bytes[early]);
    sqlite3_finalize(deleter->decision);
    sqlite3_finalize(deleter->key);
    sqlite3_finalize(deleter->client);
    g_array_unref(deleter->hashes);
    return code;
}

static int64_t used_bytes(sqlite3 *db)
{
    return (number_of(db, "PRAGMA page_count") - number_of(db, "PRAGMA freelist_count")) *
           number_of(db, "PRAGMA page_size");
}

/* A step of rows, the oldest first: of early ones alone, or of all, up to one that is not older
 * than OLDEST, nor of days to come, when a clock was wrong. *COUNT_R: how many went. */
static int evict_step(sqlite3 *db, const char *delimiters, bool early, int64_t oldest,
                      unsigned *count_r)
{
    static const char all[] = "SELECT id, early, row, at, size FROM decision ORDER BY id LIMIT ?";
    static const char those[] =
        "SELECT id, early, row, at, size FROM decision WHERE early = 1 ORDER BY id LIMIT ?";
    int64_t newest = g_get_real_time() + G_TIME_SPAN_DAY;
    sqlite3_stmt *query = NULL;
    struct history_deleter deleter;
    int code = history_deleter_init(&deleter, db, delimiters);
    *count_r = 0;
    if (code == SQLITE_OK)
        code = prepare(db, early ? those : all, &query);
    if (code == SQLITE_OK)
        sqlite3_bind_int(query, 1, EVICT_STEP);
    while (code == SQLITE_OK && (code = sqlite3_step(query)) == SQLITE_ROW) {
        int64_t at = sqlite3_column_int64(query, 3);
        if (at >= oldest && at <= newest) {
            code = SQLITE_DONE;
            break;
        }
        code =
            history_delete(&deleter, sqlite3_column_int64(query, 0), sqlite3_column_int(query, 1),
                           sqlite3_column_int64(query, 4), sqlite3_column_blob(query, 2),
                           (size_t)sqlite3_column_bytes(query, 2));
        ++*count_r;
    }
    sqlite3_finalize(query);
    int ended = history_deleter_end(&deleter);
    return code == SQLITE_DONE ? ended : code;
}

/* Of the first rows, as one of them may be of a day to come. */
#define OLDEST_OF_FIRST                                                                            \
    "SELECT ifnull(min(at), -1) FROM (SELECT at FROM decision ORDER BY id LIMIT 100)"

/* Makes room for INCOMING bytes. What is old goes first; then refusals before DATA, which have no
 * more than half of the file and go before anything else; then what is oldest. */
static int evict(sqlite3 *db, struct history_work *work, int64_t incoming)
{
    int code = SQLITE_OK;
    unsigned gone = 0, count = 1;
    bool aged = true; /* there may be rows at the head that are too old */
    work->more = true;
    while (work->more && code == SQLITE_OK && gone < EVICT_MAX && count > 0) {
        int64_t at = number_of(db, OLDEST_OF_FIRST);
        int64_t early = number_of(db, "SELECT id FROM decision WHERE early = 1 LIMIT 1");
        int64_t share = number_of(db, "SELECT bytes FROM total WHERE early = 1");
        bool too_large = used_bytes(db) + incoming > work->size;
        if (aged && at >= 0 && at < work->oldest) {
            code = evict_step(db, work->delimiters, false, work->oldest, &count);
            gone += count;
            aged = count > 0;
            count = 1;
            continue;
        }
        if (early >= 0 && (too_large || share > work->size / 2))
            code = evict_step(db, work->delimiters, true, G_MAXINT64, &count);
        else if (at >= 0 && too_large)
            code = evict_step(db, work->delimiters, false, G_MAXINT64, &count);
        else
            work->more = false;
        gone += work->more ? count : 0;
    }
    work->evicted = gone;
    return code;
}

/* ---- what comes ---- */

struct writer {
    sqlite3 *db;
    struct siphash_seed seed;
    const char *delimiters;
    GArray *decisions; /* of struct decision, in the order of ids */
    GArray *clients;   /* of struct client, */
    GArray *keys;      /* of struct key: written in the order in which the file has them */
    GString *packed;   /* the records of DECISIONS */
    int64_t rows[2], bytes[2];
};

struct decision {
    int64_t id, at, size;
    bool early;
    size_t begin, length; /* of its record in PACKED */
};

struct client {
    int64_t day, id;
    unsigned char address[HISTORY_CLIENT_MAX];
    size_t length;
};

struct key {
    int64_t place, id;
};

/* A table that rows are inserted into. */
struct insertion {
    const char *head; /* of the statement, up to the values */
    int columns;
    /* Gives the columns of row INDEX their values; the first one is the statement's PLACE-th. */
    void (*bind)(const struct writer *writer, guint index, sqlite3_stmt *statement, int place);
};

static void bind_decision(const struct writer *writer, guint index, sqlite3_stmt *statement,
                          int place)
{
    const struct decision *decision = &g_array_index(writer->decisions, struct decision, index);
    sqlite3_bind_int64(statement, place, decision->id);
    sqlite3_bind_int64(statement, place + 1, decision->at);
    sqlite3_bind_int(statement, place + 2, decision->early);
    sqlite3_bind_int64(statement, place + 3, decision->size);
    sqlite3_bind_blob64(statement, place + 4, writer->packed->str + decision->begin,
                        decision->length, SQLITE_STATIC);
}

static void bind_client(const struct writer *writer, guint index, sqlite3_stmt *statement,
                        int place)
{
    const struct client *client = &g_array_index(writer->clients, struct client, index);
    sqlite3_bind_int64(statement, place, client->day);
    sqlite3_bind_blob64(statement, place + 1, client->address, client->length, SQLITE_STATIC);
    sqlite3_bind_int64(statement, place + 2, client->id);
}

static void bind_key(const struct writer *writer, guint index, sqlite3_stmt *statement, int place)
{
    const struct key *key = &g_array_index(writer->keys, struct key, index);
    sqlite3_bind_int64(statement, place, key->place);
    sqlite3_bind_int64(statement, place + 1, key->id);
}

/* A row that cannot be written ends the transaction: OR FAIL need not be able to take back what the
 * same statement did before it. */
static const struct insertion into_decision = {
    "INSERT OR FAIL INTO decision(id, at, early, size, row)", 5, bind_decision};
static const struct insertion into_client = {"INSERT OR IGNORE INTO client", 3, bind_client};
static const struct insertion into_key = {"INSERT OR IGNORE INTO key", 2, bind_key};

/* The statement that inserts ROWS rows by INTO. */
static int insertion_of(sqlite3 *db, const struct insertion *into, guint rows,
                        sqlite3_stmt **statement_r)
{
    g_autoptr(GString) sql = g_string_new(into->head);
    for (guint row = 0; row < rows; row++) {
        g_string_append(sql, row > 0 ? ",(?" : " VALUES(?");
        for (int column = 1; column < into->columns; column++)
            g_string_append(sql, ",?");
        g_string_append_c(sql, ')');
    }
    return kept_statement(db, sql->str, statement_r);
}

/* Inserts ROWS, many by each statement: to begin one, and to find the place in the file, costs more
 * than a row. */
static int insert(const struct writer *writer, const struct insertion *into, const GArray *rows)
{
    static const guint sizes[] = {32, 4, 1};
    guint done = 0;
    int code = SQLITE_OK;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        sqlite3_stmt *statement = NULL;
        if (rows->len - done >= sizes[i])
            code = insertion_of(writer->db, into, sizes[i], &statement);
        for (; code == SQLITE_OK && rows->len - done >= sizes[i]; done += sizes[i]) {
            for (guint row = 0; row < sizes[i]; row++)
                into->bind(writer, done + row, statement, 1 + (int)row * into->columns);
            code = run(statement);
        }
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

/* Adds a decision, ID, to what is to be written. */
static void take_item(struct writer *writer, const struct history_item *item, int64_t id,
                      GArray *hashes)
{
    struct history_row row;
    struct client client = {.id = id};
    struct key key = {.id = id};
    if (!history_record_borrow(item->record, item->length, &row))
        return; /* we wrote it ourselves */
    size_t begin = writer->packed->len;
    history_record_pack(&row, writer->packed);
    history_row_hashes(&row, &writer->seed, writer->delimiters, hashes);
    struct decision decision = {
        .id = id,
        .at = row.when,
        .early = item->early,
        .begin = begin,
        .length = writer->packed->len - begin,
    };
    decision.size = (int64_t)decision.length + ROW_EXTRA + hashes->len * KEY_EXTRA;
    g_array_append_val(writer->decisions, decision);
    client.day = history_day(row.when);
    client.length = history_row_client(&row, client.address);
    if (client.length > 0)
        g_array_append_val(writer->clients, client);
    for (guint i = 0; i < hashes->len; i++) {
        key.place = history_key_place(client.day, g_array_index(hashes, int64_t, i));
        g_array_append_val(writer->keys, key);
    }
    history_row_clear(&row);
    writer->rows[item->early]++;
    writer->bytes[item->early] += decision.size;
}

static int compare_numbers(int64_t left, int64_t right)
{
    return left < right ? -1 : left > right;
}

/* Sorts keys that are in the order of their ids by their places: a byte after another, the last one
 * first, so that what is equal stays in order. There are tens of thousands, and to compare them
 * would take ten times as long. */
static void sort_keys(GArray *keys)
{
    if (keys->len == 0)
        return;
    g_autofree struct key *other = g_new(struct key, keys->len);
    struct key *from = (struct key *)(void *)keys->data, *to = other;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        guint begin[G_MAXUINT8 + 2] = {0}; /* of those with this byte; the next one's, at first */
        for (guint i = 0; i < keys->len; i++)
            begin[(uint8_t)(from[i].place >> shift) + 1]++;
        if (begin[(uint8_t)(from->place >> shift) + 1] == keys->len)
            continue; /* all of them have it: a day is the same */
        for (unsigned byte = 1; byte <= G_MAXUINT8; byte++)
            begin[byte] += begin[byte - 1];
        for (guint i = 0; i < keys->len; i++)
            to[begin[(uint8_t)(from[i].place >> shift)]++] = from[i];
        struct key *swapped = from;
        from = to;
        to = swapped;
    }
    if (from == other)
        memcpy(to, from, keys->len * sizeof *from);
}

static gint compare_clients(gconstpointer a, gconstpointer b)
{
    const struct client *left = a, *right = b;
    int order = compare_numbers(left->day, right->day);
    order = order ? order : memcmp(left->address, right->address, sizeof left->address);
    return order ? order : compare_numbers(left->id, right->id);
}

/* The rules of a batch, which are one or two. */
static int write_rules(sqlite3 *db, const struct history_work *work)
{
    static const char sql[] =
        "INSERT INTO ruleset VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET at = ?2"
        " WHERE at < ?2 - 3600000000";
    const char *last = NULL;
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;
    for (guint i = 0; code == SQLITE_OK && i < work->items->len; i++) {
        const struct history_item *item = work->items->pdata[i];
        if (!item->rules_name || item->rules_name == last)
            continue;
        last = item->rules_name;
        if (!statement)
            code = prepare(db, sql, &statement);
        sqlite3_bind_text(statement, 1, item->rules_name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, g_get_real_time());
        sqlite3_bind_text(statement, 3, item->rules_text, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
            code = run(statement);
    }
    sqlite3_finalize(statement);
    return code;
}

static int64_t bytes_of(const GPtrArray *items)
{
    int64_t bytes = 0;
    for (guint i = 0; i < items->len; i++)
        bytes += (int64_t)((const struct history_item *)items->pdata[i])->length + ROW_EXTRA +
                 10 * KEY_EXTRA;
    return bytes;
}

/* No id is given twice, whatever was deleted. */
#define LAST_ID                                                                                    \
    "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'decision'), 0),"             \
    " ifnull((SELECT max(id) FROM decision), 0))"

static int write_items(struct writer *writer, const struct history_work *work)
{
    g_autoptr(GArray) hashes = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int64_t last = number_of(writer->db, LAST_ID);
    if (last < 0)
        return sqlite3_errcode(writer->db);
    for (guint i = 0; i < work->items->len; i++)
        take_item(writer, work->items->pdata[i], last + 1 + i, hashes);
    g_array_sort(writer->clients, compare_clients);
    sort_keys(writer->keys);
    int code = insert(writer, &into_decision, writer->decisions);
    if (code == SQLITE_OK)
        code = insert(writer, &into_client, writer->clients);
    if (code == SQLITE_OK)
        code = insert(writer, &into_key, writer->keys);
    if (code == SQLITE_OK)
        code = write_rules(writer->db, work);
    for (int early = 0; code == SQLITE_OK && early < 2; early++)
        code = add_total(writer->db, early, writer->rows[early], writer->bytes[early]);
    return code;
}

/* What rows no longer point to, and could not be deleted with them. */
static int clear_old(sqlite3 *db, int64_t oldest)
{
    g_autofree char *sql = g_strdup_printf("DELETE FROM key WHERE place < %" G_GINT64_FORMAT ";"
                                           "DELETE FROM client WHERE day < %" G_GINT64_FORMAT ";"
                                           "DELETE FROM ruleset WHERE at < %" G_GINT64_FORMAT ";",
                                           history_key_place(history_day(oldest) - 1, 0),
                                           history_day(oldest) - 1, oldest - 2 * G_TIME_SPAN_DAY);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int history_file_work(sqlite3 *db, void *data)
{
    struct history_work *work = data;
    struct writer writer = {.db = db, .delimiters = work->delimiters};
    work->evicted = 0;
    /* The kernel keeps the rest: a daemon's memory does not grow with its history. */
    sqlite3_exec(db, "PRAGMA cache_size = -4096", NULL, NULL, NULL);
    int code = bring_up(db, work);
    if (code == SQLITE_OK)
        code = history_file_seed(db, &writer.seed);
    if (code == SQLITE_OK)
        code = evict(db, work, bytes_of(work->items));
    if (code == SQLITE_OK && work->clears)
        code = clear_old(db, work->oldest);
    writer.decisions = g_array_new(FALSE, FALSE, sizeof(struct decision));
    writer.clients = g_array_new(FALSE, TRUE, sizeof(struct client));
    writer.keys = g_array_new(FALSE, FALSE, sizeof(struct key));
    writer.packed = g_string_new(NULL);
    if (code == SQLITE_OK && work->items->len > 0)
        code = write_items(&writer, work);
    g_array_unref(writer.decisions);
    g_array_unref(writer.clients);
    g_array_unref(writer.keys);
    g_string_free(writer.packed, TRUE);
    work->bytes = (uint64_t)used_bytes(db);
    return code;
}
