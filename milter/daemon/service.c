/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The running daemon.
 */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/system.h"
#include "base/text.h"
#include "config.h"
#include "lookup/tablestatus.h"
#include "mta/mta.h"
#include "hours.h"
#include "limits_control.h"
#include "notice.h"
#include "notify.h"
#include "policy/snapshot_changes.h"
#include "state.h"
#include "status.h"

/* How often changed tables are looked for: a stat(2) each. */
enum { WATCH_MICROSECONDS = G_USEC_PER_SEC };
/* How often memory that is free goes back to the system: what a busy minute took would stay. */
enum { GIVE_BACK_MICROSECONDS = 60 * G_USEC_PER_SEC };
/* How often the numbers of the hour are saved: so much of them a crash may cost. */
enum { HOURS_SAVE_MICROSECONDS = 30 * G_USEC_PER_SEC };
/* How long a person waits for the history to be written. */
enum { HISTORY_FLUSH_US = 10 * G_USEC_PER_SEC };

struct service {
    char *path;
    bool foreground;
    struct log *log;
    struct engine *engine;
    struct notices *notices;
    struct counts *counts;
    struct state *state;            /* NULL before service_open_state */
    struct hours *hours;            /* likewise */
    gint64 hours_saved;             /* monotonic, of the last try */
    bool hours_fault;               /* was told */
    struct history_writer *history; /* NULL: none is kept */
    struct watchdog *watchdog;
    bool no_descriptors; /* was told */
    gint64 started;      /* seconds since 1970 */
    GMutex reload_lock;
    char *startup[SETTING_COUNT]; /* what was in force when the daemon started */
    GMutex lock;                  /* of what follows */
    gint64 loaded;
    bool reload_failed; /* the last one */
    guint64 reloads, reload_failures;
    GCond stop_cond;
    bool stop;
    GThread *watcher;
};

/* What takes effect when the daemon starts, and never again. */
static const enum setting startup_settings[] = {
    SETTING_MILTER_SOCKET,  SETTING_MILTER_SOCKET_MODE, SETTING_MILTER_SOCKET_GROUP,
    SETTING_CONTROL_SOCKET, SETTING_PID_FILE,           SETTING_USER,
    SETTING_STATE,          SETTING_STATE_USER,         SETTING_STATE_PASSWORD_FILE,
    SETTING_STATE_PREFIX,   SETTING_STATE_TIMEOUT,      SETTING_MILTER_ENGINE,
    SETTING_MILTER_THREADS, SETTING_READ_SOCKET,        SETTING_READ_SOCKET_GROUP,
    SETTING_HISTORY,        SETTING_STATE_CA_FILE,      SETTING_STATE_CERT_FILE,
};

struct snapshot *service_load(const char *path, const struct snapshot *older,
                              struct problems *problems)
{
    struct snapshot *snapshot = snapshot_load(path, older, problems);
    if (!snapshot)
        return NULL;
    log_check_settings(snapshot_settings(snapshot), problems);
    if (problems_errors(problems) == 0)
        return snapshot;
    snapshot_unref(snapshot);
    return NULL;
}

static struct log_options options_for(const struct service *service,
                                      const struct snapshot *snapshot)
{
    struct log_options options = log_options_from(snapshot_settings(snapshot));
    options.foreground = service->foreground;
    if (service->foreground && options.target != LOG_TARGET_JOURNAL)
        options.target = LOG_TARGET_STDERR;
    return options;
}

