/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A decision as the history has it: what was decided, of whom, and every fact that a restriction
 * may have read. Subject and body are never in it, the header only with history_headers.
 *
 * All texts may be NULL (not told, or not kept), all are as they came: a stranger's bytes, perhaps
 * no UTF-8, to be escaped by whoever shows them.
 *
 * Threads: one thread at a time.
 */
#ifndef HISTORY_HISTORY_ROW_H
#define HISTORY_HISTORY_ROW_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checks/check.h"
#include "dns/dnsbl_lookup.h"
#include "dns/domaincheck.h"
#include "facts/decision.h"

/* What a restriction said that nobody can ask again: greylist, check_limit, guard_autoreply,
 * reject_spam. */
struct history_asked {
    const char *name, *argument; /* ARGUMENT: of check_limit, the limit */
    enum check_result result;
    const char *reply; /* of a refusal */
};

struct history_recipient {
    const char *address; /* as typed, without brackets */
    const char *meant;   /* what the MTA makes of it, local@domain */
    enum action action;  /* ACTION_ACCEPT, ACTION_REJECT or ACTION_TEMPFAIL */
    const char *check, *reply;
    const char *entry;                    /* of a table or list, that the decision rests on */
    const char *mailer, *host, *resolved; /* {rcpt_mailer}, {rcpt_host}, {rcpt_addr} */
    GArray *asked;                        /* of struct history_asked; NULL: none */
};

/* A question to a DNS list, and what came of it. */
struct history_list {
    const char *query; /* the name that was asked */
    const char *zone;  /* may be a secret of the site (dnsbl_reply_map) */
    const char *what;  /* the address or name that it was about */
    enum dnsbl_kind kind;
    enum dnsbl_place place;
    /* DNSBL_LISTED: codes; DNSBL_NOT_ASKED: the list was set aside; DNSBL_PENDING: nobody waited
     * for the answer; DNSBL_UNKNOWN: no answer, or one that is not believed */
    enum dnsbl_verdict verdict;
    enum dnsbl_reason reason;
    const char *codes; /* addresses, a space between them */
    int64_t weight; /* what it added to the sum of reject_dnsbl; of what is not weighted: how many
                       restrictions and rules minded the codes */
    bool weighted;  /* one of dnsbl_sites and the like, not named by a restriction or rule */
};

/* Whether a domain exists, as it was found out. */
struct history_domain {
    const char *name;
    enum domaincheck_kind kind;
    enum domaincheck_result result;
};

struct history_rule {
    const char *name;
    double score;
};

/* limit=, greylist= and the like. */
struct history_detail {
    const char *key, *value;
};

struct history_row {
    int64_t id;
    int64_t when; /* us since 1970 */
    enum action action;
    enum stage stage;
    const char *check, *reply, *text;
    const char *entry;                      /* of a table or list, that decided: "TYPE:FILE:LINE" */
    const char *permits[LIST_COUNT];        /* of what passes: who ended each list, */
    const char *permit_entries[LIST_COUNT]; /* and by which entry */
    const char *session;
    bool monitor;
    double milliseconds;
    /* the client: macros as the MTA gave them, then what was made of them */
    const char *mta_name, *mta_version;
    const char *client_addr, *client_name_macro, *client_ptr, *client_resolve, *client_port;
    const char *daemon_name, *daemon_port;
    const char *tls_version, *cipher, *cipher_bits, *verify, *cert_subject, *cert_issuer;
    const char *queue_id;
    const char *auth_type, *helo_auth_type, *auth_authen;
    const char *mail_mailer, *mail_host, *mail_addr;
    const char *client;       /* its address as text */
    const char *client_name;  /* verified; "unknown" */
    const char *reverse_name; /* what its PTR record says; "unknown" */
    const char *helo;
    const char *login; /* as the site knows it */
    bool from_log;     /* read of a log line, which tells less; never in the file */
    bool has_address, without_smtp, untrusted, submission, login_in_clear;
    /* the message */
    const char *sender; /* as typed, without brackets; "": the null sender; NULL: no MAIL yet */
    const char *sender_meant;
    bool smtputf8, sender_malformed;
    uint64_t announced_size;
    uint64_t size;                       /* of what was read of the message; 0: none was */
    bool saw_message;                    /* restrictions could look at it */
    bool header_counted;                 /* the header came, whoever looked at it: */
    uint64_t header_bytes, header_lines; /* how large all of it was, with line ends */
    bool nobody_to_tell;                 /* facts_nobody_to_tell */
    bool header_cut;                     /* there was more than is kept */
    const char *header; /* lines "Name:value\n", folds as "\n" and white space; NULL: not kept */
    GArray *recipients; /* of struct history_recipient: of a refusal before DATA the first who was
                           accepted, if there is one, and the one who is refused; else all */
    GArray *details;    /* of struct history_detail */
    GArray *entries;    /* of const char *: entries of tables that were found on the way */
    bool entries_cut;   /* there were more than are kept */
    GArray *asked;      /* of struct history_asked: of who is refused, or the message */
    bool scored;        /* the rules were asked: */
    double score, required;
    double least, most;   /* what the score was at least and at most, where rules were cut off; else
                             both are 0 */
    bool tagged, refused; /* what the score meant */
    const char *profile;
    GArray *rules;       /* of struct history_rule: those that hit */
    const char *ruleset; /* by which rules: see history_reader_ruleset */
    int64_t threshold;   /* of reject_dnsbl */
    GArray *lists;       /* of struct history_list */
    GArray *domains;     /* of struct history_domain */
    void *memory;        /* what the texts are in; the row's own */
};

/* Makes an empty row; history_row_clear frees what it holds. */
void history_row_init(struct history_row *row);
void history_row_clear(struct history_row *row);

/* An empty array of struct history_recipient, for a row. */
GArray *history_recipients_new(void);

/* The listener as the log has it: name, else ":PORT"; NULL: not told. The caller frees it. */
char *history_row_listener(const struct history_row *row);

/* The restriction whose permit let it pass, as the log's permit=; NULL: none. */
const char *history_row_permit(const struct history_row *row);

/* Whether it is a refusal that was given before DATA. */
bool history_row_is_early(const struct history_row *row);

#endif
