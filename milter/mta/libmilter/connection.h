/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection of the MTA: the session, what was negotiated, and the waiting.
 *
 * Threads: one thread at a time, not always the same; the counters lock themselves.
 */
#ifndef MTA_CONNECTION_H
#define MTA_CONNECTION_H

#include "mta/mta.h"
#include "policy/settle.h"

struct connection_state {
    struct session *session;
    unsigned long steps;   /* SMFIP_ flags that were agreed on */
    unsigned long actions; /* SMFIF_ flags that the MTA offers of those we need */
    bool connected;        /* the client is known */
    bool wants_body;       /* the rest of the body */
    bool in_message;       /* counted as a message under way */
    struct waiting waiting;
};

/* Sets the engine that new connections get, and allows them. */
void connections_open(struct engine *engine);

/* Allows no more. */
void connections_close(void);

void connections_count(struct mta_counts *counts_r);

/* NULL when no more are allowed. The caller frees it with connection_free. */
struct connection_state *connection_new(void);
void connection_free(struct connection_state *connection); /* accepts NULL */

/* From MAIL to the end of the message; may be called when it is so already. */
void connection_begin_message(struct connection_state *connection);
void connection_end_message(struct connection_state *connection);

/* Takes the session's STEP to its end: waits as long as it waits. */
void connection_settle(struct connection_state *connection, enum session_step step);

/* A warning in the log. */
void connection_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
