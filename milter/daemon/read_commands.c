/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The commands of the read socket.
 */
#include "read_commands.h"

#include <string.h>
#include <sysexits.h>

#include "answer_line.h"
#include "checks/limit.h"
#include "config.h"
#include "hours.h"
#include "limits_control.h"
#include "lookup/tablestatus.h"
#include "near_look.h"
#include "read_history.h"
#include "shown.h"
#include "status.h"

struct reader {
    struct service *service;
    struct near_look *near;
};

struct reader *reader_new(struct service *service)
{
    struct reader *reader = g_new0(struct reader, 1);
    reader->service = service;
    reader->near = near_look_new(service);
    return reader;
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    near_look_free(reader->near);
    g_free(reader);
}

/* Digits for a field: TEXT has room for them. */
#define NUMBER_MAX 24
static const char *number(char *text, gint64 value)
{
    g_snprintf(text, NUMBER_MAX, "%" G_GINT64_FORMAT, value);
    return text;
}
#define NUMBER(value) number((char[NUMBER_MAX]){0}, (gint64)(value))

/* As the daemon tells it to others; what it needs is released with release_status. */
static struct snapshot *collect(struct reader *reader, struct status *status_r)
{
    struct snapshot *snapshot = service_collect_status(reader->service, status_r);
    g_ptr_array_unref(status_r->tables);
    status_r->tables = shown_tables(snapshot);
    status_r->lists = shown_lists(snapshot, status_r->dns.lists);
    g_ptr_array_unref(status_r->dns.lists);
    status_r->dns.lists = g_ptr_array_ref(status_r->lists);
    return snapshot;
}

static void release(struct status *status, struct snapshot *snapshot)
{
    g_ptr_array_unref(status->lists);
    service_release_status(status, snapshot);
}

static int run_status(void *data, const char *const *words, GString *out)
{
    struct status status = {0};
    struct snapshot *snapshot = collect(data, &status);
    int code = status_write(&status, words, out);
    release(&status, snapshot);
    return code;
}

static int run_metrics(void *data, const char *const *words, GString *out)
{
    struct reader *reader = data;
    struct status status = {0};
    if (words[0]) {
        g_string_append(out, "usage: metrics\n");
        return EX_USAGE;
    }
    struct snapshot *snapshot = collect(reader, &status);
    status.near = near_look_now(reader->near);
    status.limits = snapshot_main_policy(snapshot)->site.limits->limits;
    status_write_metrics(&status, out);
    limits_near_unref(status.near);
    release(&status, snapshot);
    return EX_OK;
}

/* The page */

static void put_hour(void *data, int64_t hour, const char *word, uint64_t count)
{
    PUT_ANSWER(data, "hour", NUMBER(hour), word, NUMBER(count));
}

static void put_daemon(const struct status *status, GString *out)
{
    PUT_ANSWER(out, "daemon", GATEPOST_VERSION, status->engine, status->mode,
               NUMBER(status->started), NUMBER(status->loaded), NUMBER(status->reload_failed),
               NUMBER(status->connections), NUMBER(status->messages),
               NUMBER(status->log.writing / G_USEC_PER_SEC), NUMBER(status->log.lost));
}

static void put_lists(const struct status *status, GString *out)
{
    for (guint i = 0; i < status->lists->len; i++) {
        const struct dnsbl_list_status *list = status->lists->pdata[i];
        PUT_ANSWER(out, "list", list->zone, NUMBER(list->health != DNSBL_ASIDE),
                   dnsbl_health_text(list->health),
                   list->reason == DNSBL_FINE ? "" : dnsbl_reason_text(list->reason, list->kind),
                   NUMBER(list->asked), NUMBER(list->listed), NUMBER(list->timeouts),
                   NUMBER(list->errors), NUMBER(list->latency_p50), NUMBER(list->latency_p99),
                   NUMBER(list->retry_in / G_USEC_PER_SEC));
    }
}

static void put_tables(const struct status *status, GString *out)
{
    for (guint i = 0; i < status->tables->len; i++) {
        const struct table_status *table = status->tables->pdata[i];
        PUT_ANSWER(out, "table", table->name, NUMBER(table->entries), NUMBER(table->read_at),
                   NUMBER(table->warnings), table->trouble ? table->trouble : "",
                   NUMBER(table->trouble_at));
    }
}

