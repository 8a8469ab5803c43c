/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What outlives a message: counters of limits, and marks of greylisting. In the daemon's memory
 * alone, written behind into SQLite, or on a Redis server that a fleet shares.
 *
 *     ticket = store_ask(store, &request, waker);
 *     ... woken, or at once: ...
 *     answer = store_ticket_answer(ticket);
 *     store_ticket_drop(ticket);
 *
 * No call here waits for a file or a server, but for store_list, store_finish and store_close,
 * which say so. There is always an answer, after the store's time-out at the latest: while a server
 * is away, each daemon judges by what it knew, and what it counts then is added when the server is
 * back.
 *
 * Threads: all functions may be called by any thread; locks inside.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/waker.h"
#include "store/counter.h"

struct store;
struct store_ticket;
struct state_file;

/* Longest key, in bytes; a longer one is cut where it is made. */
#define STORE_KEY_MAX 1000
/* Longest name of a client in notes. */
#define STORE_CLIENT_MAX 100

enum store_action {
    /* counters */
    STORE_LOOK,      /* what is used; changes nothing */
    STORE_ADD,       /* adds N, if at most MAX are used then: one atomic step */
    STORE_COUNT,     /* adds N whatever MAX says */
    STORE_TAKE_BACK, /* takes N out of the slot that an ADD told */
    STORE_NOTE,      /* notes a refusal (or a hold) and its client */
    STORE_ALLOW,     /* N more than MAX until the time UNTIL */
    STORE_RESET,     /* forgets all of the counter */
    /* marks */
    STORE_SEE,   /* what is there; changes nothing */
    STORE_TOUCH, /* one use more, kept for KEEP from now; one within GAP of the last one counted
                    renews alone */
    STORE_GREY,  /* opens a mark, or looks whether an open one has waited */
    STORE_FORGET,
};

struct store_request {
    enum store_action action;
    const char *key; /* copied */
    struct store_window window;
    bool networks;    /* the counter counts NETWORK instead of N */
    uint64_t network; /* see ipaddr: a /24 or a /64 */
    uint64_t n, max;
    uint32_t slot;      /* TAKE_BACK */
    int64_t until;      /* ALLOW: ms since 1970 */
    const char *client; /* NOTE: from where; copied */
    bool held;          /* NOTE: N were put on hold, not refused */
    int64_t gap, keep;  /* TOUCH, GREY: ms; GREY: KEEP once it has passed */
    int64_t delay;      /* GREY: ms that it must wait, and */
    int64_t open;       /* for how long it may come back */
};

/* A greylisting mark. */
enum store_mark {
    STORE_MARK_NONE,
    STORE_MARK_NEW,    /* opened now */
    STORE_MARK_EARLY,  /* open, and has not waited long enough */
    STORE_MARK_PASSED, /* passed, now or before */
};

struct store_answer {
    bool own; /* the daemon's own judgement, while the server is away */
    /* counters */
    bool admitted;      /* ADD: counted; LOOK: there is room */
    uint64_t used;      /* after what was done */
    uint64_t max;       /* with what ALLOW allowed */
    uint32_t slot;      /* in which was counted */
    int64_t wait;       /* ms until N would fit; 0: now; -1: when the calendar's window ends */
    uint64_t refused;   /* how often (messages or recipients) */
    uint64_t held;      /* how many were put on hold */
    int64_t refused_at; /* ms since 1970; 0: never */
    uint64_t allowed;   /* by hand */
    int64_t allowed_until;
    char client[STORE_CLIENT_MAX + 1]; /* the last one that was refused */
    /* marks */
    enum store_mark mark;
    int64_t first, last; /* ms since 1970 */
    uint64_t hits;
    int64_t age; /* GREY: ms since it was opened */
};

/* Where time comes from, for tests. */
struct store_clock {
    int64_t (*now)(void *data); /* ms since 1970 */
    void *data;
};

/* In memory alone. CLOCK NULL: the system's. Never NULL; to be freed with store_close. */
struct store *store_memory(const struct store_clock *clock);

