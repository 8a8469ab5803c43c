/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A check asks one question of the facts: the functions behind the words of restriction lists.
 * It reads facts and site, and says permit, refuse, nothing, or that it must wait; it knows no
 * milter library, no log and no globals. What answers mean for a list (warn_if_reject, the order,
 * deferrals) is the evaluator's business, in policy/.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef CHECKS_CHECK_H
#define CHECKS_CHECK_H

#include <glib.h>
#include <stdbool.h>

#include "base/problems.h"
#include "base/wait_budget.h"
#include "base/waker.h"
#include "checks/site.h"
#include "facts/facts.h"

enum check_result {
    CHECK_DUNNO,       /* nothing to say: the next restriction decides */
    CHECK_PERMIT,      /* the list ends, satisfied */
    CHECK_REFUSE,      /* check->reply says why */
    CHECK_CANNOT_TELL, /* something that is needed is out of order: 451 4.3.0; check->why */
    CHECK_MORE,        /* a table gave restrictions: check->more, to be evaluated in its place */
    CHECK_WAIT,        /* to be asked again when the session is woken: check_wait */
};

/* The restriction lists, in the order in which they are evaluated. */
enum restriction_list_kind {
    LIST_CLIENT,
    LIST_HELO,
    LIST_SENDER,
    LIST_RELAY,
    LIST_RECIPIENT,
    LIST_MESSAGE,
};
#define LIST_COUNT 6

struct spam_verdict;

/* What the log is to say beside the reply: limit=, greylist= ... */
struct check_detail {
    const char *key; /* static; a word of lower-case letters */
    char *value;
};

/* What a restriction said whose answer nobody can work out again, as it asks the store, the guard
 * or the rules: for the history. */
struct check_asked {
    const char *name;         /* of the restriction; static */
    const char *argument;     /* of check_limit: the limit's, of the site; else NULL */
    enum check_result result; /* never CHECK_WAIT */
    char *reply;              /* CHECK_REFUSE; else NULL */
};

/* A field of the header that is to be changed, at the end of the message. */
struct header_change {
    char *name;
    unsigned index; /* which of that name, from 1 */
    char *value;    /* NULL: it is removed */
};

/* What happens beside permit and refuse. Collected for one evaluation (a recipient or a message)
 * and taken over by the session when that was not refused. All zeros: nothing happens. */
struct check_effects {
    char *hold;            /* reason of the first HOLD; NULL: none */
    GPtrArray *prepend;    /* of char *: "Header: value"; or NULL */
    GHashTable *prepended; /* the same as a set, borrowed, where effects are brought together */
    GPtrArray *changes;    /* of struct header_change *, in the order to be carried out; or NULL */
    GString *body;         /* instead of the message's, CRLF line ends; or NULL */
    struct spam_verdict *spam; /* what reject_spam found; or NULL */
    GPtrArray *details;        /* of struct check_detail *, each key once; or NULL */
    GArray *asked;             /* of struct check_asked; or NULL */
    GPtrArray *charges;  /* of struct charge *: what it costs when it passes (commit.h); or NULL */
    GHashTable *charged; /* the last of them by what and key, where there are many; else NULL */
    char *defer_if_permit;  /* the reply that a permit turns into */
    char *defer_if_reject;  /* the reply that a refusal turns into */
    bool marks_removed;     /* the X-Spam fields that the message came with */
    const char *hold_check; /* which restriction asked for it */
    const char *defer_if_permit_check;
    const char *defer_if_reject_check;
    char *hold_entry, *defer_if_permit_entry, *defer_if_reject_entry; /* and which entry of a table
                                                                         made it; NULL: none */
    GPtrArray *entries; /* of char *: the entries of tables that were found, each once, at most
                           CHECK_ENTRIES_MAX; or NULL */
    bool entries_cut;   /* there were more */
};

#define CHECK_ENTRIES_MAX 32u

/* Adds a field on top of the message, "Header: value", which is freed with the effects. */
void check_effects_prepend(struct check_effects *effects, char *line);

/* Adds a change; VALUE NULL removes the field. */
void check_effects_change(struct check_effects *effects, const char *name, unsigned index,
                          const char *value);

/* Orders the changes so that an MTA, which counts the fields of a name anew after each, makes those
 * that were meant: of each name the last field first. A field that several change goes if one takes
 * it out; else the last value counts. */