struct service *service_new(const char *path, struct snapshot *snapshot, bool foreground)
{
    struct service *service = g_new0(struct service, 1);
    const struct settings *settings = snapshot_settings(snapshot);
    service->path = g_strdup(path);
    service->foreground = foreground;
    service->started = service->loaded = g_get_real_time() / G_USEC_PER_SEC;
    for (size_t i = 0; i < G_N_ELEMENTS(startup_settings); i++)
        service->startup[startup_settings[i]] =
            g_strdup(settings_get(settings, NULL, startup_settings[i])->text);
    g_mutex_init(&service->reload_lock);
    g_mutex_init(&service->lock);
    g_cond_init(&service->stop_cond);
    struct log_options options = options_for(service, snapshot);
    service->log = log_new(&options);
    struct engine_listener listener = {
        .event = log_event, .message = log_message, .data = service->log};
    service->engine = engine_new(snapshot, &listener);
    service->counts = counts_new();
    counts_expect(service->counts, snapshot);
    listener = (struct engine_listener){
        .event = counts_event, .connection = counts_connection, .data = service->counts};
    engine_add_listener(service->engine, &listener);
    return service;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    notices_free(service->notices);
    engine_free(service->engine);
    counts_free(service->counts);
    hours_free(service->hours);
    state_free(service->state);
    history_writer_free(service->history);
    log_free(service->log);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        g_free(service->startup[i]);
    g_mutex_clear(&service->reload_lock);
    g_mutex_clear(&service->lock);
    g_cond_clear(&service->stop_cond);
    g_free(service->path);
    g_free(service);
}

struct engine *service_engine(struct service *service)
{
    return service->engine;
}

struct log *service_log(struct service *service)
{
    return service->log;
}

gint64 service_stop_timeout(struct service *service)
{
    struct snapshot *snapshot = engine_acquire(service->engine);
    gint64 timeout = settings_integer(snapshot_settings(snapshot), NULL, SETTING_STOP_TIMEOUT);
    snapshot_unref(snapshot);
    return timeout;
}

void service_open_state(struct service *service)
{
    struct snapshot *snapshot = engine_acquire(service->engine);
    const struct state_setup setup = {
        .place = service->startup[SETTING_STATE],
        .ca_file = service->startup[SETTING_STATE_CA_FILE],
        .cert_file = service->startup[SETTING_STATE_CERT_FILE],
        .user = service->startup[SETTING_STATE_USER],
        .password_file = service->startup[SETTING_STATE_PASSWORD_FILE],
        .prefix = service->startup[SETTING_STATE_PREFIX],
        .timeout = settings_integer(snapshot_settings(snapshot), NULL, SETTING_STATE_TIMEOUT),
    };
    service->state = state_open(&setup, service->log);
    snapshot_unref(snapshot);
    engine_set_bounce_memory(service->engine, state_bounce_memory(service->state));
    const unsigned char *secret = state_notice_secret(service->state);
    engine_set_store(service->engine, state_store(service->state), secret);
    service->hours = hours_new(state_get_file(service->state));
    service->hours_saved = g_get_monotonic_time();
    service->notices = notices_new(service->engine, secret, service->log);
}

void service_open_history(struct service *service)
{
    struct snapshot *snapshot = engine_acquire(service->engine);
    const struct settings *settings = snapshot_settings(snapshot);
    const char *path = history_path(settings);
    const struct history_options options = history_options_from(settings);
    const struct history_log log = {log_warn, log_tell, service->log};
    if (path) {
        service->history = history_writer_new(path, &options, &log);
        const struct engine_listener listener = {.event = history_writer_event,
                                                 .data = service->history};
        engine_add_listener(service->engine, &listener);
    }
    snapshot_unref(snapshot);
}

struct history_writer *service_history(struct service *service)
{
    return service->history;
}

struct notices *service_notices(struct service *service)
{
    return service->notices;
}

const char *service_history_path(const struct service *service)
{
    return service->history ? service->startup[SETTING_HISTORY] + strlen("sqlite:") : NULL;
}

/* Reloading */

static void warn_of_restart(const struct service *service, const struct settings *settings,
                            struct problems *problems)
{
    for (size_t i = 0; i < G_N_ELEMENTS(startup_settings); i++) {
        enum setting id = startup_settings[i];
        const struct setting_value *value = settings_get(settings, NULL, id);
        if (strcmp(value->text, service->startup[id]) != 0)
            problems_warning(problems, value->file, value->line,
                             "%s: changed, which takes a restart; \"%s\" stays in force",
                             setting_row(id)->name, service->startup[id]);
    }
}

