/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the file.
 */
#include "history/history_reader.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "history_file.h"
#include "history_fold.h"
#include "history_key.h"

/* Rows are written in the order in which they come to the writer, which is that of time but for
 * those that were under way at once. */
#define DISORDER_US (2 * G_TIME_SPAN_MINUTE)

enum { BUSY_MS = 2000, PROGRESS_STEPS = 2000 };

struct history_reader {
    sqlite3 *db;
    char *path;
    struct siphash_seed seed;
    uint64_t broken;
    int64_t deadline; /* us of the monotonic clock; 0: none */
};

static char *explain(const char *path, sqlite3 *db, int code)
{
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return g_strdup_printf("%s: there is no history yet; the daemon makes it with the first "
                               "decision, if \"history\" is set",
                               path);
    if (access(path, R_OK) != 0)
        return g_strdup_printf("%s: %s; root and the daemon's user may read it", path,
                               g_strerror(errno));
    if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT)
        return g_strdup_printf("%s: %s; the daemon puts it aside when it meets that", path,
                               sqlite3_errstr(code));
    return g_strdup_printf("%s: %s", path, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static int is_late(void *data)
{
    const struct history_reader *reader = data;
    return reader->deadline && g_get_monotonic_time() > reader->deadline;
}

static int64_t number_of(sqlite3 *db, const char *sql, int *code_r)
{
    sqlite3_stmt *query = NULL;
    int64_t number = 0;
    *code_r = sqlite3_prepare_v2(db, sql, -1, &query, NULL);
    if (*code_r == SQLITE_OK) {
        *code_r = sqlite3_step(query);
        if (*code_r == SQLITE_ROW)
            number = sqlite3_column_int64(query, 0);
        if (*code_r == SQLITE_ROW || *code_r == SQLITE_DONE)
            *code_r = SQLITE_OK;
    }
    sqlite3_finalize(query);
    return number;
}

struct history_reader *history_reader_open(const char *path, char **why_r)
{
    struct history_reader *reader = g_new0(struct history_reader, 1);
    reader->path = g_strdup(path);
    int code = sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    int64_t version = 0;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(reader->db, BUSY_MS);
        sqlite3_progress_handler(reader->db, PROGRESS_STEPS, is_late, reader);
        version = number_of(reader->db, "PRAGMA user_version", &code);
    }
    if (code == SQLITE_OK && version == HISTORY_SCHEMA)
        code = history_file_seed(reader->db, &reader->seed);
    if (code == SQLITE_OK && version == HISTORY_SCHEMA)
        return reader;
    if (code == SQLITE_OK && version == 0)
        *why_r = g_strdup_printf("%s: there is no history in this file yet", path);
    else if (code == SQLITE_OK)
        *why_r = g_strdup_printf("%s was written by another version of gatepost (%d, not %d)", path,
                                 (int)version, HISTORY_SCHEMA);
    else
        *why_r = explain(path, reader->db, code);
    history_reader_close(reader);
    return NULL;
}

void history_reader_close(struct history_reader *reader)
{
    if (!reader)
        return;
    sqlite3_close(reader->db);
    g_free(reader->path);
    g_free(reader);
}

uint64_t history_reader_broken(const struct history_reader *reader)
{
    return reader->broken;
}

static bool finish(struct history_reader *reader, int code, char **why_r)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return true;
    *why_r = code == SQLITE_INTERRUPT
                 ? g_strdup_printf("%s: the search takes too long; narrow it by time", reader->path)
                 : explain(reader->path, reader->db, code);
    return false;
}

/* ---- all rows ---- */

/* What the columns id, row of QUERY hold; false if that is broken. */
static bool read_row(struct history_reader *reader, sqlite3_stmt *query, struct history_row *row_r)
{
    const void *bytes = sqlite3_column_blob(query, 1);
    int64_t id = sqlite3_column_int64(query, 0);
    bool good = history_record_read(bytes, (size_t)sqlite3_column_bytes(query, 1), row_r);
    row_r->id = id;
    reader->broken += !good;
    return good;
}

/* The first id whose row is not before WHEN, by halves. */
static int64_t find_id(struct history_reader *reader, int64_t when, int64_t first, int64_t end,
                       int *code_r)
{
    sqlite3_stmt *query = NULL;
    *code_r = sqlite3_prepare_v2(reader->db,
                                 "SELECT id, at FROM decision WHERE id >= ? ORDER BY id LIMIT 1",
                                 -1, &query, NULL);
    while (*code_r == SQLITE_OK && first < end) {
        int64_t middle = first + (end - first) / 2;
        sqlite3_bind_int64(query, 1, middle);
        int stepped = sqlite3_step(query);
        bool before = stepped == SQLITE_ROW && sqlite3_column_int64(query, 1) < when;
        if (stepped != SQLITE_ROW && stepped != SQLITE_DONE)
            *code_r = stepped;
        if (before)
            first = sqlite3_column_int64(query, 0) + 1;
        else
            end = middle;
        sqlite3_reset(query);
    }
    sqlite3_finalize(query);
    return first;
}