static void put_greylist(void *data, const char *const *labels, uint64_t count)
{
    PUT_ANSWER(data, "greylist", labels[0], NUMBER(count));
}

static void put_limits(struct reader *reader, const struct snapshot *snapshot,
                       const struct counts *counts, GString *out)
{
    struct limits_near *near = near_look_now(reader->near);
    const GPtrArray *limits = snapshot_main_policy(snapshot)->site.limits->limits;
    for (guint i = 0; i < limits->len; i++) {
        const struct limit *limit = limits->pdata[i];
        uint64_t refused = 0;
        tally_get(counts->limits, (const char *const *)&limit->name, &refused);
        g_autofree char *text = limit_text(limit, limit->max);
        PUT_ANSWER(out, "limit", limit->name, text, NUMBER(limits_near_count(near, limit->name)),
                   NUMBER(refused), near->complete ? "" : "incomplete");
    }
    limits_near_unref(near);
}

static int run_about(void *data, const char *const *words, GString *out)
{
    struct reader *reader = data;
    struct status status = {0};
    if (words[0]) {
        g_string_append(out, "usage: about\n");
        return EX_USAGE;
    }
    struct snapshot *snapshot = collect(reader, &status);
    put_daemon(&status, out);
    release(&status, snapshot);
    return EX_OK;
}

static int run_overview(void *data, const char *const *words, GString *out)
{
    struct reader *reader = data;
    struct status status = {0};
    if (words[0]) {
        g_string_append(out, "usage: overview\n");
        return EX_USAGE;
    }
    struct snapshot *snapshot = collect(reader, &status);
    put_daemon(&status, out);
    PUT_ANSWER(out, "store", status.store.kind, NUMBER(status.store.up),
               status.store.fault ? status.store.fault : "", NUMBER(status.store.records),
               NUMBER(status.store.late), NUMBER(status.store.failed));
    put_lists(&status, out);
    put_tables(&status, out);
    put_limits(reader, snapshot, status.counts, out);
    if (snapshot_main_policy(snapshot)->greylists)
        tally_foreach(status.counts->greylist, put_greylist, out);
    if (service_hours(reader->service))
        hours_foreach(service_hours(reader->service), put_hour, out);
    release(&status, snapshot);
    return EX_OK;
}

static int run_near(void *data, const char *const *words, GString *out)
{
    struct reader *reader = data;
    if (words[0]) {
        g_string_append(out, "usage: near\n");
        return EX_USAGE;
    }
    struct limits_near *near = near_look_now(reader->near);
    for (guint i = 0; i < near->nearest->len; i++) {
        const struct limit_near *one = near->nearest->pdata[i];
        PUT_ANSWER(out, "near", one->limit, one->key, NUMBER(one->used), NUMBER(one->max),
                   NUMBER(one->room_in));
    }
    limits_near_unref(near);
    return EX_OK;
}

/* The history */

static const char *history_of(const struct reader *reader)
{
    return service_history_path(reader->service);
}

static int run_decisions(void *data, const char *const *words, GString *out)
{
    if (words[0]) {
        g_string_append(out, "usage: decisions\n");
        return EX_USAGE;
    }
    return read_history_last(history_of(data), out);
}

static int run_search(void *data, const char *const *words, GString *out)
{
    struct reader *reader = data;
    struct snapshot *snapshot = engine_acquire(service_engine(reader->service));
    int status = read_history_search(history_of(reader), words[0] && !words[1] ? words[0] : NULL,
                                     snapshot, out);
    snapshot_unref(snapshot);
    return status;
}

const struct control_command read_commands[] = {
    {.name = "about", .run = run_about},
    {.name = "decisions", .run = run_decisions, .slow = true},
    {.name = "search", .run = run_search, .slow = true},
    {.name = "metrics", .run = run_metrics},
    {.name = "near", .run = run_near},
    {.name = "overview", .run = run_overview},
    {.name = "status", .run = run_status},
    {.name = NULL},
};
