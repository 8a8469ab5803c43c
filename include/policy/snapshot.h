/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The policy: settings compiled into what sessions are decided by. Built aside, published whole,
 * never changed; a session keeps the one that it began with, so that one conversation meets one
 * set of rules. (The content of lookup tables is renewed by itself: table_refresh.)
 *
 * Threads: immutable and reference-counted.
 */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

#include "checks/site.h"
#include "policy/restriction_list.h"
#include "settings/settings.h"

/* What holds for the connections of one listener. */
struct policy {
    const struct section *section; /* NULL: for all that have none of their own */
    struct site site;
    struct restriction_classes *classes; /* NULL: there are none */
    struct restriction_list *lists[LIST_COUNT];
    bool delay_checks;
    bool monitor;
    size_t header_limit;  /* bytes of a message's header */
    bool limits_header;   /* the site said so itself: it holds where nothing else reads a header */
    bool asks_dns;        /* some restriction may ask the DNS */
    bool guards;          /* guard_autoreply is at work */
    bool rules_read_body; /* rules look at the MIME parts */
    bool greylists;       /* whom users write to is remembered */
    bool counts_body;     /* the length of the whole body matters */
    bool removes_marks;   /* X-Spam fields from outside: message_restrictions ask the rules */
    bool reads_header;    /* something looks at the message at its end: the header is kept */
    bool records_header;  /* the history keeps it, too */
};

struct snapshot;

/* What sessions need of the MTA; everything else is negotiated away. */
struct snapshot_needs {
    bool header; /* header lines */
    bool body;
    bool whole_body;    /* all of it, seen if not kept: nothing of it is skipped */
    bool dns;           /* a resolver */
    bool early_answers; /* at connect and HELO evaluation takes place (delay_checks = no) */
    bool mail_answer;   /* MAIL may be refused, or tells what lists are asked about */
    /* An MTA keeps what needs no answer until the next command that does; but what lists are asked
     * about must not wait. */
    bool connect_answer, helo_answer;
};

/* Compiles SETTINGS, which the snapshot owns from now on (on failure they are freed). Relative
 * paths are relative to BASE_DIR. All errors and doubts go to PROBLEMS; NULL if there are errors,
 * those that PROBLEMS held before included. */
struct snapshot *snapshot_build(struct settings *settings, const char *base_dir,
                                struct problems *problems);

/* settings_load and snapshot_build; relative paths are relative to the file's folder. Tables and
 * rules of OLDER (NULL: none), the snapshot in force, are shared where their files are certainly as
 * they were and nothing was said against them. */
struct snapshot *snapshot_load(const char *path, const struct snapshot *older,
                               struct problems *problems);

/* The same for who shows what is there: one with errors is returned, too, and is never to be put in
 * force. NULL if the file cannot be read. */
struct snapshot *snapshot_examine(const char *path, struct problems *problems);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* accepts NULL */

/* Whether the caller's reference is the only one. */
bool snapshot_is_last(struct snapshot *snapshot);

/* How many there are in this process: the one in force, and older ones that sessions still hold. */
unsigned snapshot_count(void);

/* The policy for the listener that FACTS name; never NULL. */
const struct policy *snapshot_policy(const struct snapshot *snapshot, const struct facts *facts);

/* All policies, from 0: first the one without a section. NULL past the end. */
const struct policy *snapshot_policy_at(const struct snapshot *snapshot, unsigned index);

/* The policy without a listener section. */
const struct policy *snapshot_main_policy(const struct snapshot *snapshot);

const struct settings *snapshot_settings(const struct snapshot *snapshot);
const struct snapshot_needs *snapshot_get_needs(const struct snapshot *snapshot);
bool snapshot_has_listeners(const struct snapshot *snapshot);

/* How the tables are: of struct table_status *, see lookup/tablestatus.h. Any thread. */
GPtrArray *snapshot_table_status(const struct snapshot *snapshot);

/* Re-reads the tables whose files changed; returns how many did. Any thread. */
unsigned snapshot_refresh_tables(struct snapshot *snapshot, struct problems *problems);

#endif
