/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of metrics.
 */
#include "status_rows.h"

#include <string.h>

#include "checks/limit.h"
#include "config.h"
#include "limits_control.h"
#include "lookup/tablestatus.h"
#include "status.h"

/* Plain numbers: a function each, by the field that it puts. */
#define NUMBER(function, expression)                                                               \
    static void function(const void *data, struct metric_sink *sink)                               \
    {                                                                                              \
        const struct status *status = data;                                                        \
        metric_put(sink, (double)(expression), NULL);                                              \
    }

NUMBER(put_connections, status->connections)
NUMBER(put_under_way, status->messages)
NUMBER(put_sessions, status->counters.sessions)
NUMBER(put_messages, status->counters.messages)
NUMBER(put_accepted, status->counters.accepted)
NUMBER(put_refused, status->counters.refused)
NUMBER(put_deferred, status->counters.deferred)
NUMBER(put_held, status->counters.held)
NUMBER(put_would_refuse, status->counters.would_refuse)
NUMBER(put_would_defer, status->counters.would_defer)
NUMBER(put_would_hold, status->counters.would_hold)
NUMBER(put_reloads, status->reloads)
NUMBER(put_snapshots, status->snapshots)
NUMBER(put_log_waiting, status->log.waiting)
NUMBER(put_log_lost, status->log.lost)
NUMBER(put_store_up, status->store.up)
NUMBER(put_history_dropped, status->history.dropped)
NUMBER(put_loaded, status->loaded)
NUMBER(put_reload_failures, status->reload_failures)
NUMBER(put_started, status->started)

static void put_build(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    const char *labels[] = {GATEPOST_VERSION, status->engine};
    metric_put(sink, 1, labels);
}

/* Counters by label */

#define TALLY(function, member)                                                                    \
    static void function(const void *data, struct metric_sink *sink)                               \
    {                                                                                              \
        metric_put_tally(sink, ((const struct status *)data)->counts->member);                     \
    }

TALLY(put_actions, messages)
TALLY(put_refusals, refusals)
TALLY(put_monitored, monitored)
TALLY(put_listeners, connections)
TALLY(put_rules, rules)
TALLY(put_limits, limits)
TALLY(put_greylist, greylist)
TALLY(put_autoreply, autoreply)

/* Times */

static void put_decisions(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
        const char *label = stage_name(stage);
        metric_put_histogram(sink, &status->counts->decisions[stage], &label);
    }
}

static void put_waits(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (enum wait_source source = 0; source < WAIT_SOURCES; source++) {
        const char *label = wait_source_word(source);
        metric_put_histogram(sink, &status->counts->waits[source], &label);
    }
}

/* DNS lists */

static void put_list_queries(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (guint i = 0; i < status->lists->len; i++) {
        const struct dnsbl_list_status *list = status->lists->pdata[i];
        const struct {
            const char *result;
            uint64_t count;
        } results[] = {{"listed", list->listed},
                       {"clean", list->clean},
                       {"timeout", list->timeouts},
                       {"refused", list->refused},
                       {"error", list->errors - list->refused}};
        for (size_t k = 0; k < G_N_ELEMENTS(results); k++) {
            const char *labels[] = {list->zone, results[k].result};
            metric_put(sink, (double)results[k].count, labels);
        }
    }
}

static void put_list_states(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (guint i = 0; i < status->lists->len; i++) {
        const struct dnsbl_list_status *list = status->lists->pdata[i];
        const char *label = list->zone;
        metric_put(sink, list->health != DNSBL_ASIDE, &label);
    }
}

static void put_list_times(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (guint i = 0; i < status->lists->len; i++) {
        const struct dnsbl_list_status *list = status->lists->pdata[i];
        const char *label = list->zone;
        metric_put_histogram(sink, &list->times, &label);
    }
}

/* Limits, store, tables */

static void put_near(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (guint i = 0; i < status->limits->len; i++) {
        const struct limit *limit = status->limits->pdata[i];
        const char *label = limit->name;
        metric_put(sink, limits_near_count(status->near, label), &label);
    }
}

