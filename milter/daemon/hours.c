/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hours and their counts.
 */
#include "hours.h"

#include <string.h>

enum { HOUR = 3600 };

struct hour {
    int64_t begin;      /* seconds since 1970 */
    bool changed;       /* since it was written */
    GHashTable *counts; /* word -> uint64_t * */
};

struct hours {
    GMutex lock;        /* of HOURS */
    GArray *hours;      /* of struct hour, the oldest first */
    GHashTable *totals; /* word -> uint64_t *: what counters were at the last tick */
    struct state_file *file;
    uint64_t generation; /* of the file that has all that is unchanged */
};

static GHashTable *counts_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static uint64_t *count_of(GHashTable *counts, const char *word)
{
    uint64_t *count = g_hash_table_lookup(counts, word);
    if (!count && g_hash_table_size(counts) >= HOURS_WORDS_MAX) {
        word = TALLY_OTHER;
        count = g_hash_table_lookup(counts, word);
    }
    if (count)
        return count;
    count = g_new0(uint64_t, 1);
    g_hash_table_insert(counts, g_strdup(word), count);
    return count;
}

/* The hour that begins at BEGIN, made if it is not there; the array stays in order, and of its
 * length. A clock that was set back adds to the hour that it says. */
static struct hour *hour_at(struct hours *hours, int64_t begin)
{
    guint place = hours->hours->len;
    while (place > 0 && g_array_index(hours->hours, struct hour, place - 1).begin > begin)
        place--;
    if (place > 0 && g_array_index(hours->hours, struct hour, place - 1).begin == begin)
        return &g_array_index(hours->hours, struct hour, place - 1);
    struct hour hour = {.begin = begin, .counts = counts_table()};
    g_array_insert_val(hours->hours, place, hour);
    if (hours->hours->len > HOURS_KEPT && place > 0) {
        g_array_remove_index(hours->hours, 0);
        place--;
    }
    return &g_array_index(hours->hours, struct hour, place);
}

static void clear_hour(void *data)
{
    struct hour *hour = data;
    g_hash_table_unref(hour->counts);
}

/* The file */

static int load_rows(sqlite3 *db, void *data)
{
    struct hours *hours = data;
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, "SELECT hour, word, n FROM hours ORDER BY hour DESC LIMIT ?",
                                  -1, &statement, NULL);
    if (code != SQLITE_OK)
        return SQLITE_OK; /* no such table yet */
    sqlite3_bind_int(statement, 1, HOURS_KEPT * HOURS_WORDS_MAX);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *word = (const char *)sqlite3_column_text(statement, 1);
        int64_t begin = sqlite3_column_int64(statement, 0);
        sqlite3_int64 n = sqlite3_column_int64(statement, 2);
        if (word && n > 0 && begin % HOUR == 0 && g_utf8_validate(word, -1, NULL))
            *count_of(hour_at(hours, begin)->counts, word) += (uint64_t)n;
    }
    sqlite3_finalize(statement);
    hours->generation = state_file_generation(hours->file);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int save_hour(sqlite3_stmt *statement, const struct hour *hour)
{
    GHashTableIter iter;
    void *word, *count;
    int code = SQLITE_DONE;
    g_hash_table_iter_init(&iter, hour->counts);
    while (code == SQLITE_DONE && g_hash_table_iter_next(&iter, &word, &count)) {
        sqlite3_bind_int64(statement, 1, hour->begin);
        sqlite3_bind_text(statement, 2, word, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64) * (uint64_t *)count);
        code = sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    return code;
}

/* An array that is not this one's alone: hours_save holds no lock while it writes. */
struct saving {
    struct hours *hours;
    GArray *all; /* of struct hour, with tables of their own */
};

static int save_rows(sqlite3 *db, void *data)
{
    const struct saving *saving = data;
    struct hours *hours = saving->hours;
    sqlite3_stmt *statement;
    uint64_t generation = state_file_generation(hours->file);
    int code = sqlite3_exec(db,
                            "CREATE TABLE IF NOT EXISTS hours (hour INTEGER, word TEXT, n INTEGER, "
                            "PRIMARY KEY (hour, word)) WITHOUT ROWID",
                            NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO hours VALUES (?, ?, ?)", -1, &statement,
                              NULL);
    if (code != SQLITE_OK)
        return code;
    code = SQLITE_DONE;
    for (guint i = 0; code == SQLITE_DONE && i < saving->all->len; i++) {
        const struct hour *hour = &g_array_index(saving->all, struct hour, i);
        if (hour->changed || generation != hours->generation)
            code = save_hour(statement, hour);
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return code;
    g_autofree char *clear = g_strdup_printf(
        "DELETE FROM hours WHERE hour < %" G_GINT64_FORMAT,
        saving->all->len ? (gint64)g_array_index(saving->all, struct hour, 0).begin : (gint64)0);
    code = sqlite3_exec(db, clear, NULL, NULL, NULL);
    hours->generation = generation;
    return code;
}

static GHashTable *copy_counts(GHashTable *counts)
{
    GHashTable *copy = counts_table();
    GHashTableIter iter;
    void *word, *count;
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &word, &count))
        g_hash_table_insert(copy, g_strdup(word), g_memdup2(count, sizeof(uint64_t)));
    return copy;
}