bool history_reader_range(struct history_reader *reader, int64_t since, int64_t *first_r,
                          int64_t *end_r, char **why_r)
{
    int code;
    *first_r = number_of(reader->db, "SELECT min(id) FROM decision", &code);
    *end_r =
        code == SQLITE_OK ? number_of(reader->db, "SELECT max(id) + 1 FROM decision", &code) : 0;
    if (code == SQLITE_OK && since > 0)
        *first_r = find_id(reader, since - DISORDER_US, *first_r, *end_r, &code);
    return finish(reader, code, why_r);
}

bool history_scan_ids(struct history_reader *reader, int64_t first, int64_t end,
                      history_visit *visit, void *data, char **why_r)
{
    sqlite3_stmt *query = NULL;
    struct history_row row;
    bool more = true;
    int code = sqlite3_prepare_v2(
        reader->db, "SELECT id, row FROM decision WHERE id >= ? AND id < ? ORDER BY id", -1, &query,
        NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(query, 1, first);
        sqlite3_bind_int64(query, 2, end);
        while (more && (code = sqlite3_step(query)) == SQLITE_ROW) {
            if (!read_row(reader, query, &row))
                continue;
            more = visit(data, &row);
            history_row_clear(&row);
        }
    }
    sqlite3_finalize(query);
    return finish(reader, code, why_r);
}

/* Rows of a time alone; they stand in the order of ids, which is nearly theirs. */
struct window {
    int64_t since, until;
    history_visit *visit;
    void *data;
};

static bool visit_within(void *data, const struct history_row *row)
{
    const struct window *window = data;
    /* No row ends the scan: the clock may have been wrong when it was written. */
    if (row->when < window->since || (window->until && row->when > window->until))
        return true;
    return window->visit(window->data, row);
}

bool history_scan(struct history_reader *reader, int64_t since, int64_t until, history_visit *visit,
                  void *data, char **why_r)
{
    struct window window = {since, until, visit, data};
    int64_t first, end;
    return history_reader_range(reader, since, &first, &end, why_r) &&
           history_scan_ids(reader, first, end, visit_within, &window, why_r);
}

/* ---- rows by a key ---- */

struct searching {
    struct history_reader *reader;
    const struct history_search *search;
    history_visit *visit;
    void *data;
    sqlite3_stmt *ids, *row;
    unsigned found;
    bool ends;
};

static int prepare_search(struct searching *searching)
{
    const struct history_key *key = &searching->search->key;
    sqlite3 *db = searching->reader->db;
    int code = key->kind == HISTORY_CLIENT
                   ? sqlite3_prepare_v2(
                         db, "SELECT id FROM client WHERE day = ?1 AND address BETWEEN ?2 AND ?3",
                         -1, &searching->ids, NULL)
                   : sqlite3_prepare_v2(db,
                                        "SELECT DISTINCT id FROM key WHERE place IN "
                                        "(?1 << 32 | ?2, ?1 << 32 | ?3, ?1 << 32 | ?4)",
                                        -1, &searching->ids, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "SELECT id, row FROM decision WHERE id = ?", -1,
                                  &searching->row, NULL);
    if (code != SQLITE_OK || key->kind != HISTORY_CLIENT) {
        const struct siphash_seed *seed = &searching->reader->seed;
        g_autofree char *folded = history_fold(key->text);
        sqlite3_bind_int64(searching->ids, 2,
                           history_key_place(0, history_key_hash(seed, key->text)));
        /* rows of former versions are found by what was typed alone */
        sqlite3_bind_int64(
            searching->ids, 3,
            history_key_place(0, history_key_hash(seed, folded ? folded : key->text)));
        sqlite3_bind_int64(
            searching->ids, 4,
            history_key_place(0, history_key_hash(seed, key->login ? key->login : key->text)));
        return code;
    }
    unsigned char least[HISTORY_CLIENT_MAX] = {0}, most[HISTORY_CLIENT_MAX];
    /* the least and the largest key of the network */
    size_t length = history_client_key(&key->network.address, least);
    memcpy(most, least, HISTORY_CLIENT_MAX);
    for (unsigned bit = key->network.prefix; bit < (length - 1) * 8; bit++)
        most[1 + bit / 8] |= (unsigned char)(0x80 >> bit % 8);
    sqlite3_bind_blob(searching->ids, 2, least, (int)length, SQLITE_TRANSIENT);
    sqlite3_bind_blob(searching->ids, 3, most, (int)length, SQLITE_TRANSIENT);
    return SQLITE_OK;
}