void check_effects_order_changes(struct check_effects *effects);

/* Says that KEY (static) is VALUE for whatever is logged of it; a later value of a key takes the
 * place of an earlier one. */
void check_effects_detail(struct check_effects *effects, const char *key, const char *value);

/* Remembers ENTRY, as table_find_entry gives it, among the entries that were found. */
void check_effects_entry(struct check_effects *effects, const char *entry);

/* The same for the array itself: *DETAILS may be NULL at first. */
void check_details_set(GPtrArray **details, const char *key, const char *value);

/* Notes what a restriction said; REPLY (may be NULL) is copied. */
void check_effects_asked(struct check_effects *effects, const char *name, const char *argument,
                         enum check_result result, const char *reply);

void check_effects_clear(struct check_effects *effects);

/* Something for the log that decides nothing: WARN and INFO of tables. */
struct check_note {
    enum action action; /* ACTION_WARN or ACTION_INFO */
    const char *check;  /* the restriction that would have refused; static; NULL: none would */
    char *text;
    char *entry;        /* the entry of a table that it rests on; NULL: none */
    GPtrArray *details; /* of struct check_detail *; or NULL */
};

/* The arguments of a restriction, opened when the list was compiled. */
struct check_argument {
    char *word;                /* as written (of a header and a table: the header); NULL: none */
    struct table_list *tables; /* for words that take a table */
    unsigned zone;             /* for words that take a DNS list: its index in site->dnsbl_zones */
    const struct limit *limit; /* for check_limit: one of site->limits */
};

struct dns_questions;
struct bounce_memory;
struct store;
struct limit;

/* For what an administrator should hear of once, not with each message. */
struct check_warner {
    void (*warn_once)(void *data, const char *key, const char *text);
    void *data;
};

struct check;
struct restriction;

/* Who answers for restrictions, in place of the functions of their rows, which it may call: a
 * replay of what was. */
struct check_oracle {
    enum check_result (*say)(void *data, struct check *check, const struct restriction *row);
    void *data;
};

/* What a check has under way while it waits: kept between its calls for the same item of a list,
 * and freed when it has answered, or when it is not asked any more. */
struct check_errand {
    void *data; /* NULL: nothing */
    void (*free)(void *data);
};

/* Restrictions that an entry of a table gave. */
struct check_more {
    char *text;
    char *subject;     /* what they speak of */
    const char *class; /* what that is: "From address" ...; static */
    char *entry;       /* as of check_rests_on */
};

/* Different lists of restrictions that one check may come to, as a field may name many addresses.
 */
#define CHECK_MORE_MAX 8

struct check {
    /* in */
    const char *name; /* of the restriction */
    const struct facts *facts;
    const struct site *site;
    const struct check_argument *argument;
    struct bounce_memory *memory; /* NULL: none is kept */
    struct store *store;          /* NULL: nothing is counted */
    bool monitor;                 /* what refuses is only told */
    struct check_warner warner;
    struct dns_questions *dns_questions; /* NULL: no restriction in force asks the DNS */
    const struct wait_budget *budget;    /* what may still be waited for */
    struct waker waker;                  /* the session's, for what is asked */
    struct check_errand *errand;         /* see above */
    const struct check_effects *so_far;  /* of the message; NULL: none */
    const struct check_oracle *oracle;   /* NULL: none */
    enum restriction_list_kind list;     /* the list it stands in */
    const char *subject;                 /* what a refusal by the list names: "<SUBJECT>: " */
    const char *subject_class;           /* "Client host", "Helo command", "Sender address" ... */
    bool warn_only;                      /* below warn_if_reject: do not raise defer_if_permit */
    /* out */
    char *reply;        /* CHECK_REFUSE: "CODE X.Y.Z text"; owned by the caller */
    GArray *more;       /* CHECK_MORE: of struct check_more, in the order in which they are to be
                           evaluated, each text once; the caller frees it. Else perhaps NULL */
    bool never_permits; /* a permit, one of `more` too, counts as DUNNO */
    const char *permit_reply;   /* then: what such a permit is answered; static, or NULL */
    char *why;                  /* CHECK_CANNOT_TELL: for the log; the caller frees it */
    char *entry;                /* what the answer rests on: check_rests_on; the caller frees it */
    enum wait_source waits_for; /* CHECK_WAIT */
    struct check_effects *effects;
    GArray *notes; /* of struct check_note */
};

