/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of a client, its session and the message under way, and where it comes from: the
 * arguments of the MTA's callbacks, and macros. The macro table has a row per fact; it drives what
 * is asked of the MTA, and the copying.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef FACTS_FACTS_H
#define FACTS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ipaddr.h"
#include "facts/decision.h"
#include "mail/address.h"

/* Whoever knows the MTA's macros: a milter library, the command line, a test. */
struct macro_source {
    /* The value of a macro ("j", "{auth_type}"), or NULL; valid until the next call. */
    const char *(*get)(void *context, const char *name);
    void *context;
};

enum mta_kind { MTA_OTHER, MTA_POSTFIX };

/* What the MTA found when it looked the client's name up ({client_resolve}). */
enum name_status { NAME_OK, NAME_NOT_FOUND, NAME_FORGED, NAME_CANNOT_TELL };

/* The macros, as the MTA gave them; NULL where absent or empty ({mail_addr}: where absent). Owned.
 */
struct macro_facts {
    char *mta_name;       /* j */
    char *mta_version;    /* v */
    char *client_addr;    /* {client_addr} */
    char *client_name;    /* {client_name} */
    char *client_ptr;     /* {client_ptr} */
    char *client_resolve; /* {client_resolve} */
    char *client_port;    /* {client_port} */
    char *daemon_name;    /* {daemon_name} */
    char *daemon_port;    /* {daemon_port} */
    char *tls_version;    /* {tls_version} */
    char *cipher;         /* {cipher} */
    char *cipher_bits;    /* {cipher_bits} */
    char *verify;         /* {verify} */
    char *cert_subject;   /* {cert_subject} */
    char *cert_issuer;    /* {cert_issuer} */
    char *queue_id;       /* i */
    char *auth_type;      /* {auth_type} */
    char *helo_auth_type; /* {auth_type}, as it was at the last HELO */
    char *auth_authen;    /* {auth_authen} */
    char *mail_mailer;    /* {mail_mailer} */
    char *mail_host;      /* {mail_host} */
    char *mail_addr;      /* {mail_addr}; "" of the null sender */
    char *rcpt_mailer;    /* {rcpt_mailer}; "error" is no refusal: virtual aliases have it */
    char *rcpt_host;      /* {rcpt_host} */
    char *rcpt_addr;      /* {rcpt_addr} */
};

struct header_list;

/* What the MTA makes of an address of the envelope (checks/whose.h): whom restrictions, tables and
 * lists are asked about. Relaying is decided by what was typed, and replies show that. */
struct meant_address {
    struct mail_address address; /* domain "": it is one of login_domains, nobody knows which */
    bool untold;                 /* a table of login_domains cannot be asked */
};

/* The message itself, known at its end. Borrowed from the session. */
struct message_facts {
    const struct header_list *headers;
    const char *body; /* its beginning; NULL if it was not read */
    size_t body_length;
    bool body_cut; /* there was more of it */
    uint64_t size; /* bytes of header and body as they came; of the body no more than
                      was read, unless a policy needs to see all of it */
    const char *const *recipients; /* those that were accepted, as the MTA gave them */
    const char *const *meant;      /* of each recipient: what the MTA makes of it, local@domain */
    size_t recipient_count;
    const unsigned *profiles; /* of each recipient: its place among the site's profiles */
};

struct facts {
    struct macro_facts macros;

    /* of the connection */
    struct ipaddr address;        /* IP_NONE never: without an address it is 127.0.0.1 */
    bool has_address;             /* the MTA told one: not a session on standard input */
    char *client_name;            /* verified host name, folded; "unknown" */
    char *reverse_name;           /* what the PTR record says, folded; "unknown" */
    enum name_status name_status; /* of client_name */
    enum mta_kind mta;
    bool without_smtp;  /* came to Postfix by sendmail(1), or is its own (cleanup) */
    bool from_nowhere;  /* the MTA does not know the address, or tells of it what is none */
    bool untrusted;     /* the listener makes address and name meaningless */
    bool submission;    /* the listener serves nobody without authentication */
    bool network_known; /* whether the client is of mynetworks was asked: an enum lookup_status, */
    int network;        /* and the entry that says so, or NULL */
    char *network_entry;

