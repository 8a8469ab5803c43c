/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the history: what trace, replay, report and the daemon's read socket share. It is opened
 * for reading alone, beside a daemon that writes it, and nobody waits for anybody.
 *
 *     struct history_reader *reader = history_reader_open(path, &why);
 *
 *     struct history_search search = {.since = since, .rows_max = 100, .newest_first = true};
 *     history_key_parse("alice@example.com", &search.key);
 *     history_search(reader, &search, visit, data, &why);      a key, by the indexes: milliseconds
 *
 *     history_scan(reader, since, until, visit, data, &why);   all rows of a time, oldest first
 *
 *     history_reader_close(reader);
 *
 * VISIT gets each row as a struct history_row that lives during the call; it returns false to end.
 *
 * Threads: a reader is one thread's; several readers of one file may be used at once.
 */
#ifndef HISTORY_HISTORY_READER_H
#define HISTORY_HISTORY_READER_H

#include "base/ipaddr.h"
#include "history/history_row.h"

struct history_reader;

/* Opens the file. NULL with *WHY_R (owned by the caller), which names the file and the remedy: it
 * is not there, may not be read, is of a later version, is broken. */
struct history_reader *history_reader_open(const char *path, char **why_r);
void history_reader_close(struct history_reader *reader); /* accepts NULL */

/* What a decision is looked up by. */
enum history_key_kind {
    HISTORY_ANY,     /* everything */
    HISTORY_ADDRESS, /* sender or recipient, typed or as the MTA has it; or a login with an "@" */
    HISTORY_CLIENT,  /* an IP address, or a network */
    HISTORY_WORD,    /* queue id, session, login, or the domain of an address, or a client's name */
};

#define HISTORY_KEY_MAX 1024

struct history_key {
    enum history_key_kind kind;
    char text[HISTORY_KEY_MAX]; /* of ADDRESS and WORD, as it was written; in whichever spelling,
                                   a domain in the DNS's letters or its language's */
    struct ipnet network;       /* of CLIENT */
    const char *delimiters; /* of ADDRESS: an address with an extension, which any of them begins,
                               is meant as well; NULL: none is */
    const char *login; /* of ADDRESS: who logs in by this name is meant as well; NULL: nobody */
};

/* Reads what a person wrote: an address of a network, mail address or word, by its look. false: it
 * can be none of them (empty, too long). */
bool history_key_parse(const char *text, struct history_key *key_r);

struct history_search {
    struct history_key key;
    int64_t since, until; /* us since 1970, both inclusive; UNTIL 0: no end */
    bool newest_first;
    unsigned rows_max;    /* 0: no limit */
    int64_t microseconds; /* give up after so long; 0: never */
};

typedef bool history_visit(void *data, const struct history_row *row);

/* Tells VISIT of the rows that SEARCH finds, by time. false with *WHY_R: the file cannot be read
 * (or time is up), and there may be more. */
bool history_search(struct history_reader *reader, const struct history_search *search,
                    history_visit *visit, void *data, char **why_r);

/* Tells VISIT of all rows from SINCE to UNTIL (0: no end), oldest first. A row that is broken is
 * passed over, and counted by history_reader_broken. */
bool history_scan(struct history_reader *reader, int64_t since, int64_t until, history_visit *visit,
                  void *data, char **why_r);
uint64_t history_reader_broken(const struct history_reader *reader);

/* The ids of the rows from SINCE on: the first, and one more than the last; equal: there are none.
 * For who divides a scan. */
bool history_reader_range(struct history_reader *reader, int64_t since, int64_t *first_r,
                          int64_t *end_r, char **why_r);

/* The rows FIRST to END - 1. */
bool history_scan_ids(struct history_reader *reader, int64_t first, int64_t end,
                      history_visit *visit, void *data, char **why_r);

/* The rules that history_row.ruleset names, see spam_site.rules_text; NULL: not known. The caller
 * frees it. */
char *history_reader_ruleset(struct history_reader *reader, const char *name);

#endif
