/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the state is kept, as gatepost.conf writes it: sqlite:PATH, memory:,
 * redis://HOST[:PORT][/DB][,HOST...] or the same with rediss:// (TLS), redis+unix:PATH, and for
 * tests fail:.
 *
 * Threads: pure.
 */
#ifndef SETTINGS_STATEPLACE_H
#define SETTINGS_STATEPLACE_H

#include <stdbool.h>

#define STATE_PATH_MAX     4000
#define STATE_HOSTS_MAX    16
#define STATE_HOST_MAX     270  /* bytes of "HOST:PORT" */
#define STATE_REDIS_PORT   6379 /* where a server listens if nothing is said */
#define STATE_DATABASE_MAX 16383

enum state_kind { STATE_SQLITE, STATE_MEMORY, STATE_REDIS, STATE_FAIL };

struct state_place {
    enum state_kind kind;
    char path[STATE_PATH_MAX + 1]; /* SQLITE: absolute, names a file; REDIS: a socket; else empty */
    unsigned host_count;           /* REDIS without a path: at least 1 */
    char hosts[STATE_HOSTS_MAX][STATE_HOST_MAX + 1]; /* "HOST:PORT", "[ADDRESS]:PORT" */
    unsigned database;                               /* of all hosts; 0 unless DATABASE_GIVEN */
    bool database_given;
    bool tls; /* REDIS: rediss:// */
};

/* Reads TEXT; false with *WHY_R (static text, a remedy) if it is no such place, or one that this
 * version cannot use. */
bool state_place_parse(const char *text, struct state_place *place_r, const char **why_r);

#endif
