/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket, and the read socket: a person's commands to the running daemon. A request is
 * one line of words separated by white space; the answer is "gatepost STATUS LENGTH" on a line and
 * LENGTH bytes of text. The connection is then closed.
 *
 * Threads: the server has one of its own, in which the commands run, one after another; those that
 * are slow in another, so that nobody waits for them but who asked.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define CONTROL_REQUEST_MAX     4096                /* bytes of a request line */
#define CONTROL_ANSWER_MAX      (64u * 1024 * 1024) /* bytes of an answer that a client takes */
#define CONTROL_CONNECTIONS_MAX 16
#define CONTROL_SLOW_MAX        4 /* slow commands that run or wait; more are told EX_TEMPFAIL */
#define CONTROL_SECONDS_MAX     5 /* for a request to come, and again for an answer to be read */

struct control_command {
    const char *name;
    /* Writes to OUT what the client prints, and returns its exit status (of <sysexits.h>). WORDS
     * are those behind the name, NULL behind the last. */
    int (*run)(void *data, const char *const *words, GString *out);
    bool slow; /* it may take seconds; bounded by itself, and not to call control_peer */
};

struct control_server;

/* Where a server listens, and who may ask it. */
struct control_place {
    const char *path;
    uid_t owner; /* (uid_t)-1: as it is */
    gid_t group; /* (gid_t)-1: as it is */
    mode_t mode; /* of the socket */
    bool reads;  /* it is the read socket, whose commands change nothing */
};

/* Binds PLACE. COMMANDS (until a NULL name) and DATA must live as long as the server. A stale
 * socket is replaced, a live one never: NULL with *WHY_R (owned by the caller). */
struct control_server *control_server_new(const struct control_place *place,
                                          const struct control_command *commands, void *data,
                                          char **why_r);

/* Starts to serve. */
void control_server_start(struct control_server *server);

/* Stops it and removes the socket. Waits for a command that runs. Accepts NULL. */
void control_server_free(struct control_server *server);

/* For a command while it runs: who asked, as "root (uid 0)". The caller frees it. */
char *control_peer(void);

/* Instead of a status: nobody listens there; who listens does not answer as a daemon. */
enum { CONTROL_NOBODY = -1, CONTROL_NO_ANSWER = -2 };

/* Asks the daemon: REQUEST is a line without its end. The text is appended to OUT. false with
 * *WHY_R (owned by the caller) if nobody answers there in SECONDS, or not as a daemon does;
 * *STATUS_R tells these apart. */
bool control_call(const char *path, const char *request, unsigned seconds, int *status_r,
                  GString *out, char **why_r);

#endif
