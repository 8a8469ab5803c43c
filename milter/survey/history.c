/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The history's tables. Their columns are made of finding_rows.h: a file of before a row was added
 * gets its column when it is opened.
 */
#include "history.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Two surveys at a time: one waits for the other to write. */
enum { BUSY_MS = 30000 };

struct history {
    sqlite3 *db;
    char *why; /* the first that failed of what history_add writes; NULL: nothing did */
};

static bool run_sql(struct history *history, const char *sql, char **why_r)
{
    if (sqlite3_exec(history->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    if (why_r && !*why_r)
        *why_r = g_strdup(sqlite3_errmsg(history->db));
    return false;
}

static sqlite3_stmt *prepare(struct history *history, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(history->db, sql, -1, &statement, NULL) != SQLITE_OK)
        g_warning("survey history: %s", sqlite3_errmsg(history->db));
    return statement;
}

/* ---- opening ---- */

static bool in_table(const struct finding_row *row, bool certificates)
{
    return !(row->traits & FINDING_CERTIFICATE) == !certificates;
}

static void add_column(struct history *history, const char *table, const struct finding_row *row,
                       char **why_r)
{
    g_autofree char *look = g_strdup_printf("SELECT %s FROM %s LIMIT 0", row->member, table);
    if (run_sql(history, look, NULL))
        return;
    g_autofree char *add =
        g_strdup_printf("ALTER TABLE %s ADD COLUMN %s %s", table, row->member,
                        finding_row_is_text(row) ? "TEXT" : "INTEGER DEFAULT -1");
    run_sql(history, add, why_r);
}

static bool make_tables(struct history *history, char **why_r)
{
    static const char tables[] =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS run(id INTEGER PRIMARY KEY, started INTEGER NOT NULL,"
        " finished INTEGER NOT NULL, list INTEGER NOT NULL);"
        "CREATE TABLE IF NOT EXISTS list(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE);"
        "CREATE TABLE IF NOT EXISTS member(list INTEGER NOT NULL, place INTEGER NOT NULL,"
        " domain TEXT NOT NULL, PRIMARY KEY(list, place)) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS member_domain ON member(domain, list);"
        "CREATE TABLE IF NOT EXISTS sighting(id INTEGER PRIMARY KEY, first INTEGER NOT NULL,"
        " last INTEGER NOT NULL, seen INTEGER NOT NULL);"
        "CREATE TABLE IF NOT EXISTS certificate(hash TEXT PRIMARY KEY) WITHOUT ROWID;";
    bool good = run_sql(history, tables, why_r);
    for (size_t i = 0; good && i < finding_row_count; i++)
        add_column(history, in_table(&finding_rows[i], true) ? "certificate" : "sighting",
                   &finding_rows[i], why_r);
    good =
        good && !*why_r &&
        run_sql(history, "CREATE INDEX IF NOT EXISTS sighting_of ON sighting(domain, last)", why_r);
    return run_sql(history, good ? "COMMIT" : "ROLLBACK", why_r) && good;
}

/* Links on the way there are the administrator's; the file itself must be none. */
static char *real_path(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_mkdir_with_parents(folder, 0700);
    char *real = realpath(folder, NULL);
    if (!real)
        return NULL;
    char *joined = g_build_filename(real, name, NULL);
    free(real);
    return joined;
}

struct history *history_open(const char *path, char **why_r)
{
    struct history *history = g_new0(struct history, 1);
    g_autofree char *real = real_path(path);
    *why_r = NULL;
    mode_t before = umask(0077);
    int code = real ? sqlite3_open_v2(
                          real, &history->db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL)
                    : SQLITE_CANTOPEN;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(history->db, BUSY_MS);
        if (make_tables(history, why_r)) {
            umask(before);
            return history;
        }
    }
    umask(before);
    if (history->db && code != SQLITE_OK)
        code = sqlite3_extended_errcode(history->db);
    g_autofree char *reason = *why_r;
    if (!reason)
        reason = g_strdup(real && code == SQLITE_CANTOPEN_SYMLINK ? "is a symbolic link"
                          : real                                  ? sqlite3_errstr(code)
                                                                  : g_strerror(errno));
    *why_r = g_strdup_printf("%s: %s", path, reason);
    history_close(history);
    return NULL;
}

void history_close(struct history *history)
{
    if (!history)
        return;
    sqlite3_close(history->db);
    g_free(history->why);
    g_free(history);
}

/* ---- reading ---- */

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(statement, place);
}