/* A container that the listener's host name stands for may have come back at another address. */
static void follow_name(const struct service *service)
{
    g_autofree char *why = NULL;
    switch (mta_follow(&why)) {
    case MTA_STAYS:
        break;
    case MTA_MOVED:
        log_info(service->log, "the host name of milter_socket has another address, which is "
                               "listened on now");
        break;
    case MTA_CANNOT_MOVE:
        log_warning(service->log,
                    "the host name of milter_socket has another address, but the old one is still "
                    "listened on: %s",
                    why);
        break;
    }
}

bool service_reload(struct service *service, struct problems *problems, GString *changes_r)
{
    g_autoptr(GString) unwanted = changes_r ? NULL : g_string_new(NULL);
    GString *changes = changes_r ? changes_r : unwanted;
    g_mutex_lock(&service->reload_lock);
    notify_reloading();
    struct snapshot *before = engine_acquire(service->engine);
    struct snapshot *snapshot = service_load(service->path, before, problems);
    bool done = snapshot != NULL;
    if (done)
        changes_between(before, snapshot, changes);
    snapshot_unref(before);
    if (done) {
        const struct settings *settings = snapshot_settings(snapshot);
        warn_of_restart(service, settings, problems);
        struct log_options options = options_for(service, snapshot);
        log_configure(service->log, &options);
        counts_expect(service->counts, snapshot);
        if (service->history) {
            struct history_options bounds = history_options_from(settings);
            history_writer_configure(service->history, &bounds);
        }
        engine_publish(service->engine, snapshot);
    }
    g_mutex_lock(&service->lock);
    service->reload_failed = !done;
    service->reloads += done;
    service->reload_failures += !done;
    if (done)
        service->loaded = g_get_real_time() / G_USEC_PER_SEC;
    g_mutex_unlock(&service->lock);
    log_problems(service->log, problems);
    if (done)
        follow_name(service);
    if (done)
        log_of_kind(service->log, LOG_KIND_RELOADED, "reloaded %s", service->path);
    else
        log_of_kind(service->log, LOG_KIND_NOT_RELOADED,
                    "%s has errors: the old settings stay in force", service->path);
    g_auto(GStrv) lines = g_strsplit(changes->str, "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line)
            log_info(service->log, "%s", *line);
    notify_ready(done ? "Serving by %s" : "Serving by older settings: %s has errors",
                 service->path);
    g_mutex_unlock(&service->reload_lock);
    return done;
}

/* Watching tables */

static void refresh(struct service *service)
{
    struct problems *problems = problems_new();
    gint64 begun = g_get_monotonic_time();
    unsigned renewed = engine_refresh_tables(service->engine, problems);
    log_problems(service->log, problems);
    problems_free(problems);
    if (!renewed)
        return;
    struct snapshot *snapshot = engine_acquire(service->engine);
    g_autoptr(GPtrArray) statuses = snapshot_table_status(snapshot), names = g_ptr_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < statuses->len; i++) {
        const struct table_status *status = statuses->pdata[i];
        if (status->loaded_at >= begun)
            g_ptr_array_add(names, status->name);
    }
    changes_add_names(text, names);
    log_info(service->log, "%u changed table%s read again: %s", renewed, renewed == 1 ? "" : "s",
             text->str);
    snapshot_unref(snapshot);
}

/* libmilter says nothing of it, and the MTA only waits. */
static void look_for_descriptors(struct service *service)
{
    struct mta_counts counts;
    mta_get_counts(&counts);
    int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    bool none = copy < 0 && (errno == EMFILE || errno == ENFILE);
    if (copy >= 0)
        close(copy);
    if (none && !service->no_descriptors)
        log_warning(service->log,
                    "no descriptors are left (LimitNOFILE=, ulimit -n): with %u "
                    "connections open the MTA has to wait",
                    counts.connections);
    else if (!none && service->no_descriptors)
        log_info(service->log, "there are descriptors again");
    service->no_descriptors = none;
}

static void save_hours(struct service *service)
{
    g_autofree char *why = NULL;
    service->hours_saved = g_get_monotonic_time();
    bool done = hours_save(service->hours, &why);
    if (!done && !service->hours_fault)
        log_warning(service->log, "state: %s: the numbers of this hour are kept in memory alone",
                    why);
    service->hours_fault = !done;
}

