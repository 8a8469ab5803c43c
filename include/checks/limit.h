/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits: how much one key may send. check_limit looks at RCPT, together with what the transaction
 * would add, so that the sender hears of it early; and lays charges, which the committer counts
 * once, when everything else has let the message pass.
 *
 * Threads: a limit is immutable; what a session has of it belongs to the session.
 */
#ifndef CHECKS_LIMIT_H
#define CHECKS_LIMIT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checks/commit.h"
#include "store/calendar.h"
#include "store/store.h"

/* What a key is made of. */
enum limit_part_kind {
    LIMIT_SASL_USER,
    LIMIT_SENDER,
    LIMIT_SENDER_DOMAIN,
    LIMIT_CLIENT,
    LIMIT_CLIENT_24,
    LIMIT_LISTENER,
    LIMIT_RECIPIENT,
    LIMIT_RECIPIENT_DOMAIN,
    LIMIT_FROM,
    LIMIT_FROM_DOMAIN,
    LIMIT_HEADER,
};

struct limit_part {
    enum limit_part_kind kind;
    char *header; /* LIMIT_HEADER: the field's name */
};

/* In the order of the settings' words. */
enum limit_count { LIMIT_RECIPIENTS, LIMIT_MESSAGES, LIMIT_BYTES, LIMIT_CLIENTS };
enum limit_action { LIMIT_DEFER, LIMIT_REJECT, LIMIT_HOLD };
enum limit_for { LIMIT_AUTHENTICATED, LIMIT_MYNETWORKS, LIMIT_LOCAL, LIMIT_OUTGOING, LIMIT_ALL };

struct limit {
    char *name;
    GArray *parts; /* of struct limit_part */
    enum limit_count count;
    enum limit_action action;
    enum limit_for who;
    uint64_t max;
    int64_t length; /* ms of a sliding window; 0: of the calendar, UNIT */
    enum calendar_unit unit;
    char *window_text; /* "in 1d", "a day" */
    char *window_key;  /* what keys of the store tell it by: "86400", "day@Europe/Athens" */
    struct table_list *overrides; /* NULL: none */
    bool needs_message;           /* a part is known in message_restrictions alone */
    bool has_sender, has_from, has_header;
};

/* All limits of a policy. */
struct limit_site {
    GPtrArray *limits; /* of struct limit * */
    struct calendar *calendar;
    unsigned warn_percent; /* limit_warn */
    char *notice_address;  /* limit_notice; "": none */
};

struct limit_site *limit_site_new(void);
void limit_site_free(struct limit_site *site); /* accepts NULL */

/* How often, in this process, a limit did not apply since a part of its key was missing. */
uint64_t limit_keys_missing(void);

/* Whether LIMIT is for mail of this session. Where a table cannot tell who it is, it is. */
bool limit_is_for(const struct site *site, const struct limit *limit, const struct facts *facts);

/* The limit of that name, or NULL. */
const struct limit *limit_find(const struct limit_site *site, const char *name);

/* Reads KEY as a [limit] section writes it, into an array of struct limit_part; NULL with *WHY_R
 * (owned by the caller). */
GArray *limit_parts_parse(const char *key, char **why_r);

/* What the store's keys of all limits begin with. */
extern const char limit_key_prefix[];

/* Under which key the store has it: the caller frees it. */
char *limit_store_key(const struct limit *limit, const char *key);

/* What the store keeps of a message on hold: LIMIT_HELD QUEUE-ID|LIMIT|N|KEY, a mark for each limit
 * that it was over, for LIMIT_HELD_MS. */
#define LIMIT_HELD    "h:"
#define LIMIT_HELD_MS (60 * 86400 * INT64_C(1000))

/* The window that NOW (ms since 1970) is in. */
struct store_window limit_window(const struct limit_site *site, const struct limit *limit,
                                 int64_t now);

/* Reads what an override, or `max`, says: a number, of bytes with k, m or g, or "unlimited". */
bool limit_read_max(const struct limit *limit, const char *text, uint64_t *max_r);

/* The most that KEY may use; UINT64_MAX: unlimited. *ENTRY_R (may be NULL): the entry of the
 * overrides that says so, as table_find_entry names it, which the caller frees; NULL: none does.
 * What a table cannot tell, and a value that is no number, leave limit->max; of the latter WARNER
 * (may be NULL) is told. */
uint64_t limit_max(const struct limit *limit, const char *key, const char *recipient_delimiter,
                   const struct check_warner *warner, char **entry_r);

/* "500 recipients in 1d", "10 MB a day". The caller frees it. */
char *limit_text(const struct limit *limit, uint64_t max);

/* "3h": rounded up to whole units, of which there are two at least, never less than "1s". */
char *limit_duration_text(int64_t ms);

/* What is left until there is room, rounded up, never less than "1s". WAIT as in a store's answer.
 * Of a window that slides the unit is no longer than a slot: "125m" of "2h", "3h" of "1d". */
char *limit_wait_text(const struct limit_site *site, const struct limit *limit, int64_t wait,
                      int64_t now);

/* What gatepost's own notices carry, so that no limit counts them: the time and an HMAC-SHA256 of
 * it and of the recipient TO. SECONDS since 1970. To be freed. */
#define LIMIT_SECRET_SIZE  32
#define LIMIT_NOTICE_FIELD "X-Gatepost-Notice"
char *limit_notice_mark(const unsigned char secret[LIMIT_SECRET_SIZE], int64_t seconds,
                        const char *to);

/* Who carries out the charges of limits, over STORE, which outlives it. SECRET: of notices. */
struct committer *limit_committer_new(struct store *store,
                                      const unsigned char secret[LIMIT_SECRET_SIZE]);
void limit_committer_free(struct committer *committer); /* accepts NULL */

#endif