enum argument_kind {
    ARGUMENT_NONE,
    ARGUMENT_TABLE,        /* a lookup table with access(5) results */
    ARGUMENT_HEADER_TABLE, /* the name of a header field, then such a table */
    ARGUMENT_ZONE,         /* ZONE[=FILTER] of a DNS list */
    ARGUMENT_LIMIT,        /* the name of a [limit] section */
    ARGUMENT_RESTRICTION,  /* prefixes the next restriction: warn_if_reject */
};

/* What the keys of a table are. */
enum key_kind { KEYS_ACCESS, KEYS_OWNERS, KEYS_PROFILES, KEYS_LOGINS, KEYS_CERTIFICATES };

/* Facts that a restriction cannot do without; a list that is evaluated before they are known can
 * never match (delay_checks = no). */
enum fact_need {
    NEED_NOTHING = 0,
    NEED_HELO = 1 << 0,
    NEED_SENDER = 1 << 1,
    NEED_RECIPIENT = 1 << 2,
    NEED_MESSAGE = 1 << 3, /* stands in message_restrictions alone */
};

/* What a restriction can do, for those who look for lists that let everybody in or nobody. */
enum restriction_trait {
    TRAIT_PERMITS = 1 << 0,
    TRAIT_REFUSES = 1 << 1,
    TRAIT_ALWAYS = 1 << 2,            /* whatever the facts: nothing behind it is ever asked */
    TRAIT_ENDS_RELAY = 1 << 3,        /* one of these must stand in relay_restrictions */
    TRAIT_LOOKS_AT_CLIENT = 1 << 4,   /* address or name: never matches on untrusted listeners */
    TRAIT_FORGEABLE = 1 << 5,         /* permits by what any client can claim */
    TRAIT_NOT_FOR_STRANGERS = 1 << 6, /* honest mail from outside does not pass it */
    TRAIT_PROVES_SENDER = 1 << 7,     /* who has logged in sends by no other's envelope sender */
    TRAIT_PROVES_FROM = 1 << 8,       /* nor by another's From: field */
    TRAIT_PERMITS_LOGINS = 1 << 9,    /* whoever has logged in, by whatever name */
};

/* What a restriction asks beside the facts and its own table. */
enum restriction_asks {
    ASKS_LISTS = 1 << 0, /* the DNS lists with weights: dnsbl_sites, rhsbl_sites, hashbl_sites */
    ASKS_ZONE = 1 << 1,  /* the DNS list that it names */
    ASKS_NAMES = 1 << 2, /* the DNS, whether names exist */
    ASKS_RULES = 1 << 3, /* the rule files, and with them the DNS lists that they name */
    ASKS_GUARD = 1 << 4, /* the auto-reply guard, and with it what bounces said */
    ASKS_DESTINATION = 1 << 5, /* local_domains, where a recipient is */
    ASKS_STORE = 1 << 6,       /* what was counted or seen before */
};
#define ASKS_DNS (ASKS_LISTS | ASKS_ZONE | ASKS_NAMES)

/* What of the message it reads. */
enum restriction_reads {
    READS_HEADER = 1 << 0,
    READS_BODY = 1 << 1,       /* its beginning, as much as what it asks looks at */
    READS_WHOLE_BODY = 1 << 2, /* the length of it */
};

/* Different codes of one restriction's refusals. */
#define RESTRICTION_CODES_MAX 4

/* A word of restriction lists: a row in checks/restrictions.c. */
struct restriction {
    const char *name;
    const char *alias_of; /* an old name; all else is the row of the new one */
    enum argument_kind argument;
    enum key_kind keys; /* ARGUMENT_TABLE */
    unsigned needs;     /* enum fact_need */
    unsigned traits;    /* enum restriction_trait */
    unsigned passes; /* bits of enum limit_for: all of those are permitted, so that no restriction
                        behind it counts them */
    unsigned asks;   /* enum restriction_asks */
    unsigned reads;  /* enum restriction_reads */
    const char
        *useless_without; /* the parameter without whose value it never matches; NULL: none */
    unsigned zone_places; /* ARGUMENT_ZONE: enum dnsbl_place of what the list is asked */
    /* Of its refusals, as far as no table says another; 0 behind the last. 451 may come of each
     * that is in doubt, and is in no row. */
    unsigned codes[RESTRICTION_CODES_MAX + 1];
    enum check_result (*run)(struct check *check);
    /* NULL, or begins in check->errand what run will ask for, while a restriction before it waits:
     * so one wait does for several. It changes nothing, and run may never be called. */
    void (*ask_ahead)(struct check *check);
};