/* In memory, and written behind into FILE, which outlives the store: once a second what changed.
 * Begins with what the file holds. LOG is told of faults, once each, and of their end; it may be
 * called by the store's thread. */
struct store_log {
    void (*warn)(void *data, const char *text);
    void (*tell)(void *data, const char *text);
    void *data;
};
struct store *store_sqlite(struct state_file *file, const struct store_clock *clock,
                           const struct store_log *log);

/* A store whose server is always away: for tests. */
struct store *store_failing(const struct store_clock *clock);

/* On a Redis or Valkey server. */
struct store_redis_options {
    GPtrArray *hosts; /* of char *: "HOST:PORT", "[ADDRESS]:PORT"; the first that is master */
    const char *path; /* instead: a unix socket */
    unsigned database;
    bool tls;                        /* to hosts */
    const char *ca_file, *cert_file; /* PEM; NULL: the system's authorities, no certificate */
    const char *user, *password;     /* NULL: none */
    const char *prefix;
    int64_t timeout; /* us that an answer may take */
};
/* Copies OPTIONS and connects in a thread of its own; a server that is away now may come later.
 * NULL with *WHY_R (owned by the caller): there is no descriptor left. */
struct store *store_redis(const struct store_redis_options *options, const struct store_log *log,
                          char **why_r);

/* What an administrator should be told of the server that a daemon with these OPTIONS would use (or
 * of the first that says why it is of no use): "PLACE: ...", to be freed. NULL: nothing, or no host
 * answers. Waits, some seconds for each host at most (and for its name). */
char *store_redis_inquire(const struct store_redis_options *options);

/* Writes what is not written yet (waits for the file) of a store that others go on asking until the
 * process ends: what they change from now on is written by store_close, if that is reached. What a
 * server has is there already. One thread, once, before store_close. */
void store_finish(struct store *store);

/* Writes what is not written yet (waits for the file; a server is waited for as long as an answer
 * may take), and frees the store. Tickets must have been dropped. Accepts NULL. */
void store_close(struct store *store);

/* Never NULL; the caller gives it back with store_ticket_drop. What is known at once is there when
 * this returns, and nobody is woken. */
struct store_ticket *store_ask(struct store *store, const struct store_request *request,
                               struct waker waker);

/* The answer; NULL while it is not there. Lives as long as the ticket. */
const struct store_answer *store_ticket_answer(const struct store_ticket *ticket);

/* After this nobody is woken any more; a wake that is going on is waited for. What was asked is
 * done all the same. Accepts NULL. */
void store_ticket_drop(struct store_ticket *ticket);

/* Drops a ticket of STORE_ADD or STORE_COUNT whose count is not wanted any more: it is taken back,
 * now or when the answer comes. Accepts NULL. */
void store_ticket_take_back(struct store_ticket *ticket);

/* Asks all of COUNT requests at once, and waits for the answers, as long as the store's time-out:
 * for who may wait. Mail stands behind them at a server: a few at a time are right. */
void store_ask_all(struct store *store, const struct store_request *requests, unsigned count,
                   struct store_answer *answers_r);

/* The same of one. */
void store_ask_now(struct store *store, const struct store_request *request,
                   struct store_answer *answer_r);

/* Whether others count with it, and each question costs a server. */
bool store_is_shared(const struct store *store);

/* All keys that begin with PREFIX, of char *, which the array frees; waits, on a server some
 * seconds at most. NULL with *WHY_R (owned by the caller): the server is away. */
GPtrArray *store_list(struct store *store, const char *prefix, char **why_r);

struct store_status {
    const char *kind; /* "memory", "sqlite", "redis", "fail" */
    char *place;      /* the file, or the server in use; NULL: none */
    bool up;
    char *fault;   /* why it is not, or what was last wrong; NULL: nothing */
    int64_t since; /* ms since 1970: of the state that UP tells; 0: of the start */
    uint64_t asked, late, failed, own; /* requests; those that timed out; that failed; that were
                                          judged without the server */
    uint64_t records;                  /* in memory */
    uint64_t forgotten;                /* records that had to make room */
};
void store_get_status(struct store *store, struct store_status *status_r);
void store_status_clear(struct store_status *status);

#endif
