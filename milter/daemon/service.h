/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the running daemon consists of: the engine, its log, the policy's file, and what is done
 * with them: loading, reloading, renewing tables, telling how things are.
 *
 * Threads: service_reload and the commands lock themselves; service_new and service_free are for
 * the main thread.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "control/control.h"
#include "history/history_writer.h"
#include "policy/engine.h"
#include "report/log.h"
#include "watchdog.h"

struct service;

/* Reads the policy from the file PATH, with all that the daemon has to say against it; shares with
 * OLDER (NULL: none) as snapshot_load does. */
struct snapshot *service_load(const char *path, const struct snapshot *older,
                              struct problems *problems);

/* Takes over the reference to SNAPSHOT, which was loaded from PATH. FOREGROUND: the log goes to
 * standard error whatever the settings say. */
struct service *service_new(const char *path, struct snapshot *snapshot, bool foreground);
void service_free(struct service *service); /* accepts NULL */

struct engine *service_engine(struct service *service);
struct log *service_log(struct service *service);

/* How long a stop may wait for messages, in microseconds. */
gint64 service_stop_timeout(struct service *service);

/* Opens what outlives the daemon, as the user that it becomes; before any session. */
void service_open_state(struct service *service);

/* The same for the history, which is not started yet; NULL before, and where none is kept. */
void service_open_history(struct service *service);
struct history_writer *service_history(struct service *service);

/* Who sends limit_notice; NULL before service_open_state. */
struct notices *service_notices(struct service *service);

/* Where it is kept; NULL: nowhere. Lives as long as the service. */
const char *service_history_path(const struct service *service);

/* Starts and stops the thread that notices changed tables and saves the state; the last save is
 * made when it stops. It tells WATCHDOG (NULL: nobody) that it lives. */
void service_watch(struct service *service, struct watchdog *watchdog);
void service_unwatch(struct service *service);

/* Builds the policy anew and puts it in force, if nothing is wrong with it; else the old one stays.
 * What there is to say is in PROBLEMS and in the log; CHANGES_R (may be NULL) gets what is new, as
 * changes_between has it. */
bool service_reload(struct service *service, struct problems *problems, GString *changes_r);

/* How the daemon is; STATUS_R is to be given back with service_release_status, together with the
 * policy in force, which is returned with a reference. */
struct status;
struct snapshot *service_collect_status(struct service *service, struct status *status_r);
void service_release_status(struct status *status, struct snapshot *snapshot);

/* For who asks: they live as long as the service, and hours NULL before service_open_state. */
struct store *service_store(struct service *service);
struct hours *service_hours(struct service *service);

/* The commands of the control socket; their data is the service. */
extern const struct control_command service_commands[];

#endif