/* The row of a word, without regard to case; an old name gives the row of the new one. NULL: not
 * a word of gatepost's. */
const struct restriction *restriction_find(const char *name);

/* What ROW reads of the message: whatever needs the message, or looks at its body, sees its header.
 */
unsigned restriction_reads(const struct restriction *row);

/* What restrictions ask and read that the result of a table may name: any without an argument. */
void restriction_of_results(unsigned *asks_r, unsigned *reads_r);

/* Why a word of Postfix's cannot be served by a milter, or one of gatepost's own not yet (static
 * text); NULL: not such a word. */
const char *restriction_not_served(const char *name);

/* The nearest known word, or NULL. */
const char *restriction_nearest(const char *name);

/* The access check that a bare "type:table" in a list stands for. */
const struct restriction *restriction_for_table(enum restriction_list_kind list);

/* Fills check->reply with "CODE DSN TEXT"; what a stranger sent is made safe, the class of the
 * enhanced code follows the code, the whole is cut at REPLY_MAX. Returns CHECK_REFUSE. */
enum check_result check_refuse(struct check *check, unsigned code, const char *dsn,
                               const char *format, ...) G_GNUC_PRINTF(4, 5);

/* The same as a free string. */
char *check_format_reply(unsigned code, const char *dsn, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Returns CHECK_CANNOT_TELL, and for the log why. */
enum check_result check_cannot_tell(struct check *check, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Returns CHECK_WAIT: the check is asked again when the session is woken, and at the end of the
 * budget for SOURCE, when it must not wait any more. Only for a source that will wake the session,
 * and whose budget is not used up. */
enum check_result check_wait(struct check *check, enum wait_source source);

/* Says that what the check answers rests on ENTRY ("TYPE:FILE:LINE" ...);
 * of several the last one said counts. */
void check_rests_on(struct check *check, const char *entry);

void check_errand_clear(struct check_errand *errand);

/* Bytes of a reply. What is more than a line of SMTP holds, 510, goes out on several; Postfix cuts
 * its own there. */
#define REPLY_MAX 960

/* The reply that CHECK_CANNOT_TELL becomes. */
#define REPLY_TEMPORARY_FAILURE "451 4.3.0 Temporary failure; try again later"

/* The 538 or 534 that a login by too weak a way gets; NULL for a sound login or none. Static. */
const char *check_weak_login_reply(enum login_fault fault);

/* What is wrong with a value of an access table of SITE: NULL if it is a result of access(5) or a
 * list of restrictions and restriction classes; else a text for `check`, which the caller frees.
 * *FORBIDDEN_R tells results that gatepost refuses to have at all, as they lose or divert mail.
 * *DOUBT_R (static, may be NULL) tells of a sound value that hardly means what was meant. */
char *access_value_fault(const struct site *site, const char *value, bool *forbidden_r,
                         const char **doubt_r);

/* The word that stands for all fields in check_header_access, whose table is one of Postfix's
 * header_checks(5). */
#define HEADER_CHECKS "header_checks"

/* The same as access_value_fault for a value of such a table. */
char *header_checks_fault(const char *value, bool *forbidden_r);

/* Whether PATTERN begins as a line of header_checks does, with the name of a field and a colon:
 * asked for the content of the field HEADER alone, it can never match. */
bool header_checks_line(const char *pattern, const char *header);

/* After CHECK_MORE, if the restrictions MORE turn out to be none: check->why says what table, key
 * and value they are, and what is wrong with them. */
void access_more_fault(struct check *check, const struct check_more *more);

/* Whether a value that has no fault is a list of restrictions. */
bool access_value_is_list(const char *value);

/* Whether a value that has no fault permits: OK, RELAY, a number alone, or restrictions of which
 * the first permits whoever is meant. */
bool access_value_permits(const char *value);

/* Whether WORD is an action of access(5), by any case: REJECT, OK ... */
bool access_value_is_action(const char *word);

#endif
