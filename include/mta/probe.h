/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether an MTA that came now would be answered: it connects to our own socket and asks.
 *
 * Threads: one at a time.
 */
#ifndef MTA_PROBE_H
#define MTA_PROBE_H

#include <glib.h>

#include "settings/socket.h"

enum mta_pulse {
    MTA_ANSWERS,
    MTA_BUSY,    /* no answer in time, but others are being served, or wait for DNS */
    MTA_SILENT,  /* nobody is served */
    MTA_UNKNOWN, /* cannot tell: no descriptors, or no right to connect */
};

struct mta_probe;

/* WHERE it listens; a name is looked up now, and then what is listened on counts. The caller frees
 * it.
 */
struct mta_probe *mta_probe_new(const struct socket_address *where);
void mta_probe_free(struct mta_probe *probe); /* accepts NULL */

/* Waits MILLISECONDS at most, or until *CANCEL is not 0. */
enum mta_pulse mta_probe_look(struct mta_probe *probe, int milliseconds, const gint *cancel);

#endif
