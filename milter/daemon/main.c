/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost, the daemon. It starts in this order: fork, settings, pid file, sockets, privileges,
 * threads; and stops in the opposite one.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/background.h"
#include "base/descriptors.h"
#include "config.h"
#include "daemon/privileges.h"
#include "history/history_writer.h"
#include "instance.h"
#include "mta/mta.h"
#include "mta/passed.h"
#include "notice.h"
#include "notify.h"
#include "read_commands.h"
#include "service.h"
#include "settings/stateplace.h"
#include "signals.h"
#include "watchdog.h"

#define USAGE                                                                                      \
    "usage: gatepost [-c FILE] [-f]\n       gatepost -V|--version\n       gatepost -h|--help\n"    \
    "\n"                                                                                           \
    "  -c FILE   the settings (default: " GATEPOST_SYSCONFDIR "/gatepost.conf)\n"                  \
    "  -f        stay in the foreground, log to standard error, or the journal\n"                  \
    "\n"                                                                                           \
    "Exit: 0 it was told to stop, 64 usage, 69 it cannot serve, 78 the settings are wrong\n"

enum {
    /* How often a stop looks for a second signal, and for messages under way, in milliseconds. */
    STOP_STEP = 100,
    /* For the log to be read to its end, in microseconds. */
    LOG_GRACE = 5 * G_USEC_PER_SEC,
    /* For the history to be written to its end, in microseconds. */
    HISTORY_GRACE = 10 * G_USEC_PER_SEC,
    /* For a notice to be sent, in microseconds: its server may stand still. */
    NOTICE_GRACE = 2 * G_USEC_PER_SEC,
};

struct daemon {
    char *config; /* absolute */
    bool foreground;
    bool json; /* what there is to tell before the log is open is told as the log would */
    struct identity identity;
    struct mta_listen listen;
    bool bound; /* the socket is ours, and no service manager's */
    struct instance *instance;
    struct control_server *control;
    struct control_server *reads; /* the read socket's; NULL: there is none */
    struct reader *reader;
    struct service *service;
    struct watchdog *watchdog; /* NULL: nobody wants one */
    GThread *edge;
    bool edge_failed; /* set before HAPPENING_EDGE_ENDED is told */
    bool unended;     /* when we stop: a thread that cannot end, of the log, history or notices */
};

/* Says why it cannot start; returns the exit code. */
static int cannot_start(const struct daemon *daemon, char *why)
{
    if (daemon->json)
        log_print_json(stderr, ENGINE_WARNING, why);
    else
        fprintf(stderr, "gatepost: %s\n", why);
    if (!daemon->foreground && daemon->service)
        log_warning(service_log(daemon->service), "cannot start: %s", why);
    g_free(why);
    return EX_UNAVAILABLE;
}

/* Starting */

static bool bind_edge(struct daemon *daemon, const struct settings *settings, char **why_r)
{
    const char *text = settings_get(settings, NULL, SETTING_MILTER_SOCKET)->text;
    const char *fault;
    daemon->listen.engine =
        (enum setting_milter_engine)settings_integer(settings, NULL, SETTING_MILTER_ENGINE);
    daemon->listen.threads = (unsigned)settings_integer(settings, NULL, SETTING_MILTER_THREADS);
    daemon->listen.mode = (mode_t)settings_integer(settings, NULL, SETTING_MILTER_SOCKET_MODE);
    daemon->listen.owner = daemon->identity.uid;
    daemon->listen.group = daemon->identity.socket_group;
    if (!socket_parse(text, &daemon->listen.address, &fault)) {
        *why_r = g_strdup_printf("milter_socket: %s", fault);
        return false;
    }
    if (!passed_take(&daemon->listen.address, &daemon->listen.passed, why_r))
        return false;
    bool ours = daemon->listen.passed < 0;
    if (ours && daemon->listen.address.kind == SOCKET_UNIX)
        identity_make_folder(&daemon->identity, daemon->listen.address.path);
    bool bound = mta_bind(&daemon->listen, why_r);
    daemon->bound = bound && ours;
    return bound;
}

