/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking a person out. All rows are looked through, as an address may stand in a reply or in a
 * header as well; the keys alone would not find it there.
 */
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history/history_forget.h"
#include "history/history_reader.h"
#include "history_file.h"
#include "store/statefile.h"

enum { BUSY_MS = 10000, STEP_ROWS = 2000, STEP_US = 500 * 1000 };

/* Whether the record names the person. One that cannot be read, by its bytes: in doubt it does. */
static enum history_named named_in(const struct history_person *person, const void *record,
                                   size_t length)
{
    struct history_row row;
    if (!history_record_read(record, length, &row))
        return history_person_in_text(person, record, length);
    enum history_named named = history_person_in_row(person, &row);
    history_row_clear(&row);
    return named;
}

/* One step; *LAST is the id of the last row that was looked at. */
static int forget_step(sqlite3 *db, const struct history_person *person, int64_t *last,
                       struct history_forgotten *forgotten, bool *more_r)
{
    struct history_deleter deleter;
    sqlite3_stmt *query = NULL;
    unsigned seen = 0;
    gint64 end = g_get_monotonic_time() + STEP_US; /* the daemon wants to write as well */
    int code = history_deleter_init(&deleter, db, history_person_delimiters(person));
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(
            db, "SELECT id, early, row, size FROM decision WHERE id > ? ORDER BY id LIMIT ?", -1,
            &query, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(query, 1, *last);
        sqlite3_bind_int(query, 2, STEP_ROWS);
    }
    while (code == SQLITE_OK && (seen == 0 || g_get_monotonic_time() < end) &&
           (code = sqlite3_step(query)) == SQLITE_ROW) {
        const void *record = sqlite3_column_blob(query, 2);
        size_t length = (size_t)sqlite3_column_bytes(query, 2);
        enum history_named named = named_in(person, record, length);
        *last = sqlite3_column_int64(query, 0);
        seen++;
        code = SQLITE_OK;
        if (named == HISTORY_NAMED_NOT)
            continue;
        g_autofree void *copy = g_memdup2(record, length);
        code = history_delete(&deleter, *last, sqlite3_column_int(query, 1),
                              sqlite3_column_int64(query, 3), copy, length);
        forgotten->rows++;
        forgotten->extensions += named == HISTORY_NAMED_EXTENSION;
    }
    sqlite3_finalize(query);
    int ended = history_deleter_end(&deleter);
    *more_r = code == SQLITE_OK || seen == STEP_ROWS;
    return code == SQLITE_DONE || code == SQLITE_OK ? ended : code;
}

static int run_steps(sqlite3 *db, const struct history_person *person,
                     struct history_forgotten *forgotten)
{
    int64_t last = 0;
    bool more = true;
    int code = SQLITE_OK;
    while (more && code == SQLITE_OK) {
        code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = forget_step(db, person, &last, forgotten, &more);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        if (code != SQLITE_OK)
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

bool history_forget(const char *path, const struct history_person *person,
                    struct history_forgotten *forgotten_r, char **why_r)
{
    sqlite3 *db = NULL;
    *forgotten_r = (struct history_forgotten){0};
    /* Who reads says best what is wrong with the file. */
    struct history_reader *reader = history_reader_open(path, why_r);
    if (!reader)
        return false;
    history_reader_close(reader);
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, BUSY_MS);
        code = sqlite3_exec(db, "PRAGMA secure_delete = ON", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = run_steps(db, person, forgotten_r);
    bool deleted = code == SQLITE_OK;
    /* What was overwritten is in the log beside the file until it is emptied. */
    if (deleted)
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (deleted && code == SQLITE_BUSY)
        *why_r =
            g_strdup_printf("%s: the decisions are deleted, but not overwritten while somebody "
                            "reads the history: try again",
                            path);
    else if (code != SQLITE_OK)
        *why_r = g_strdup_printf("%s: %s", path, sqlite3_errstr(code));
    sqlite3_close(db);
    return code == SQLITE_OK;
}

GPtrArray *history_remove_aside(const char *path, int64_t oldest)
{
    GPtrArray *removed = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
    g_autofree char *prefix = g_strconcat(base, STATE_FILE_ASIDE, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        struct stat status;
        g_autofree char *file = g_build_filename(folder, name, NULL);
        bool old = g_str_has_prefix(name, prefix) && lstat(file, &status) == 0 &&
                   S_ISREG(status.st_mode) && status.st_mtime < oldest / G_USEC_PER_SEC;
        if (old && unlink(file) == 0)
            g_ptr_array_add(removed, g_steal_pointer(&file));
    }
    return removed;
}
