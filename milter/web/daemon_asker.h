/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the daemon: who hangs is not waited for by each reader anew.
 *
 * Threads: daemon_asker_ask may be called by any.
 */
#ifndef WEB_DAEMON_ASKER_H
#define WEB_DAEMON_ASKER_H

#include <glib.h>

#include "web_reply.h"

struct daemon_asker;

/* PATH: of the read socket. The caller frees it with daemon_asker_free. */
struct daemon_asker *daemon_asker_new(const char *path);
void daemon_asker_free(struct daemon_asker *asker); /* accepts NULL */

/* For struct web_site; DATA is the asker. Waits a few seconds at most, longer for what searches the
 * history; when that was in vain, it says so at once for the next few. */
enum web_asked daemon_asker_ask(void *data, const char *request, GString *out, char **why_r);

#endif
