/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What must hold of every session, worked out from what the MTA was seen to say, by other means
 * than the engine's. What does not hold aborts.
 */
#ifndef SESSION_ORACLE_H
#define SESSION_ORACLE_H

#include "policy/session.h"
#include "session_sites.h"

/* A session as a bystander knows it. */
struct oracle {
    const struct fuzz_site *site;
    /* of the connection */
    bool postfix;
    bool without_smtp;  /* {client_port} is 0, the name was not looked up, it is no Sendmail */
    bool in_network;    /* 192.0.2.0/24 */
    bool on_submission; /* a listener that serves nobody without authentication */
    bool on_untrusted;  /* one whose clients' addresses say nothing, or one that may be */
    /* as of the last HELO, MAIL */
    bool may_be_alice;
    bool sound_login, weak_login;
    char *login;
    /* of the message */
    char *sender;
    bool bobs; /* the sender can be nobody's but bob's, however it is written */
    unsigned recipients, accepted;
    bool refusal_due; /* a recipient was to be refused, but is no SMTP client's */
    /* of the step */
    unsigned refusals, endings; /* events */
};

typedef const char *oracle_macro(void *context, const char *name);

void oracle_clear(struct oracle *oracle);
void oracle_connect(struct oracle *oracle, const struct ipaddr *address, oracle_macro *macro,
                    void *context);
void oracle_helo(struct oracle *oracle, oracle_macro *macro, void *context);
void oracle_mail(struct oracle *oracle, const char *path, oracle_macro *macro, void *context);
void oracle_end_message(struct oracle *oracle);

/* A line of the log: counted, and looked at as text and as JSON. */
void oracle_event(struct oracle *oracle, const struct event *event);

/* The answers, when the session is ready. */
void oracle_begin_step(struct oracle *oracle);
void oracle_check_step(struct oracle *oracle, const struct session *session);
void oracle_check_greeting(struct oracle *oracle, const struct session *session);
void oracle_check_mail(struct oracle *oracle, const struct session *session);
void oracle_check_rcpt(struct oracle *oracle, const struct session *session, const char *path);
/* The recipient PATH was accepted by who is no mail without SMTP. */
void oracle_check_accepted(const struct oracle *oracle, const char *path);

void oracle_check_message(struct oracle *oracle, const struct session *session);

#endif