static void make_state_folders(const struct identity *identity, const struct settings *settings)
{
    struct state_place place;
    const char *text = settings_get(settings, NULL, SETTING_STATE)->text;
    if (state_place_parse(text, &place, NULL) && place.kind == STATE_SQLITE)
        identity_make_folder(identity, place.path);
    if (history_path(settings))
        identity_make_folder(identity, history_path(settings));
}

/* A page is no reason not to serve mail: what goes wrong is told in the log. */
static void bind_reads(struct daemon *daemon, const struct settings *settings)
{
    const struct setting_value *group = settings_get(settings, NULL, SETTING_READ_SOCKET_GROUP);
    const struct group *found = *group->text ? getgrnam(group->text) : NULL;
    struct control_place place = {.path = settings_get(settings, NULL, SETTING_READ_SOCKET)->text,
                                  .owner = daemon->identity.uid,
                                  .group = found ? found->gr_gid : (gid_t)-1,
                                  .mode = found ? 0660 : 0600,
                                  .reads = true};
    g_autofree char *why = NULL, *again = NULL;
    if (*place.path == '\0')
        return;
    identity_make_folder(&daemon->identity, place.path);
    daemon->reader = reader_new(daemon->service);
    daemon->reads = control_server_new(&place, read_commands, daemon->reader, &why);
    if (!daemon->reads && found) {
        place.group = (gid_t)-1;
        place.mode = 0600;
        daemon->reads = control_server_new(&place, read_commands, daemon->reader, &again);
    }
    struct log *log = service_log(daemon->service);
    if (!daemon->reads)
        log_warning(log, "read_socket: gatepost-web has nobody to ask: %s", again ? again : why);
    else if (group->given && place.mode == 0600)
        log_warning(log, "read_socket_group: the daemon's user alone may ask: %s",
                    why ? why : "there is no such group");
}

/* Everything that root may be needed for. */
static bool take_places(struct daemon *daemon, const struct settings *settings, char **why_r)
{
    const char *pid_file = settings_get(settings, NULL, SETTING_PID_FILE)->text;
    const char *control = settings_get(settings, NULL, SETTING_CONTROL_SOCKET)->text;
    const struct identity *identity = &daemon->identity;
    if (*pid_file)
        identity_make_folder(identity, pid_file);
    daemon->instance = instance_lock(pid_file, why_r);
    if (!daemon->instance)
        return false;
    make_state_folders(identity, settings);
    identity_make_folder(identity, control);
    const struct control_place place = {
        .path = control, .owner = identity->uid, .group = identity->gid, .mode = 0660};
    daemon->control = control_server_new(&place, service_commands, daemon->service, why_r);
    if (!daemon->control)
        return false;
    bind_reads(daemon, settings);
    /* last: who reaches this one finds the others, too */
    if (!bind_edge(daemon, settings, why_r))
        return false;
    if (!privileges_drop(identity, why_r))
        return false;
    privileges_forbid_cores();
    return true;
}

static void *serve_edge(void *data)
{
    struct daemon *daemon = data;
    daemon->edge_failed = !mta_serve(service_engine(daemon->service));
    signals_tell(HAPPENING_EDGE_ENDED);
    return NULL;
}

static void start_threads(struct daemon *daemon)
{
    log_start(service_log(daemon->service));
    if (service_history(daemon->service))
        history_writer_start(service_history(daemon->service));
    control_server_start(daemon->control);
    if (daemon->reads)
        control_server_start(daemon->reads);
    daemon->edge = g_thread_new("edge", serve_edge, daemon);
    daemon->watchdog = watchdog_new(&daemon->listen.address, service_log(daemon->service));
    service_watch(daemon->service, daemon->watchdog);
    signals_unblock();
}

/* Stopping */

static struct mta_counts counts(void)
{
    struct mta_counts now;
    mta_get_counts(&now);
    return now;
}

