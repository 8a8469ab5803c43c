/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all sessions share: the policy in force, where decisions are told, what was warned of
 * already. The daemon has one engine; so has each run of the command line and each test.
 *
 * Threads: locks itself.
 */
#ifndef POLICY_ENGINE_H
#define POLICY_ENGINE_H

#include <stdint.h>

#include "checks/commit.h"
#include "dns/dnsbl_state.h"
#include "policy/event.h"
#include "policy/snapshot.h"

/* The resolver that sessions share while the setting dns_servers stays the same. Reference-counted;
 * the last one that lets go stops it. */
struct engine_dns {
    gatomicrefcount references;
    char *servers;
    char *system; /* what resolv.conf said, where it names the servers; else NULL */
    struct resolver *resolver;
    struct dnsbl_state *state; /* the engine's */
};

struct engine_counters {
    uint64_t sessions; /* begun */
    uint64_t open;     /* now */
    uint64_t messages; /* that reached their end */
    uint64_t accepted; /* of these; in monitor mode all */
    uint64_t refused;  /* replies 5xx, to recipients and messages */
    uint64_t deferred; /* replies 4xx */
    uint64_t held;
    uint64_t would_refuse, would_defer, would_hold; /* the same, of monitor mode: only told */
};

struct engine;

/* Takes over the reference to SNAPSHOT. LISTENER is copied; it hears of trouble at the start, too.
 */
struct engine *engine_new(struct snapshot *snapshot, const struct engine_listener *listener);

/* Adds another one, behind those that are there; before any session. */
void engine_add_listener(struct engine *engine, const struct engine_listener *listener);

/* No session may be left. Accepts NULL. */
void engine_free(struct engine *engine);

/* Puts SNAPSHOT in force for sessions that begin from now on; takes over the reference. */
void engine_publish(struct engine *engine, struct snapshot *snapshot);

/* Re-reads the tables whose files changed; returns how many of the policy in force did. Those of
 * older policies that sessions hold are read, too: who keeps a session open through a reload must
 * not escape what is written into a table afterwards. One thread at a time. */
unsigned engine_refresh_tables(struct engine *engine, struct problems *problems);

/* Goes over to the servers of a resolv.conf that has changed, if they are asked; what sessions have
 * asked already is answered as it was asked. Returns whether it did. Never while engine_publish
 * runs. */
bool engine_refresh_dns(struct engine *engine);

/* The policy in force, with a reference of the caller's own. */
struct snapshot *engine_acquire(struct engine *engine);

/* The resolver and the health of lists, with a reference of the caller's own; NULL if no policy has
 * needed them yet or the resolver could not be started. */
struct engine_dns *engine_dns_acquire(struct engine *engine);
void engine_dns_unref(struct engine_dns *dns); /* accepts NULL */

/* How DNS is doing: the resolver that is in use now (all 0 without one), and all lists that were
 * ever asked, of struct dnsbl_list_status *. To be emptied with engine_dns_status_clear. */
struct engine_dns_status {
    struct resolver_counts counts;
    GPtrArray *lists;
};
void engine_dns_status(struct engine *engine, struct engine_dns_status *status_r);
void engine_dns_status_clear(struct engine_dns_status *status);

/* Gives the engine a memory of bounces, which it does not own; before any session. */
void engine_set_bounce_memory(struct engine *engine, struct bounce_memory *memory);
struct bounce_memory *engine_bounce_memory(const struct engine *engine); /* NULL: none */

/* Gives the engine a store, which it does not own, for limits and greylisting; before any session.
 * SECRET (LIMIT_SECRET_SIZE bytes) marks notices. */
void engine_set_store(struct engine *engine, struct store *store, const unsigned char *secret);
struct store *engine_store(const struct engine *engine); /* NULL: none */

/* Has RESOLVER, which the engine owns from now on, asked by all sessions; before any session. */
void engine_set_resolver(struct engine *engine, struct resolver *resolver);

/* Who answers for restrictions; copied, its data not owned; before any session. */
void engine_set_oracle(struct engine *engine, const struct check_oracle *oracle);
const struct check_oracle *engine_oracle(const struct engine *engine); /* NULL: nobody */

/* Who carries out what messages cost; copied, its data not owned; before any session. */
void engine_set_committer(struct engine *engine, const struct committer *committer);
const struct committer *engine_committer(const struct engine *engine); /* NULL: nobody */

/* Counts, and tells all listeners in their order. */
void engine_event(struct engine *engine, const struct event *event);
void engine_connection(struct engine *engine, const struct policy *policy,
                       const struct facts *facts);
void engine_message(struct engine *engine, enum engine_level level, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Warns once for each KEY in the life of the engine; ENGINE_WARNINGS_MAX keys are remembered, then
 * no more are warned of, so that nobody can flood the log. */
#define ENGINE_WARNINGS_MAX 1000
void engine_warn_once(struct engine *engine, const char *key, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Counts a session and gives it a name, ID_R[ENGINE_SESSION_ID_MAX], that no other one of this
 * engine has and hardly one of another: the time, in microseconds, in digits and consonants. Later
 * names sort behind earlier ones. */
#define ENGINE_SESSION_ID_MAX 16
void engine_session_began(struct engine *engine, char *id_r);
void engine_session_ended(struct engine *engine);
void engine_get_counters(struct engine *engine, struct engine_counters *counters_r);

#endif