/* Tells of the row ID if it is what is looked for. */
static int visit_id(struct searching *searching, int64_t id)
{
    const struct history_search *search = searching->search;
    struct history_row row;
    sqlite3_bind_int64(searching->row, 1, id);
    int code = sqlite3_step(searching->row);
    bool good = code == SQLITE_ROW && read_row(searching->reader, searching->row, &row);
    sqlite3_reset(
        searching->row); /* whoever is told may take his time: nothing is held meanwhile */
    if (good) {
        bool within = row.when >= search->since && (!search->until || row.when <= search->until);
        if (within && history_key_means(&search->key, &row)) {
            searching->ends = !searching->visit(searching->data, &row);
            searching->found++;
        }
        history_row_clear(&row);
    }
    searching->ends |= search->rows_max && searching->found >= search->rows_max;
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int search_day(struct searching *searching, int64_t day)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int code;
    sqlite3_bind_int64(searching->ids, 1, day);
    while ((code = sqlite3_step(searching->ids)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(searching->ids, 0);
        g_array_append_val(ids, id);
    }
    sqlite3_reset(searching->ids);
    if (code != SQLITE_DONE)
        return code;
    g_array_sort(ids, compare_ids);
    code = SQLITE_OK;
    for (guint i = 0; code == SQLITE_OK && !searching->ends && i < ids->len; i++) {
        guint place = searching->search->newest_first ? ids->len - 1 - i : i;
        code = visit_id(searching, g_array_index(ids, int64_t, place));
    }
    return code;
}

/* Without a key, from the end. */
static int search_newest(struct searching *searching)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(searching->reader->db,
                                  "SELECT id, at FROM decision ORDER BY id DESC", -1, &query, NULL);
    if (code == SQLITE_OK)
        code =
            sqlite3_prepare_v2(searching->reader->db, "SELECT id, row FROM decision WHERE id = ?",
                               -1, &searching->row, NULL);
    while (code == SQLITE_OK && !searching->ends && (code = sqlite3_step(query)) == SQLITE_ROW) {
        code = SQLITE_OK;
        if (sqlite3_column_int64(query, 1) < searching->search->since - DISORDER_US)
            break;
        code = visit_id(searching, sqlite3_column_int64(query, 0));
    }
    sqlite3_finalize(query);
    return code;
}

static bool visit_limited(void *data, const struct history_row *row)
{
    struct searching *searching = data;
    unsigned most = searching->search->rows_max;
    bool more = searching->visit(searching->data, row);
    searching->found++;
    return more && (!most || searching->found < most);
}

bool history_search(struct history_reader *reader, const struct history_search *search,
                    history_visit *visit, void *data, char **why_r)
{
    struct searching searching = {.reader = reader, .search = search, .visit = visit, .data = data};
    reader->deadline = search->microseconds ? g_get_monotonic_time() + search->microseconds : 0;
    int code;
    if (search->key.kind == HISTORY_ANY && !search->newest_first) {
        bool good =
            history_scan(reader, search->since, search->until, visit_limited, &searching, why_r);
        reader->deadline = 0;
        return good;
    }
    if (search->key.kind == HISTORY_ANY) {
        code = search_newest(&searching);
    } else {
        int ignored;
        int64_t least = number_of(reader->db, "SELECT min(place) >> 32 FROM key", &code);
        int64_t most = number_of(reader->db, "SELECT max(place) >> 32 FROM key", &ignored);
        least = MAX(least, history_day(search->since));
        most = search->until ? MIN(most, history_day(search->until)) : most;
        if (code == SQLITE_OK)
            code = prepare_search(&searching);
        for (int64_t day = least; code == SQLITE_OK && !searching.ends && day <= most; day++)
            code = search_day(&searching, search->newest_first ? most - (day - least) : day);
    }
    sqlite3_finalize(searching.ids);
    sqlite3_finalize(searching.row);
    reader->deadline = 0;
    return finish(reader, code, why_r);
}

char *history_reader_ruleset(struct history_reader *reader, const char *name)
{
    sqlite3_stmt *query = NULL;
    char *rules = NULL;
    if (sqlite3_prepare_v2(reader->db, "SELECT rules FROM ruleset WHERE name = ?", -1, &query,
                           NULL) == SQLITE_OK) {
        sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
        if (sqlite3_step(query) == SQLITE_ROW)
            rules = g_strdup((const char *)sqlite3_column_text(query, 0));
    }
    sqlite3_finalize(query);
    return rules;
}