/* The columns of both tables, in the order of the rows. */
static char *all_columns(void)
{
    GString *columns = g_string_new("s.first,s.last,s.seen");
    for (size_t i = 0; i < finding_row_count; i++)
        g_string_append_printf(columns, ",%c.%s", in_table(&finding_rows[i], true) ? 'c' : 's',
                               finding_rows[i].member);
    return g_string_free(columns, FALSE);
}

static void sighting_free(void *data)
{
    struct sighting *sighting = data;
    finding_free(sighting->finding);
    g_free(sighting);
}

static struct sighting *read_sighting(sqlite3_stmt *statement)
{
    struct sighting *sighting = g_new0(struct sighting, 1);
    sighting->first = sqlite3_column_int64(statement, 0);
    sighting->last = sqlite3_column_int64(statement, 1);
    sighting->tries = sqlite3_column_int64(statement, 2);
    sighting->finding = finding_new();
    for (size_t i = 0; i < finding_row_count; i++) {
        const struct finding_row *row = &finding_rows[i];
        int column = (int)i + 3;
        if (sqlite3_column_type(statement, column) == SQLITE_NULL)
            continue;
        if (finding_row_is_text(row))
            finding_set(finding_text(sighting->finding, row),
                        (const char *)sqlite3_column_text(statement, column));
        else
            *finding_number(sighting->finding, row) = sqlite3_column_int64(statement, column);
    }
    return sighting;
}

GPtrArray *history_sightings(struct history *history, const char *domain, int64_t until)
{
    GPtrArray *sightings = g_ptr_array_new_with_free_func(sighting_free);
    g_autofree char *columns = all_columns();
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM sighting s LEFT JOIN certificate c ON c.hash = s.sha256"
                        " WHERE s.domain = ? AND s.first <= ? ORDER BY s.first, s.id",
                        columns);
    sqlite3_stmt *statement = prepare(history, sql);
    bind_text(statement, 1, domain);
    sqlite3_bind_int64(statement, 2, until);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct sighting *sighting = read_sighting(statement);
        sighting->last = MIN(sighting->last, until);
        g_ptr_array_add(sightings, sighting);
    }
    sqlite3_finalize(statement);
    return sightings;
}

GPtrArray *history_at(const GPtrArray *sightings, int64_t run)
{
    GPtrArray *findings = g_ptr_array_new();
    for (guint i = 0; i < sightings->len; i++) {
        const struct sighting *sighting = sightings->pdata[i];
        if (sighting->first <= run && run <= sighting->last)
            g_ptr_array_add(findings, sighting->finding);
    }
    return findings;
}

static GArray *read_runs(sqlite3_stmt *statement)
{
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(struct history_run));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct history_run run = {
            sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
            sqlite3_column_int64(statement, 2), sqlite3_column_int64(statement, 3)};
        g_array_append_val(runs, run);
    }
    sqlite3_finalize(statement);
    return runs;
}

#define RUN_COLUMNS                                                                                \
    "r.id, r.started, r.finished, (SELECT count(*) FROM member m WHERE m.list = r.list)"

GArray *history_runs(struct history *history)
{
    return read_runs(prepare(history, "SELECT " RUN_COLUMNS " FROM run r ORDER BY r.id"));
}

GArray *history_runs_of(struct history *history, const char *domain, int64_t until)
{
    sqlite3_stmt *statement =
        prepare(history, "SELECT " RUN_COLUMNS " FROM run r WHERE r.id <= ?2 AND EXISTS"
                         " (SELECT 1 FROM member m WHERE m.domain = ?1 AND m.list = r.list)"
                         " ORDER BY r.id");
    bind_text(statement, 1, domain);
    sqlite3_bind_int64(statement, 2, until);
    return read_runs(statement);
}

GPtrArray *history_domains(struct history *history, int64_t run)
{
    GPtrArray *domains = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *statement =
        prepare(history, "SELECT m.domain FROM run r JOIN member m ON m.list = r.list"
                         " WHERE r.id = ? ORDER BY m.place");
    sqlite3_bind_int64(statement, 1, run);
    while (sqlite3_step(statement) == SQLITE_ROW)
        g_ptr_array_add(domains, g_strdup((const char *)sqlite3_column_text(statement, 0)));
    sqlite3_finalize(statement);
    return domains;
}