    /* of the session */
    char *helo;          /* NULL: not given yet */
    bool helo_in_clear;  /* the last HELO came without TLS */
    bool login_in_clear; /* the login came before TLS, and Sendmail has not forgotten it */

    /* of the message */
    bool in_message;            /* between MAIL and its end */
    struct mail_address sender; /* as typed */
    struct meant_address sender_meant;
    bool smtputf8;
    uint64_t announced_size;       /* bytes, SIZE= of MAIL (RFC 1870), the client's word; 0: none */
    bool has_recipient;            /* recipient below is the one being decided */
    unsigned profile;              /* the index of its profile among the policy's; 0: none */
    struct mail_address recipient; /* as typed */
    struct meant_address recipient_meant;
    const struct message_facts *message; /* NULL until the message is in */
};

/* What the milter library tells of a connection. */
struct connection {
    const char *host;             /* as xxfi_connect gives it; may be NULL */
    const struct ipaddr *address; /* NULL: none (a session on standard input) */
};

void facts_init(struct facts *facts);
void facts_clear(struct facts *facts);

/* Takes the facts of a new connection. The caller sets untrusted and submission afterwards, when
 * it knows what the settings say of the listener. */
void facts_connect(struct facts *facts, const struct connection *connection,
                   const struct macro_source *macros);

/* HELO or EHLO with its argument; ends a message under way, as RFC 5321 4.1.4 has it. */
void facts_helo(struct facts *facts, const char *helo, const struct macro_source *macros);

/* MAIL: ARGV[0] is the path, the others are ESMTP parameters, NULL ends them. Forgets everything
 * of a message before it. The caller sets sender_meant afterwards, as it knows the site. */
void facts_mail(struct facts *facts, const char *const *argv, const struct macro_source *macros);

/* RCPT: the path becomes the current recipient. The caller sets recipient_meant afterwards. */
void facts_rcpt(struct facts *facts, const char *const *argv, const struct macro_source *macros);

/* The macros that come with the end of the message (the queue ID). */
void facts_message(struct facts *facts, const struct macro_source *macros);

/* Forgets the recipient, or all of the message. */
void facts_end_recipient(struct facts *facts);
void facts_end_message(struct facts *facts);

/* The names of the macros of a stage, separated by spaces, as smfi_setsymlist takes them; the
 * caller frees it. NULL for a stage that needs none. Sendmail takes 50 names a stage at most. */
char *facts_macro_list(enum stage stage);

/* "name[address]", as Postfix shows a client; the caller frees it. */
char *facts_client_text(const struct facts *facts);

/* Whether the listener of this connection is one of NAMES: by {daemon_name} without regard to
 * case, or by its port as ":587". */
bool facts_listener_is(const struct facts *facts, const char *name);

/* Whether it is, or the MTA does not send the macro that would show that it is another one. */
bool facts_listener_may_be(const struct facts *facts, const char *name);

/* Whether the message under way has no sender and comes from a program of this machine, so that
 * nobody could be told that it is refused: Postfix would drop it, and Sendmail's submission program
 * (submit.cf) would send it to postmaster as a whole. That program speaks SMTP from loopback, and
 * its Received field names a user instead of a client. Known once the header is in. */
bool facts_nobody_to_tell(const struct facts *facts);

/* Whether the current recipient is the bare postmaster (RFC 5321 4.5.1), whom Postfix's smtpd
 * accepts before it asks any list. */
bool facts_is_postmaster(const struct facts *facts);

/* The subject of the client certificate that the MTA has verified, encoded as Sendmail does
 * (+XX); NULL without one. Behind Sendmail, and behind an MTA that does not say what it is,
 * {verify} must be OK; Postfix gives the subject of verified certificates alone. The caller frees
 * it. */
char *facts_verified_subject(const struct facts *facts);

/* TLS: cipher strength in bits; 0 in clear text or when the MTA does not tell. */
unsigned facts_tls_bits(const struct facts *facts);

/* TLS: cipher strength in bits that the login came over; 0 in clear text, though TLS began later:
 * Postfix forgets a login then, as RFC 3207 4.2 demands, Sendmail does not. */
unsigned facts_login_bits(const struct facts *facts);

/* Whether AUTH took place: {auth_type} or {auth_authen} is there. Never {auth_author}, which any
 * client sets with MAIL ... AUTH=. */
bool facts_has_login(const struct facts *facts);

#endif
