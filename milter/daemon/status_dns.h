/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of the status that tells of DNS: how each list is, and what the resolver did.
 *
 * Threads: pure.
 */
#ifndef DAEMON_STATUS_DNS_H
#define DAEMON_STATUS_DNS_H

#include <glib.h>

#include "policy/engine.h"

/* A table with a line for each list that was ever asked; nothing without any. */
void status_dns_write_text(const struct engine_dns_status *dns, GString *out);

/* The members "dns" and "dns_lists" of an object that is open. */
void status_dns_write_json(const struct engine_dns_status *dns, GString *out);

#endif