/* A message counts as under way once its MAIL was read, which an MTA that has agreed to no reply
 * does not wait for, and no more when the answer to its end is about to leave: hence a moment
 * in which nothing happens. */
static void wait_for_messages(struct daemon *daemon)
{
    struct log *log = service_log(daemon->service);
    gint64 end = g_get_monotonic_time() + service_stop_timeout(daemon->service);
    bool told = false, over = counts().connections == 0;
    while (!over) {
        struct mta_counts before = counts();
        if (before.messages > 0 && !told)
            log_info(log, "waiting for %u message%s under way", before.messages,
                     before.messages == 1 ? "" : "s");
        told |= before.messages > 0;
        notify_alive();
        bool hurry = signals_wait(STOP_STEP) == HAPPENING_STOP;
        struct mta_counts after = counts();
        over = hurry || g_get_monotonic_time() >= end ||
               (after.messages == 0 && after.progress == before.progress);
    }
    unsigned left = counts().messages;
    if (left > 0)
        log_warning(log, "%u message%s cut off: the MTA answers as it does without gatepost", left,
                    left == 1 ? " was" : "s were");
}

static void leave_places(struct daemon *daemon)
{
    if (daemon->bound && daemon->listen.address.kind == SOCKET_UNIX)
        (void)unlink(daemon->listen.address.path);
    control_server_free(daemon->control);
    control_server_free(daemon->reads);
    reader_free(daemon->reader);
    instance_unlock(daemon->instance);
    identity_clear(&daemon->identity);
}

/* While the MTA is connected, libmilter's threads may call at any moment, and a log that nobody
 * reads holds its thread: then nothing is freed, and no destructor runs. */
static void release(struct daemon *daemon, int status)
{
    if (daemon->unended || (daemon->edge && counts().connections > 0)) {
        fflush(NULL);
        _exit(status);
    }
    service_free(daemon->service);
    g_free(daemon->config);
}

static int stop(struct daemon *daemon, enum happening happening)
{
    struct log *log = service_log(daemon->service);
    notify_stopping();
    watchdog_end(daemon->watchdog); /* it would find the door closed */
    mta_drain();
    if (happening == HAPPENING_STOP) {
        log_info(log, "stopping");
        wait_for_messages(daemon);
    } else {
        log_warning(log,
                    "the milter engine gave up; it has told why in a line before, or, if it is "
                    "libmilter, in syslog");
    }
    if (mta_stop())
        g_thread_join(g_steal_pointer(&daemon->edge));
    service_unwatch(daemon->service);
    watchdog_free(daemon->watchdog);
    bool written = history_writer_stop(service_history(daemon->service), HISTORY_GRACE);
    if (!written)
        log_warning(log, "the last decisions are not in the history: it could not be written");
    bool sent = notices_stop(service_notices(daemon->service), NOTICE_GRACE);
    log_info(log, "stopped");
    /* a second signal ends this wait as well */
    gint64 end = g_get_monotonic_time() + LOG_GRACE;
    do
        daemon->unended = !log_stop(service_log(daemon->service), STOP_STEP * 1000);
    while (daemon->unended && signals_wait(0) != HAPPENING_STOP && g_get_monotonic_time() < end);
    daemon->unended |= !written || !sent;
    return daemon->edge_failed ? EX_UNAVAILABLE : EX_OK;
}

/* Running */

static int run(struct daemon *daemon)
{
    enum happening happening;
    start_threads(daemon);
    log_info(service_log(daemon->service), "gatepost %s at work, settings from %s",
             GATEPOST_VERSION, daemon->config);
    notify_ready("Serving by %s", daemon->config);
    for (;;) {
        happening = signals_wait(watchdog_interval(daemon->watchdog));
        watchdog_beat(daemon->watchdog, WATCHDOG_MAIN);
        if (happening == HAPPENING_RELOAD) {
            struct problems *problems = problems_new();
            signals_block(); /* it may need new threads */
            (void)service_reload(daemon->service, problems, NULL);
            signals_unblock();
            problems_free(problems);
        } else if (happening != HAPPENING_NONE) {
            return stop(daemon, happening);
        }
    }
}