static void *watch(void *data)
{
    struct service *service = data;
    gint64 given_back = g_get_monotonic_time();
    g_mutex_lock(&service->lock);
    while (!service->stop) {
        gint64 end = g_get_monotonic_time() + WATCH_MICROSECONDS;
        if (g_cond_wait_until(&service->stop_cond, &service->lock, end))
            continue;
        g_mutex_unlock(&service->lock);
        watchdog_beat(service->watchdog, WATCHDOG_TABLES);
        refresh(service);
        if (g_mutex_trylock(&service->reload_lock)) { /* a reload looks for itself */
            if (engine_refresh_dns(service->engine))
                log_info(service->log,
                         "/etc/resolv.conf has changed: its DNS servers are asked from now on");
            g_mutex_unlock(&service->reload_lock);
        }
        look_for_descriptors(service);
        if (service->state) {
            state_tick(service->state);
            hours_tick(service->hours, service->counts, g_get_real_time() / G_USEC_PER_SEC);
            if (g_get_monotonic_time() - service->hours_saved >= HOURS_SAVE_MICROSECONDS)
                save_hours(service);
        }
        if (g_get_monotonic_time() - given_back >= GIVE_BACK_MICROSECONDS) {
            system_give_back();
            given_back = g_get_monotonic_time();
        }
        g_mutex_lock(&service->lock);
    }
    g_mutex_unlock(&service->lock);
    return NULL;
}

void service_watch(struct service *service, struct watchdog *watchdog)
{
    service->watchdog = watchdog;
    service->watcher = g_thread_new("watch", watch, service);
}

void service_unwatch(struct service *service)
{
    g_mutex_lock(&service->lock);
    service->stop = true;
    g_cond_signal(&service->stop_cond);
    g_mutex_unlock(&service->lock);
    if (service->watcher)
        g_thread_join(service->watcher);
    service->watcher = NULL;
    if (!service->state)
        return;
    state_save(service->state);
    store_finish(state_store(service->state)); /* who has libmilter never comes to close it */
    hours_tick(service->hours, service->counts, g_get_real_time() / G_USEC_PER_SEC);
    save_hours(service);
}

/* Commands */

static int run_reload(void *data, const char *const *words, GString *out)
{
    if (words[0]) {
        g_string_append(out, "usage: reload\n");
        return EX_USAGE;
    }
    struct problems *problems = problems_new();
    g_autoptr(GString) changes = g_string_new(NULL);
    bool done = service_reload(data, problems, changes);
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(problems, i)); i++) {
        g_autofree char *line = problem_format(problem);
        g_string_append_printf(out, "%s\n", line);
    }
    if (!done)
        g_string_append(out, "the old settings stay in force\n");
    else
        g_string_append_printf(out, "%s\n%s", out->len ? "" : "\n", changes->str);
    problems_free(problems);
    return done ? EX_OK : EX_CONFIG;
}

struct snapshot *service_collect_status(struct service *service, struct status *status_r)
{
    struct snapshot *snapshot = engine_acquire(service->engine);
    engine_get_counters(service->engine, &status_r->counters);
    engine_dns_status(service->engine, &status_r->dns);
    log_get_state(service->log, &status_r->log);
    store_get_status(state_store(service->state), &status_r->store);
    status_r->history_path = service->history ? service->startup[SETTING_HISTORY] : NULL;
    if (service->history)
        history_writer_get_state(service->history, &status_r->history);
    status_r->path = service->path;
    status_r->mode =
        settings_integer(snapshot_settings(snapshot), NULL, SETTING_MODE) == MODE_MONITOR
            ? "monitor"
            : "enforce";
    status_r->engine = mta_engine_name();
    status_r->counts = service->counts;
    status_r->started = service->started;
    struct mta_counts counts;
    mta_get_counts(&counts);
    status_r->connections = counts.connections;
    status_r->messages = counts.messages;
    status_r->snapshots = snapshot_count();
    status_r->tables = snapshot_table_status(snapshot);
    g_mutex_lock(&service->lock);
    status_r->loaded = service->loaded;
    status_r->reloads = service->reloads;
    status_r->reload_failures = service->reload_failures;
    status_r->reload_failed = service->reload_failed;
    g_mutex_unlock(&service->lock);
    return snapshot;
}

