/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What outlives the daemon: the memory of bounces and the store of limits and greylisting, with
 * their file and its key. Nothing of it is needed to serve mail; whatever goes wrong is logged,
 * once until it is well again.
 *
 * Threads: state_tick and state_save are for one thread at a time; the memory locks itself.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include "autoreply/bounce_memory.h"
#include "report/log.h"
#include "store/store.h"

struct state;

/* The settings of a state, as text: `state` and those that begin with state_. */
struct state_setup {
    const char *place, *ca_file, *cert_file, *user, *password_file, *prefix;
    int64_t timeout; /* us */
};

/* Opens the state and reads what it holds. Never NULL; the caller frees it with state_free. LOG
 * must outlive it. */
struct state *state_open(const struct state_setup *setup, struct log *log);
void state_free(struct state *state); /* accepts NULL */

/* Counters and marks: never NULL. */
struct store *state_store(const struct state *state);

/* Where the state is kept, for others who keep something there; NULL: nowhere. */
struct state_file *state_get_file(const struct state *state);

/* What notices are marked with: made of the state's key. LIMIT_SECRET_SIZE bytes. */
const unsigned char *state_notice_secret(const struct state *state);

struct bounce_memory *state_bounce_memory(const struct state *state);

/* Saves what changed, if the last time is STATE_SAVE_SECONDS ago; to be called every now and then.
 */
#define STATE_SAVE_SECONDS 30
void state_tick(struct state *state);

/* Saves what changed. */
void state_save(struct state *state);

#endif
