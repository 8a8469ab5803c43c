/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the daemon is, for a person or a program.
 *
 * Threads: pure.
 */
#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

#include "history/history_writer.h"
#include "policy/engine.h"
#include "report/counts.h"
#include "report/log.h"
#include "store/store.h"

struct status {
    const char *path; /* of the settings */
    const char *mode;
    gint64 started; /* seconds since 1970 */
    gint64 loaded;  /* when the settings in force were read */
    guint64 reloads;
    guint64 reload_failures;
    bool reload_failed;   /* the last one */
    unsigned connections; /* of the MTA, open */
    unsigned messages;    /* under way */
    unsigned snapshots;   /* policies in memory */
    struct engine_counters counters;
    struct engine_dns_status dns;
    struct log_state log;
    struct store_status store;
    const char *history_path; /* NULL: none is kept */
    struct history_state history;
    GPtrArray *tables; /* of struct table_status * */
    /* of char *: what the disk has and is not in force, see policy/snapshot_changes.h; NULL: nobody
     * looked */
    GPtrArray *newer;
    /* for metrics alone */
    const char *engine;          /* what speaks the milter protocol */
    const struct counts *counts; /* what was decided */
    GPtrArray *lists;            /* of struct dnsbl_list_status *: as shown_lists gives them */
    struct limits_near *near;
    GPtrArray *limits; /* of struct limit *, of the policy in force; not owned */
};

/* The families of Prometheus' text format; TABLES are those of shown_tables. */
void status_write_metrics(const struct status *status, GString *out);

/* Writes it as WORDS want that stand behind "status": none for people, or "--json" for one object
 * in one line. Returns EX_OK, or EX_USAGE with what would be right in OUT. */
int status_write(const struct status *status, const char *const *words, GString *out);

#endif
