/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file behind the memory: hashes, expiry and counts in SQLite. Whatever is wrong with it, the
 * memory works on without.
 */
#include <string.h>

#include "bounce_memory_private.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS line (hash INTEGER PRIMARY KEY, expires INTEGER NOT NULL,"
    " bounces INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS line_expires ON line (expires);";

/* Tells files of another key: its hashes mean nothing to us. */
static int64_t key_mark(const struct bounce_memory *memory)
{
    static const char text[] = "gatepost bounce memory 1";
    return bounce_memory_hash(memory, text, sizeof text - 1);
}

/* One number that QUERY gives; false if it gives none. */
static bool get_number(sqlite3 *db, const char *query, int64_t *number_r)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    if (sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        *number_r = sqlite3_column_int64(statement, 0);
        found = true;
    }
    sqlite3_finalize(statement);
    return found;
}

static bool same_key(const struct bounce_memory *memory, sqlite3 *db)
{
    int64_t mark = 0;
    return get_number(db, "SELECT value FROM meta WHERE name = 'key'", &mark) &&
           mark == key_mark(memory);
}

/* The newest lines, oldest first, so that the ring forgets in the right order. */
static int load_rows(struct bounce_memory *memory, sqlite3 *db, int64_t now)
{
    sqlite3_stmt *rows = NULL;
    int code = sqlite3_prepare_v2(db,
                                  "SELECT hash, expires, bounces FROM (SELECT * FROM line WHERE "
                                  "expires >= ?1 AND expires <= ?2 ORDER BY expires DESC LIMIT ?3) "
                                  "ORDER BY expires",
                                  -1, &rows, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(rows, 1, now);
        sqlite3_bind_int64(rows, 2, now + BOUNCE_MEMORY_SECONDS);
        sqlite3_bind_int64(rows, 3, memory->max);
        while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
            int64_t hash = sqlite3_column_int64(rows, 0);
            g_mutex_lock(&memory->lock);
            struct memory_line *line = bounce_memory_find(memory, hash);
            if (!line)
                line = bounce_memory_put(memory, hash);
            line->expires = MAX(line->expires, sqlite3_column_int64(rows, 1));
            line->bounces =
                (uint8_t)MAX(line->bounces, CLAMP(sqlite3_column_int64(rows, 2), 0, UINT8_MAX));
            g_mutex_unlock(&memory->lock);
        }
    }
    sqlite3_finalize(rows);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A memory and when. */
struct work {
    struct bounce_memory *memory;
    struct state_file *file;
    int64_t now;
    uint64_t change, generation; /* what was written, and into which file */
};

static int load(sqlite3 *db, void *data)
{
    const struct work *work = data;
    int code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (code == SQLITE_OK && same_key(work->memory, db)) {
        code = load_rows(work->memory, db, work->now);
        work->memory->generation = state_file_generation(work->file);
    }
    return code;
}

bool bounce_memory_load(struct bounce_memory *memory, struct state_file *file, int64_t now,
                        char **why_r)
{
    struct work work = {.memory = memory, .file = file, .now = now};
    g_mutex_lock(&memory->file_lock);
    bool good = state_file_run(file, false, load, &work, why_r);
    g_mutex_unlock(&memory->file_lock);
    return good;
}

/* A copy of the lines that changed after the last save, or of all; *CHANGE_R: up to where. */
static GArray *changed_lines(struct bounce_memory *memory, bool all, uint64_t *change_r)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(struct memory_line));
    g_mutex_lock(&memory->lock);
    for (guint i = 0; i < memory->ring->len; i++) {
        const struct memory_line *line = &g_array_index(memory->ring, struct memory_line, i);
        if (all || line->change > memory->saved)
            g_array_append_val(lines, *line);
    }
    *change_r = memory->change;
    g_mutex_unlock(&memory->lock);
    return lines;
}

static int write_lines(sqlite3 *db, const GArray *lines)
{
    sqlite3_stmt *insert = NULL;
    int code = sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO line VALUES (?1, ?2, ?3)", -1,
                                  &insert, NULL);
    for (guint i = 0; code == SQLITE_OK && i < lines->len; i++) {
        const struct memory_line *line = &g_array_index(lines, struct memory_line, i);
        sqlite3_bind_int64(insert, 1, line->hash);
        sqlite3_bind_int64(insert, 2, line->expires);
        sqlite3_bind_int64(insert, 3, line->bounces);
        code = sqlite3_step(insert) == SQLITE_DONE ? sqlite3_reset(insert) : sqlite3_errcode(db);
    }
    sqlite3_finalize(insert);
    return code;
}

/* Runs one statement with NUMBER for its parameter ?1, if it has one. */
static int run(sqlite3 *db, const char *query, int64_t number)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, query, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        if (sqlite3_bind_parameter_count(statement) > 0)
            sqlite3_bind_int64(statement, 1, number);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int adopt_key(struct bounce_memory *memory, sqlite3 *db)
{
    if (same_key(memory, db))
        return SQLITE_OK;
    int code = run(db, "DELETE FROM line", 0);
    return code == SQLITE_OK
               ? run(db, "INSERT OR REPLACE INTO meta VALUES ('key', ?1)", key_mark(memory))
               : code;
}

static int save(sqlite3 *db, void *data)
{
    struct work *work = data;
    struct bounce_memory *memory = work->memory;
    work->generation = state_file_generation(work->file);
    g_autoptr(GArray) lines =
        changed_lines(memory, work->generation != memory->generation, &work->change);
    int code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = adopt_key(memory, db);
    if (code == SQLITE_OK)
        code = write_lines(db, lines);
    if (code == SQLITE_OK)
        code = run(db, "DELETE FROM line WHERE expires < ?1", work->now);
    if (code == SQLITE_OK)
        code = run(db,
                   "DELETE FROM line WHERE hash IN "
                   "(SELECT hash FROM line ORDER BY expires DESC LIMIT -1 OFFSET ?1)",
                   memory->max);
    return code;
}

bool bounce_memory_changed(struct bounce_memory *memory)
{
    g_mutex_lock(&memory->lock);
    bool changed = memory->change > memory->saved;
    g_mutex_unlock(&memory->lock);
    return changed;
}

bool bounce_memory_save(struct bounce_memory *memory, struct state_file *file, int64_t now,
                        char **why_r)
{
    struct work work = {.memory = memory, .file = file, .now = now};
    g_mutex_lock(&memory->file_lock);
    bool saved = state_file_run(file, true, save, &work, why_r);
    if (saved) {
        g_mutex_lock(&memory->lock);
        memory->saved = work.change;
        memory->generation = work.generation;
        g_mutex_unlock(&memory->lock);
    }
    g_mutex_unlock(&memory->file_lock);
    return saved;
}
