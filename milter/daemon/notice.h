/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail to an administrator when a key nears a limit, and when it has reached it (limit_notice).
 *
 * Threads: a thread of its own sends; the listener is called by any.
 */
#ifndef DAEMON_NOTICE_H
#define DAEMON_NOTICE_H

#include "checks/limit.h"
#include "policy/engine.h"
#include "report/log.h"

/* Most mails an hour; what comes beyond is summed up in one more when the hour is over. */
#define NOTICES_AN_HOUR 20

struct notices;

/* Listens to ENGINE, whose settings in force say to whom and by which server. SECRET marks what is
 * sent, so that limits do not count it. ENGINE and LOG outlive it; to be stopped, and freed with
 * notices_free behind the last session. */
struct notices *notices_new(struct engine *engine, const unsigned char secret[LIMIT_SECRET_SIZE],
                            struct log *log);

/* Sends no more, and waits MICROSECONDS at most for a mail under way. false: it still is, and
 * nothing of it can be freed. Accepts NULL. */
bool notices_stop(struct notices *notices, gint64 microseconds);

void notices_free(struct notices *notices); /* accepts NULL; one that has stopped */

#endif