/* Whether whoever collects standard error reads JSON, as far as settings with mistakes in them
 * tell, too: SNAPSHOT NULL. */
static bool wants_json(const char *config, const struct snapshot *snapshot)
{
    if (snapshot)
        return log_options_from(snapshot_settings(snapshot)).format == LOG_FORMAT_JSON;
    struct problems *told = problems_new(); /* they are, already */
    struct settings *settings = settings_load(config, told);
    bool json = settings && log_options_from(settings).format == LOG_FORMAT_JSON;
    settings_free(settings);
    problems_free(told);
    return json;
}

static struct snapshot *load(struct daemon *daemon)
{
    struct problems *problems = problems_new();
    struct snapshot *snapshot = service_load(daemon->config, NULL, problems);
    if (snapshot && !identity_find(snapshot_settings(snapshot), problems, &daemon->identity)) {
        snapshot_unref(snapshot);
        snapshot = NULL;
    }
    daemon->json = daemon->foreground && wants_json(daemon->config, snapshot);
    if (daemon->json)
        log_print_problems_json(stderr, problems);
    else
        problems_print(problems, stderr);
    if (!daemon->foreground) {
        /* nobody may be watching the terminal of a service */
        struct log_options options = {.target = LOG_TARGET_SYSLOG, .facility = LOG_MAIL};
        struct log *log = log_new(&options);
        log_problems(log, problems);
        log_free(log);
    }
    problems_free(problems);
    return snapshot;
}

static int start(struct daemon *daemon)
{
    char *why = NULL;
    if (!daemon->foreground && !background_begin())
        return cannot_start(daemon, g_strdup_printf("cannot fork: %s", strerror(errno)));
    privileges_raise_files();
    struct snapshot *snapshot = load(daemon);
    if (!snapshot)
        return EX_CONFIG;
    if (!signals_init())
        return cannot_start(daemon, g_strdup_printf("signals: %s", strerror(errno)));
    signals_block();
    daemon->service = service_new(daemon->config, snapshot, daemon->foreground);
    notify_open();
    if (!take_places(daemon, snapshot_settings(snapshot), &why))
        return cannot_start(daemon, why);
    service_open_state(daemon->service);
    service_open_history(daemon->service);
    background_ready(log_options_from(snapshot_settings(snapshot)).target == LOG_TARGET_STDERR);
    return run(daemon);
}

/* The command line */

static int usage(FILE *stream, int status)
{
    fputs(USAGE, stream);
    return status;
}

static int version(void)
{
    g_autofree char *library = mta_library_version();
    printf("gatepost %s (libmilter %s)\n", GATEPOST_VERSION, library);
    return EX_OK;
}

/* getopt(3) knows letters alone. */
static void shorten_options(char **argv)
{
    static char help[] = "-h", version[] = "-V";
    for (char **word = argv + 1; *word && strcmp(*word, "--") != 0; word++) {
        if (strcmp(*word, "--help") == 0)
            *word = help;
        else if (strcmp(*word, "--version") == 0)
            *word = version;
    }
}

int main(int argc, char **argv)
{
    struct daemon daemon = {0};
    const char *config = GATEPOST_SYSCONFDIR "/gatepost.conf";
    int option;
    if (!descriptors_take_standard())
        return EX_UNAVAILABLE;
    passed_note();
    shorten_options(argv);
    while ((option = getopt(argc, argv, "c:fhV")) != -1) {
        if (option == 'c')
            config = optarg;
        else if (option == 'f')
            daemon.foreground = true;
        else if (option == 'h')
            return usage(stdout, EX_OK);
        else if (option == 'V')
            return version();
        else
            return usage(stderr, EX_USAGE);
    }
    if (optind != argc)
        return usage(stderr, EX_USAGE);
    privileges_forbid_cores();
    daemon.config = g_canonicalize_filename(config, NULL);
    int status = start(&daemon);
    leave_places(&daemon);
    release(&daemon, status);
    return status;
}
