/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is in the file, and how it is written. Tables:
 *
 *     decision(id, at, early, size, row)   a row each; ids grow with time, nearly
 *     key(place, id)                       what rows are found by: the day and half of a hash
 *                                          (history_key_place), so that what is written stands
 *                                          together, and what is old goes together
 *     client(day, address, id)             the same for clients, in the order of addresses
 *     ruleset(name, at, rules)             which rules there were
 *     total(early, rows, bytes)            what decision holds, by its column
 *     meta(name, value)                    the seed of hashes
 *
 * Threads: as SQLite's connection; one at a time.
 */
#ifndef HISTORY_HISTORY_FILE_H
#define HISTORY_HISTORY_FILE_H

#include <sqlite3.h>

#include "base/siphash.h"
#include "history_record.h"

/* PRAGMA user_version. */
#define HISTORY_SCHEMA 2

/* A decision on its way into the file. */
struct history_item {
    GList link; /* of the queue; DATA is the item */
    bool early;
    char *rules_name, *rules_text; /* GRefStrings; NULL: no rules were asked */
    size_t length;
    unsigned char record[]; /* LENGTH bytes */
};

/* One whose record is a copy of LENGTH bytes; the caller frees it. */
struct history_item *history_item_new(const void *record, size_t length);
void history_item_free(struct history_item *item); /* accepts NULL */

/* A transaction: first what is too much goes, then ITEMS come. */
struct history_work {
    GPtrArray *items;       /* of struct history_item *; may be empty */
    int64_t oldest;         /* us since 1970: what is older goes */
    int64_t size;           /* bytes of the file */
    const char *delimiters; /* see history_row_hashes */
    bool clears;            /* what rows have left behind goes as well: now and then is enough */
    /* out */
    uint64_t evicted;
    uint64_t bytes; /* of the file, as far as it is used */
    bool more;      /* there is more that must go: come again */
    bool rises;     /* the file is of an earlier version, and was to be rewritten */
    bool too_new;   /* the file is of a later version, and was not touched */
};

/* For state_file_run; DATA is the struct history_work. */
int history_file_work(sqlite3 *db, void *data);

/* Reads the seed; SQLITE_OK, or what SQLite says. */
int history_file_seed(sqlite3 *db, struct siphash_seed *seed_r);

/* Deletes rows with all that they are found by, within a transaction. All say SQLITE_OK, or what
 * SQLite says; history_deleter_end is called in any case, and corrects the totals. */
struct history_deleter {
    sqlite3 *db;
    struct siphash_seed seed;
    const char *delimiters;
    sqlite3_stmt *decision, *key, *client;
    GArray *hashes;
    int64_t rows[2], bytes[2];
};
int history_deleter_init(struct history_deleter *deleter, sqlite3 *db, const char *delimiters);
/* SIZE: what the column says, which the totals have. */
int history_delete(struct history_deleter *deleter, int64_t id, bool early, int64_t size,
                   const void *record, size_t length);
int history_deleter_end(struct history_deleter *deleter);

#endif