void service_release_status(struct status *status, struct snapshot *snapshot)
{
    snapshot_unref(snapshot);
    engine_dns_status_clear(&status->dns);
    store_status_clear(&status->store);
    g_ptr_array_unref(status->tables);
}

struct store *service_store(struct service *service)
{
    return state_store(service->state);
}

struct hours *service_hours(struct service *service)
{
    return service->hours;
}

/* What the disk has, and we do not go by: of char *. */
static GPtrArray *newer_on_disk(struct service *service, const struct snapshot *snapshot)
{
    GPtrArray *lines = changes_on_disk(snapshot, service->path);
    for (size_t i = 0; i < G_N_ELEMENTS(startup_settings); i++) {
        enum setting id = startup_settings[i];
        const char *now = settings_get(snapshot_settings(snapshot), NULL, id)->text;
        if (strcmp(now, service->startup[id]) != 0)
            g_ptr_array_add(lines, g_strdup_printf("%s: takes a restart; \"%s\" is in force",
                                                   setting_row(id)->name, service->startup[id]));
    }
    return lines;
}

static int run_status(void *data, const char *const *words, GString *out)
{
    struct status status = {0};
    struct snapshot *snapshot = service_collect_status(data, &status);
    status.newer = newer_on_disk(data, snapshot);
    int code = status_write(&status, words, out);
    service_release_status(&status, snapshot);
    g_ptr_array_unref(status.newer);
    return code;
}

/* For other commands of gatepostctl: the path of our settings, then those lines. */
static int run_newer(void *data, const char *const *words, GString *out)
{
    struct service *service = data;
    if (words[0]) {
        g_string_append(out, "usage: newer\n");
        return EX_USAGE;
    }
    struct snapshot *snapshot = engine_acquire(service->engine);
    g_autoptr(GPtrArray) lines = newer_on_disk(service, snapshot);
    g_string_append_printf(out, "%s\n", service->path);
    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *line = text_escape(lines->pdata[i]);
        g_string_append_printf(out, "%s\n", line);
    }
    snapshot_unref(snapshot);
    return EX_OK;
}

static int run_with_store(struct service *service, const char *const *words, GString *out,
                          int (*run)(const struct limits_control *control, const char *const *words,
                                     GString *out))
{
    struct snapshot *snapshot = engine_acquire(service->engine);
    const struct limits_control control = {
        .store = state_store(service->state), .snapshot = snapshot, .log = service->log};
    int status = run(&control, words, out);
    snapshot_unref(snapshot);
    return status;
}

static int run_limits(void *data, const char *const *words, GString *out)
{
    return run_with_store(data, words, out, limits_control_run);
}

static int run_greylist(void *data, const char *const *words, GString *out)
{
    return run_with_store(data, words, out, greylist_control_run);
}

/* Writes what waits to be written: how many rows could not be. */
static int run_history(void *data, const char *const *words, GString *out)
{
    const struct service *service = data;
    if (!words[0] || strcmp(words[0], "flush") != 0 || words[1]) {
        g_string_append(out, "history flush\n");
        return EX_USAGE;
    }
    uint64_t left = service->history ? history_writer_flush(service->history, HISTORY_FLUSH_US) : 0;
    if (left > 0)
        g_string_append_printf(out,
                               "%" G_GUINT64_FORMAT " decisions wait in the daemon's memory and "
                               "cannot be written now; see its log\n",
                               left);
    return left > 0 ? EX_UNAVAILABLE : EX_OK;
}

const struct control_command service_commands[] = {
    {.name = "greylist", .run = run_greylist},
    {.name = "history", .run = run_history, .slow = true},
    {.name = "limits", .run = run_limits},
    {.name = "newer", .run = run_newer},
    {.name = "reload", .run = run_reload},
    {.name = "status", .run = run_status},
    {.name = NULL},
};