/* Reads "YYYY-MM-DD" (its end) or "YYYY-MM-DDTHH:MM" as seconds since 1970. */
static bool read_date(const char *text, int64_t *seconds_r)
{
    bool day = strlen(text) == 10;
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autofree char *whole = g_strdup_printf("%s%s", text, day ? "T23:59:59" : ":59");
    if (strlen(whole) != 19)
        return false;
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(whole, zone);
    if (date)
        *seconds_r = g_date_time_to_unix(date);
    return date;
}

bool history_names_run(const char *text)
{
    int64_t seconds;
    guint64 number;
    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, &number, NULL) ||
           read_date(text, &seconds);
}

bool history_find_run(struct history *history, const char *text, struct history_run *run_r)
{
    guint64 number = 0;
    int64_t seconds = 0;
    bool is_number = g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, &number, NULL);
    g_autoptr(GArray) runs = history_runs(history);
    bool found = false;
    if (!is_number && !read_date(text, &seconds))
        return false;
    for (guint i = 0; i < runs->len; i++) {
        const struct history_run *run = &g_array_index(runs, struct history_run, i);
        if (is_number ? run->id == (int64_t)number : run->started <= seconds) {
            *run_r = *run;
            found = true;
        }
    }
    return found;
}

/* ---- adding ---- */

/* Whether there is a row; of what writes there is none. */
static bool step(struct history *history, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE && !history->why)
        history->why = g_strdup(sqlite3_errmsg(history->db));
    return code == SQLITE_ROW;
}

/* The number of the list of these domains, made if it is new: a weekly run has the same each time.
 */
static int64_t list_of(struct history *history, const GPtrArray *domains)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < domains->len; i++)
        g_checksum_update(sum, domains->pdata[i], (gssize)strlen(domains->pdata[i]) + 1);
    const char *hash = g_checksum_get_string(sum);
    sqlite3_stmt *look = prepare(history, "SELECT id FROM list WHERE hash = ?");
    bind_text(look, 1, hash);
    int64_t id = step(history, look) ? sqlite3_column_int64(look, 0) : 0;
    sqlite3_finalize(look);
    if (id > 0)
        return id;
    sqlite3_stmt *add = prepare(history, "INSERT INTO list(hash) VALUES(?)");
    bind_text(add, 1, hash);
    step(history, add);
    sqlite3_finalize(add);
    id = sqlite3_last_insert_rowid(history->db);
    sqlite3_stmt *member = prepare(history, "INSERT INTO member VALUES(?, ?, ?)");
    for (guint i = 0; i < domains->len && !history->why; i++) {
        sqlite3_bind_int64(member, 1, id);
        sqlite3_bind_int64(member, 2, i);
        bind_text(member, 3, domains->pdata[i]);
        step(history, member);
        sqlite3_reset(member);
    }
    sqlite3_finalize(member);
    return id;
}

/* The statement that writes the rows of one table: "VERB(extra..., columns...) VALUES(?...)". */
static sqlite3_stmt *prepare_insert(struct history *history, const char *verb, const char *extra,
                                    bool certificates)
{
    GString *columns = g_string_new(extra), *marks = g_string_new("?");
    for (const char *p = extra; *p; p++)
        if (*p == ',')
            g_string_append(marks, ",?");
    for (size_t i = 0; i < finding_row_count; i++) {
        if (!in_table(&finding_rows[i], certificates))
            continue;
        g_string_append_printf(columns, ",%s", finding_rows[i].member);
        g_string_append(marks, ",?");
    }
    g_autofree char *sql = g_strdup_printf("%s(%s) VALUES(%s)", verb, columns->str, marks->str);
    g_string_free(columns, TRUE);
    g_string_free(marks, TRUE);
    return prepare(history, sql);
}

static void bind_rows(sqlite3_stmt *statement, int place, struct finding *finding,
                      bool certificates)
{
    for (size_t i = 0; i < finding_row_count; i++) {
        const struct finding_row *row = &finding_rows[i];
        if (!in_table(row, certificates))
            continue;
        if (finding_row_is_text(row))
            bind_text(statement, place++, *finding_text(finding, row));
        else
            sqlite3_bind_int64(statement, place++, *finding_number(finding, row));
    }
}

static void add_certificate(struct history *history, struct finding *finding)
{
    if (!finding->sha256)
        return;
    sqlite3_stmt *statement =
        prepare_insert(history, "INSERT OR IGNORE INTO certificate", "hash", true);
    bind_text(statement, 1, finding->sha256);
    bind_rows(statement, 2, finding, true);
    step(history, statement);
    sqlite3_finalize(statement);
}