bool hours_save(struct hours *hours, char **why_r)
{
    if (!hours->file)
        return true;
    struct saving saving = {hours, g_array_new(FALSE, FALSE, sizeof(struct hour))};
    g_array_set_clear_func(saving.all, clear_hour);
    bool changed = false;
    g_mutex_lock(&hours->lock);
    for (guint i = 0; i < hours->hours->len; i++) {
        struct hour *hour = &g_array_index(hours->hours, struct hour, i), copy = *hour;
        changed |= hour->changed;
        hour->changed = false;
        copy.counts = copy_counts(hour->counts);
        g_array_append_val(saving.all, copy);
    }
    g_mutex_unlock(&hours->lock);
    bool done = !changed || state_file_run(hours->file, true, save_rows, &saving, why_r);
    g_mutex_lock(&hours->lock);
    for (guint i = 0; !done && i < saving.all->len; i++) {
        const struct hour *copy = &g_array_index(saving.all, struct hour, i);
        if (copy->changed)
            hour_at(hours, copy->begin)->changed = true;
    }
    g_mutex_unlock(&hours->lock);
    g_array_unref(saving.all);
    return done;
}

/* Life */

struct hours *hours_new(struct state_file *file)
{
    struct hours *hours = g_new0(struct hours, 1);
    g_autofree char *why = NULL;
    g_mutex_init(&hours->lock);
    hours->hours = g_array_new(FALSE, FALSE, sizeof(struct hour));
    g_array_set_clear_func(hours->hours, clear_hour);
    hours->totals = counts_table();
    hours->file = file;
    if (file) /* whoever else reads the file tells what is wrong with it */
        (void)state_file_run(file, false, load_rows, hours, &why);
    return hours;
}

void hours_free(struct hours *hours)
{
    if (!hours)
        return;
    g_array_unref(hours->hours);
    g_hash_table_unref(hours->totals);
    g_mutex_clear(&hours->lock);
    g_free(hours);
}

/* Ticks */

static void add_action(void *data, const char *const *labels, uint64_t count)
{
    /* refusals are counted below, with those of recipients */
    if (strcmp(labels[0], "reject") != 0 && strcmp(labels[0], "tempfail") != 0)
        *count_of(data, labels[0]) += count;
}

static void add_refusal(void *data, const char *const *labels, uint64_t count)
{
    g_autofree char *word =
        g_strconcat(labels[2][0] == '4' ? "tempfail " : "reject ", labels[1], NULL);
    *count_of(data, word) += count;
}

static void add_monitored(void *data, const char *const *labels, uint64_t count)
{
    g_autofree char *word = g_strconcat("would ", labels[1], NULL);
    *count_of(data, word) += count;
}

void hours_tick(struct hours *hours, const struct counts *counts, int64_t now)
{
    GHashTable *totals = counts_table();
    GHashTableIter iter;
    void *word, *total;
    tally_foreach(counts->messages, add_action, totals);
    tally_foreach(counts->refusals, add_refusal, totals);
    tally_foreach(counts->monitored, add_monitored, totals);
    g_mutex_lock(&hours->lock);
    g_hash_table_iter_init(&iter, totals);
    while (g_hash_table_iter_next(&iter, &word, &total)) {
        const uint64_t *before = g_hash_table_lookup(hours->totals, word);
        uint64_t grown = *(uint64_t *)total - (before ? *before : 0);
        if (grown == 0)
            continue;
        struct hour *hour = hour_at(hours, now - now % HOUR);
        *count_of(hour->counts, word) += grown;
        hour->changed = true;
    }
    g_mutex_unlock(&hours->lock);
    g_hash_table_unref(hours->totals);
    hours->totals = totals;
}

void hours_foreach(struct hours *hours,
                   void (*visit)(void *data, int64_t hour, const char *word, uint64_t count),
                   void *data)
{
    g_mutex_lock(&hours->lock);
    for (guint i = 0; i < hours->hours->len; i++) {
        const struct hour *hour = &g_array_index(hours->hours, struct hour, i);
        GHashTableIter iter;
        void *word, *count;
        g_hash_table_iter_init(&iter, hour->counts);
        while (g_hash_table_iter_next(&iter, &word, &count))
            visit(data, hour->begin, word, *(uint64_t *)count);
    }
    g_mutex_unlock(&hours->lock);
}
