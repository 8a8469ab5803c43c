/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking a person out. All rows are looked through, as an address may stand in a reply or in a
 * header as well; the keys alone would not find it there.
 */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "history/history_reader.h"
#include "history_file.h"

enum { BUSY_MS = 10000, STEP_ROWS = 2000 };

/* Whether a byte may stand within an address, so that what ends there is another one's end. In
 * doubt it is not: fields and links have "key=address" and the like. */
static bool is_local_byte(unsigned char byte)
{
    return g_ascii_isalnum(byte) || byte >= 0x80 || strchr("!#$%*+-^_`{|}~.", byte);
}

static bool is_domain_byte(const char *at)
{
    return g_ascii_isalnum(*at) || *at == '-' || (unsigned char)*at >= 0x80 ||
           (*at == '.' && (g_ascii_isalnum(at[1]) || (unsigned char)at[1] >= 0x80));
}

/* Whether ADDRESS, in lower case, stands in the LENGTH bytes at TEXT, behind which there is a NUL,
 * whatever its case there. */
static bool names(const char *text, size_t length, const char *address)
{
    size_t wanted = strlen(address);
    for (size_t i = 0; i + wanted <= length; i++) {
        if (g_ascii_tolower(text[i]) != address[0] ||
            g_ascii_strncasecmp(text + i, address, wanted) != 0)
            continue;
        bool begins = i == 0 || text[i - 1] == '\0' || !is_local_byte((unsigned char)text[i - 1]);
        if (begins && !is_domain_byte(text + i + wanted))
            return true;
    }
    return false;
}

/* One step; *LAST is the id of the last row that was looked at. */
static int forget_step(sqlite3 *db, const char *address, int64_t *last, uint64_t *rows,
                       bool *more_r)
{
    struct history_deleter deleter;
    sqlite3_stmt *query = NULL;
    unsigned seen = 0;
    int code = history_deleter_init(&deleter, db);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(
            db, "SELECT id, early, row FROM decision WHERE id > ? ORDER BY id LIMIT ?", -1, &query,
            NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(query, 1, *last);
        sqlite3_bind_int(query, 2, STEP_ROWS);
    }
    while (code == SQLITE_OK && (code = sqlite3_step(query)) == SQLITE_ROW) {
        size_t length = (size_t)sqlite3_column_bytes(query, 2);
        g_autofree char *text = g_malloc(length + 2);
        memcpy(text, sqlite3_column_blob(query, 2), length);
        text[length] = text[length + 1] = '\0';
        *last = sqlite3_column_int64(query, 0);
        seen++;
        code = SQLITE_OK;
        if (!names(text, length, address))
            continue;
        code = history_delete(&deleter, *last, sqlite3_column_int(query, 1), text, length);
        ++*rows;
    }
    sqlite3_finalize(query);
    int ended = history_deleter_end(&deleter);
    *more_r = seen == STEP_ROWS;
    return code == SQLITE_DONE || code == SQLITE_OK ? ended : code;
}

static int run_steps(sqlite3 *db, const char *address, uint64_t *rows)
{
    int64_t last = 0;
    bool more = true;
    int code = SQLITE_OK;
    while (more && code == SQLITE_OK) {
        code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = forget_step(db, address, &last, rows, &more);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        if (code != SQLITE_OK)
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

bool history_forget(const char *path, const char *address, uint64_t *rows_r, char **why_r)
{
    sqlite3 *db = NULL;
    g_autofree char *folded = g_ascii_strdown(address, -1);
    /* Who reads says best what is wrong with the file. */
    struct history_reader *reader = history_reader_open(path, why_r);
    *rows_r = 0;
    if (!reader)
        return false;
    history_reader_close(reader);
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, BUSY_MS);
        code = sqlite3_exec(db, "PRAGMA secure_delete = ON", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = run_steps(db, folded, rows_r);
    /* What was overwritten is in the log beside the file until it is emptied. */
    if (code == SQLITE_OK)
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code == SQLITE_BUSY)
        *why_r =
            g_strdup_printf("%s: the decisions are deleted, but not overwritten while somebody "
                            "reads the history: try again",
                            path);
    else if (code != SQLITE_OK)
        *why_r = g_strdup_printf("%s: %s", path, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    sqlite3_close(db);
    return code == SQLITE_OK;
}