static bool same_place(const struct finding *a, const struct finding *b)
{
    return g_strcmp0(a->mx, b->mx) == 0 && g_strcmp0(a->address, b->address) == 0;
}

/* The sighting of the run before that FINDING goes on; 0: there is none, it is a new one. */
static int64_t sighting_to_extend(struct history *history, const struct finding *finding,
                                  int64_t run)
{
    g_autoptr(GArray) runs = history_runs_of(history, finding->domain, run - 1);
    if (runs->len == 0)
        return 0;
    int64_t before = g_array_index(runs, struct history_run, runs->len - 1).id, id = 0;
    g_autofree char *columns = all_columns();
    g_autofree char *sql =
        g_strdup_printf("SELECT %s, s.id FROM sighting s LEFT JOIN certificate c"
                        " ON c.hash = s.sha256 WHERE s.domain = ? AND s.last = ?",
                        columns);
    sqlite3_stmt *statement = prepare(history, sql);
    bind_text(statement, 1, finding->domain);
    sqlite3_bind_int64(statement, 2, before);
    while (id == 0 && step(history, statement)) {
        struct sighting *old = read_sighting(statement);
        /* a handshake that failed once is not yet one that fails */
        if (same_place(old->finding, finding) &&
            finding_is_definite(old->finding) == finding_is_definite(finding) &&
            !finding_differ(old->finding, finding, FINDING_PASSING | FINDING_CERTIFICATE))
            id = sqlite3_column_int64(statement, (int)finding_row_count + 3);
        sighting_free(old);
    }
    sqlite3_finalize(statement);
    return id;
}

/* What may differ without anything having changed is kept as it was seen last. */
static void extend(struct history *history, int64_t id, int64_t run, struct finding *finding)
{
    GString *sql = g_string_new("UPDATE sighting SET last = ?");
    for (size_t i = 0; i < finding_row_count; i++)
        if (finding_rows[i].traits & FINDING_PASSING)
            g_string_append_printf(sql, ", %s = ?", finding_rows[i].member);
    g_string_append(sql, " WHERE id = ?");
    sqlite3_stmt *statement = prepare(history, sql->str);
    int place = 1;
    sqlite3_bind_int64(statement, place++, run);
    for (size_t i = 0; i < finding_row_count; i++) {
        const struct finding_row *row = &finding_rows[i];
        if (!(row->traits & FINDING_PASSING))
            continue;
        if (finding_row_is_text(row))
            bind_text(statement, place++, *finding_text(finding, row));
        else
            sqlite3_bind_int64(statement, place++, *finding_number(finding, row));
    }
    sqlite3_bind_int64(statement, place, id);
    step(history, statement);
    sqlite3_finalize(statement);
    g_string_free(sql, TRUE);
}

static void add_finding(struct history *history, int64_t run, struct finding *finding)
{
    add_certificate(history, finding);
    int64_t id = sighting_to_extend(history, finding, run);
    if (id > 0) {
        extend(history, id, run, finding);
        return;
    }
    sqlite3_stmt *statement =
        prepare_insert(history, "INSERT INTO sighting", "first,last,seen", false);
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_int64(statement, 2, run);
    sqlite3_bind_int64(statement, 3, MAX(finding->tries, 1));
    bind_rows(statement, 4, finding, false);
    step(history, statement);
    sqlite3_finalize(statement);
}

bool history_add(struct history *history, int64_t started, int64_t finished,
                 const GPtrArray *domains, const GPtrArray *findings, char **why_r)
{
    *why_r = NULL;
    g_clear_pointer(&history->why, g_free);
    if (!run_sql(history, "BEGIN IMMEDIATE", why_r))
        return false;
    int64_t list = list_of(history, domains);
    sqlite3_stmt *add =
        prepare(history, "INSERT INTO run(started, finished, list) VALUES(?, ?, ?)");
    sqlite3_bind_int64(add, 1, started);
    sqlite3_bind_int64(add, 2, finished);
    sqlite3_bind_int64(add, 3, list);
    if (!history->why)
        step(history, add);
    sqlite3_finalize(add);
    int64_t run = sqlite3_last_insert_rowid(history->db);
    /* no further than the first failure: by some of them SQLite has left the transaction */
    for (guint i = 0; i < findings->len && !history->why; i++)
        add_finding(history, run, findings->pdata[i]);
    *why_r = g_steal_pointer(&history->why);
    bool good = !*why_r;
    return run_sql(history, good ? "COMMIT" : "ROLLBACK", why_r) && good;
}