NUMBER(put_near_complete, status->near->complete)

static void put_store_errors(const void *data, struct metric_sink *sink)
{
    static const char *const timeout = "timeout", *const error = "error";
    const struct status *status = data;
    metric_put(sink, (double)status->store.late, &timeout);
    metric_put(sink, (double)status->store.failed, &error);
}

static void put_table_entries(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (guint i = 0; i < status->tables->len; i++) {
        const struct table_status *table = status->tables->pdata[i];
        metric_put(sink, (double)table->entries, (const char *const *)&table->name);
    }
}

static void put_table_errors(const void *data, struct metric_sink *sink)
{
    const struct status *status = data;
    for (guint i = 0; i < status->tables->len; i++) {
        const struct table_status *table = status->tables->pdata[i];
        metric_put(sink, table->trouble != NULL, (const char *const *)&table->name);
    }
}

/* In the order in which `status` tells them. */
const struct metric_row status_rows[] = {
    {.name = "gatepost_build_info",
     .help = "1; what runs is in the labels.",
     .kind = METRIC_GAUGE,
     .labels = {"version", "engine"},
     .put = put_build},
    {.key = "connections",
     .words = "connections of the MTA open",
     .name = "gatepost_connections",
     .help = "Connections of the MTA that are open.",
     .kind = METRIC_GAUGE,
     .put = put_connections},
    {.key = "under_way",
     .words = "messages under way",
     .name = "gatepost_messages_under_way",
     .help = "Messages between MAIL and their end.",
     .kind = METRIC_GAUGE,
     .put = put_under_way},
    {.key = "sessions", .words = "sessions since the start", .put = put_sessions},
    {.key = "messages", .words = "messages seen to their end", .put = put_messages},
    {.key = "accepted", .words = "of these passed on", .put = put_accepted},
    {.key = "refused", .words = "recipients and messages refused (5xx)", .put = put_refused},
    {.key = "deferred", .words = "recipients and messages deferred (4xx)", .put = put_deferred},
    {.key = "held", .words = "messages put on hold", .put = put_held},
    {.key = "would_refuse",
     .words = "would have been refused (5xx; mode = monitor)",
     .rare = true,
     .put = put_would_refuse},
    {.key = "would_defer",
     .words = "would have been deferred (4xx; mode = monitor)",
     .rare = true,
     .put = put_would_defer},
    {.key = "would_hold",
     .words = "would have been put on hold (mode = monitor)",
     .rare = true,
     .put = put_would_hold},
    {.key = "reloads", .words = "reloads", .put = put_reloads},
    {.key = "snapshots",
     .words = "policies in memory, older ones until their last session ends",
     .name = "gatepost_policies",
     .help = "Policies in memory; older ones stay until their last session ends.",
     .kind = METRIC_GAUGE,
     .put = put_snapshots},
    {.key = "log_waiting",
     .words = "lines of the log not read yet",
     .name = "gatepost_log_waiting_lines",
     .help = "Lines of the log that nobody has read yet.",
     .kind = METRIC_GAUGE,
     .put = put_log_waiting},
    {.key = "log_lost",
     .words = "lines of the log lost, not read in time",
     .name = "gatepost_log_lost_lines_total",
     .help = "Lines of the log that were lost since nobody read them in time.",
     .kind = METRIC_COUNTER,
     .put = put_log_lost},
    {.name = "gatepost_messages_total",
     .help =
         "Messages seen to their end, by what became of them: accept without a mark, tag, hold, "
         "reject, tempfail.",
     .kind = METRIC_COUNTER,
     .labels = {"action"},
     .put = put_actions},
    {.name = "gatepost_refusals_total",
     .help = "Recipients and messages refused, by stage, restriction and reply code.",
     .kind = METRIC_COUNTER,
     .labels = {"stage", "check", "code"},
     .put = put_refusals},
    {.name = "gatepost_monitored_refusals_total",
     .help = "What mode = monitor let pass and would have refused.",
     .kind = METRIC_COUNTER,
     .labels = {"stage", "check", "code"},
     .put = put_monitored},
    {.name = "gatepost_connections_total",
     .help = "Connections by listener: its section's name, else what the MTA calls it.",
     .kind = METRIC_COUNTER,
     .labels = {"listener"},
     .put = put_listeners},
    {.name = "gatepost_decision_seconds",
     .help = "Time spent in gatepost on what was decided, waits included.",
     .kind = METRIC_HISTOGRAM,
     .labels = {"stage"},
     .put = put_decisions},
    {.name = "gatepost_wait_seconds",
     .help = "Time that decisions had to wait for DNS, the store, or work done elsewhere.",
     .kind = METRIC_HISTOGRAM,
     .labels = {"for"},
     .put = put_waits},
    {.name = "gatepost_dnsbl_queries_total",
     .help = "Answers of DNS lists, from the cache too.",
     .kind = METRIC_COUNTER,
     .labels = {"list", "result"},
     .put = put_list_queries},
    {.name = "gatepost_dnsbl_state",
     .help = "1 while the list is asked, 0 while it is set aside.",
     .kind = METRIC_GAUGE,
     .labels = {"list"},
     .put = put_list_states},
    {.name = "gatepost_dnsbl_seconds",
     .help = "Time that answers of the list took, from the network alone.",
     .kind = METRIC_HISTOGRAM,
     .labels = {"list"},
     .put = put_list_times},
    {.name = "gatepost_rule_hits_total",
     .help = "Hits of rules that score.",
     .kind = METRIC_COUNTER,
     .labels = {"rule"},
     .put = put_rules},
    {.name = "gatepost_limit_refused_total",
     .help = "Refusals and holds by the limit.",
     .kind = METRIC_COUNTER,
     .labels = {"limit"},
     .put = put_limits},
    {.name = "gatepost_limit_keys_near",
     .help = "Keys that have used so much of the limit that limit_warn tells of them, seen within "
             "a minute.",
     .kind = METRIC_GAUGE,
     .labels = {"limit"},
     .put = put_near},
    {.name = "gatepost_limit_keys_near_complete",
     .help = "1 while gatepost_limit_keys_near is of all keys, 0 while it may be too low.",
     .kind = METRIC_GAUGE,
     .put = put_near_complete},
    {.name = "gatepost_greylist_total",
     .help = "What greylisting said.",
     .kind = METRIC_COUNTER,
     .labels = {"result"},
     .put = put_greylist},
    {.name = "gatepost_autoreply_total",
     .help = "Automatic replies with a quotation, by what was done with them.",
     .kind = METRIC_COUNTER,
     .labels = {"action"},
     .put = put_autoreply},
    {.name = "gatepost_store_up",
     .help = "1 while the store of limits and greylisting answers.",
     .kind = METRIC_GAUGE,
     .put = put_store_up},
    {.name = "gatepost_store_errors_total",
     .help = "Questions that the store did not answer in time, or answered with an error.",
     .kind = METRIC_COUNTER,
     .labels = {"kind"},
     .put = put_store_errors},
    {.name = "gatepost_history_dropped_total",
     .help = "Decisions that the history could not take in.",
     .kind = METRIC_COUNTER,
     .put = put_history_dropped},
    {.name = "gatepost_table_entries",
     .help = "Entries of the table in force.",
     .kind = METRIC_GAUGE,
     .labels = {"table"},
     .put = put_table_entries},
    {.name = "gatepost_table_error",
     .help = "1 while the table's file cannot be read again.",
     .kind = METRIC_GAUGE,
     .labels = {"table"},
     .put = put_table_errors},
    {.name = "gatepost_reload_success_timestamp_seconds",
     .help = "When the settings in force were read.",
     .kind = METRIC_GAUGE,
     .put = put_loaded},
    {.name = "gatepost_reload_failures_total",
     .help = "Reloads that found errors.",
     .kind = METRIC_COUNTER,
     .put = put_reload_failures},
    {.name = "process_start_time_seconds",
     .help = "When the daemon was started.",
     .kind = METRIC_GAUGE,
     .put = put_started},
};
const size_t status_row_count = G_N_ELEMENTS(status_rows);
