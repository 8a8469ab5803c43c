/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the filter did in a time, counted from its history: by day and hour, by check, DNS list,
 * rule, listener, login and sender's domain; what a list alone caught; what never hit.
 *
 * Names that strangers choose are counted up to REPORT_NAMES_MAX of a kind; the rest is one row.
 *
 * Threads: one thread at a time.
 */
#ifndef REPORT_SUMMARY_REPORT_H
#define REPORT_SUMMARY_REPORT_H

#include <glib.h>
#include <stdio.h>

#include "history/history_row.h"
#include "policy/snapshot.h"

#define REPORT_NAMES_MAX 20000u

/* What became of a message or a recipient; in monitor mode, what would have. */
enum report_outcome {
    REPORT_PASSED,
    REPORT_TAGGED, /* passed, with a mark */
    REPORT_HELD,
    REPORT_DEFERRED,
    REPORT_REFUSED,
};
#define REPORT_OUTCOMES 5

/* "passed", "tagged", "held", "deferred", "refused". */
extern const char *const report_outcome_words[REPORT_OUTCOMES];

struct report_row {
    char *name;
    uint64_t counts[REPORT_OUTCOMES];
};

uint64_t report_row_total(const struct report_row *row);

enum report_kind {
    REPORT_BY_DAY,  /* "2026-11-26", in this machine's time; in order */
    REPORT_BY_HOUR, /* "00" to "23", of all days; in order */
    REPORT_BY_CHECK,
    REPORT_BY_RULE,
    REPORT_BY_LISTENER,
    REPORT_BY_LOGIN,
    REPORT_BY_DOMAIN, /* of the sender; "<>" of the null sender */
    REPORT_BY_LIST,   /* a DNS list that had what was asked, as dnsbl_reply_map shows it */
};
#define REPORT_KINDS 8

struct report_list {
    char *zone;       /* as dnsbl_reply_map shows it */
    uint64_t asked;   /* decisions for which it gave an answer */
    uint64_t listed;  /* of these it had what was asked */
    uint64_t refused; /* of these DNS lists refused or deferred */
    uint64_t alone;   /* of these they would not have without it */
};

/* The lines of a table that were never found. */
struct report_table {
    char *name;       /* "texthash:/etc/gatepost/clients" */
    int64_t since;    /* us since 1970: when lines had the numbers that they have now */
    uint64_t entries; /* that it has */
    uint64_t unused;  /* of these never found */
    GPtrArray *lines; /* of char *, "LINE: KEY": all of them */
};

struct summary_report {
    int64_t since, until; /* us since 1970 */
    uint64_t decisions;
    uint64_t monitored; /* of these in monitor mode: only told */
    uint64_t totals[REPORT_OUTCOMES];
    GPtrArray *rows[REPORT_KINDS]; /* of struct report_row *, the most frequent first */
    GPtrArray *lists;              /* of struct report_list *, the most catching first */
    /* of char *: of what is in force, what decided or hit nothing */
    GPtrArray *idle_checks, *idle_lists, *idle_rules;
    uint64_t entries_cut;   /* decisions that found more entries of tables than the history keeps of
                               one: these may have found what is said to have been found by none */
    GPtrArray *idle_tables; /* of struct report_table *, those with unused lines */
};

struct report_maker;

/* Begins a report about what is decided from SINCE on. SNAPSHOT says what is in force; it must live
 * until report_maker_finish. */
struct report_maker *report_maker_new(const struct snapshot *snapshot, int64_t since);

/* Counts a decision. */
void report_maker_add(struct report_maker *maker, const struct history_row *row);

/* Ends it, UNTIL; the caller frees the report. */
struct summary_report *report_maker_finish(struct report_maker *maker, int64_t until);
void summary_report_free(struct summary_report *report); /* accepts NULL */

/* For a terminal of 80 columns; as one JSON object; as a page of HTML with plots, without script
 * and nothing from elsewhere. Whatever strangers sent is escaped. */
void summary_report_text(const struct summary_report *report, GString *out);
void summary_report_json(const struct summary_report *report, GString *out);
void summary_report_html(const struct summary_report *report, GString *out);

#endif
