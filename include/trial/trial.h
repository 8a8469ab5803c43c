/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A session that nobody holds: what a person says of client, envelope and message is told to the
 * session engine as the daemon tells it what an MTA says.
 *
 * Threads: one thread at a time.
 */
#ifndef TRIAL_TRIAL_H
#define TRIAL_TRIAL_H

#include <glib.h>
#include <stdbool.h>

#include "trial/autoreplies.h"
#include "trial/dnshits.h"
#include "trial/findings.h"
#include "trial/messagefile.h"
#include "policy/session.h"

/* What is assumed of the session; NULL where nothing was said. */
struct trial_setup {
    char *client;      /* address; NULL: TRIAL_OUTSIDER, or 127.0.0.1 with local */
    char *name;        /* PTR record, confirmed; NULL: none */
    char *helo;        /* NULL: the name, else the address as a literal */
    char *sender;      /* "" is the null sender; NULL: what the message says */
    char **recipients; /* NULL or empty: a local user */
    char *login;
    char *mechanism; /* NULL: PLAIN, if there is a login */
    char *tls;       /* version; NULL: clear text */
    char *bits;      /* strength of the cipher; NULL: 256, with TLS */
    char *ccert_subject;
    char *listener; /* name, or ":PORT"; NULL: no name, port 25 */
    gboolean local; /* not by SMTP: as Postfix's cleanup(8) shows it */
};

/* A client and a sender that nothing was said of: RFC 5737, RFC 2606. */
#define TRIAL_OUTSIDER        "203.0.113.1"
#define TRIAL_OUTSIDER_SENDER "sender@outside.example"

struct trial_decision {
    enum action verdict;
    char *check; /* NULL: none */
    char *reply; /* NULL: none */
};

struct trial_recipient {
    char *address;
    struct trial_decision decision;
};

struct trial_result {
    struct trial_decision decision; /* the first refusal; if there is none, what the end said */
    struct permits permits;         /* of what passes */
    bool decision_told;             /* there was something against it */
    char *entry;                    /* then: the entry of a table that decided; NULL: none */
    enum stage stage;      /* where the reply was given; of what was accepted the last one */
    GPtrArray *recipients; /* of struct trial_recipient */
    GPtrArray *headers;    /* of char *: "Name: value" that would be added */
    GPtrArray *notes;      /* of char *: what the log says beside the decision */
    struct findings findings;
    struct dns_hits dns;
    struct autoreply_judgement autoreply;
    char *client, *helo, *sender, *listener; /* as the session saw them; listener NULL: none */
    bool monitor; /* nothing is refused: check and reply say what would have been */
};

struct trial;

/* What is wrong with SETUP (static text that names the option), or NULL. */
const char *trial_setup_fault(const struct trial_setup *setup);

/* Prepares trials under SNAPSHOT, whose reference it takes over. The caller frees it. */
struct trial *trial_new(struct snapshot *snapshot);
void trial_free(struct trial *trial); /* accepts NULL */

/* Runs a session by SETUP, which is sound. MESSAGE NULL: the envelope alone. The caller empties the
 * result with trial_result_clear. */
void trial_run(struct trial *trial, const struct trial_setup *setup,
               const struct message_file *message, struct trial_result *result_r);
void trial_result_clear(struct trial_result *result);

#endif
