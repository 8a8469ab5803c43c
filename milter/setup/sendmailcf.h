/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a Sendmail's sendmail.cf or submit.cf says of filters, listeners and the names it receives
 * for. The .cf is what is in force, whatever it was made of; its syntax is described in the
 * "Sendmail Installation and Operation Guide", section 5. Rules and macros are not evaluated.
 *
 * Threads: one thread at a time.
 */
#ifndef SENDMAILCF_H
#define SENDMAILCF_H

#include <glib.h>
#include <stdbool.h>

/* The time-outs of a filter, by their letters in T=. */
enum sendmailcf_timeout {
    SENDMAILCF_CONNECT, /* C */
    SENDMAILCF_SEND,    /* S */
    SENDMAILCF_REPLY,   /* R */
    SENDMAILCF_END,     /* E */
    SENDMAILCF_TIMEOUTS
};

/* A filter: a line that begins with X. */
struct sendmailcf_filter {
    char *name;
    char *socket;                          /* S=; "" without one */
    char *flags;                           /* F= */
    bool given;                            /* there is a T= */
    unsigned timeout[SENDMAILCF_TIMEOUTS]; /* seconds */
};

/* A listener: a DaemonPortOptions. */
struct sendmailcf_daemon {
    char *name;
    bool named;       /* it has a Name= */
    char *family;     /* "inet" without one */
    char *address;    /* "" without one: any */
    char *port;       /* "smtp" without one */
    char *modifiers;  /* M= */
    GPtrArray *input; /* of char *: InputMailFilters=; NULL: those of all */
};

/* A word of a class, or a file of such words. */
struct sendmailcf_class {
    char *name; /* "w", "VirtHost" */
    char *value;
};

struct sendmailcf {
    GPtrArray *filters;  /* of struct sendmailcf_filter, in the order of the file */
    GPtrArray *input;    /* of char *: InputMailFilters */
    GPtrArray *daemons;  /* of struct sendmailcf_daemon; never empty */
    GPtrArray *words;    /* of struct sendmailcf_class: C lines */
    GPtrArray *files;    /* of struct sendmailcf_class: F lines, a path each */
    GPtrArray *dynamic;  /* of struct sendmailcf_class: F lines that name a program or a map */
    GHashTable *macros;  /* name -> text of its last D line */
    GHashTable *options; /* lower-case name -> value of its last O line */
    GHashTable *maps;    /* name -> text of its K line */
    GPtrArray *rules;    /* of char *: R lines, white space as one space each */
    char *relay_port;    /* of the mailer "relay", as its A= says; NULL: that of SMTP */
};

/* Reads the file PATH. NULL with *WHY_R (static) if it cannot be read. The caller frees it. */
struct sendmailcf *sendmailcf_read(const char *path, const char **why_r);
void sendmailcf_free(struct sendmailcf *cf); /* accepts NULL */

/* What a Sendmail without a sendmail.cf would have: the listeners and files of the default. Never
 * NULL. */
struct sendmailcf *sendmailcf_default(void);

/* The filter of that name, or NULL. */
const struct sendmailcf_filter *sendmailcf_find(const struct sendmailcf *cf, const char *name);

/* Whether a list of filters' names holds NAME. */
bool sendmailcf_lists(const GPtrArray *names, const char *name);

/* Whether a rule has TEXT in it, white space as one space. */
bool sendmailcf_has_rule(const struct sendmailcf *cf, const char *text);

/* The value of an option; "" if it is not set. */
const char *sendmailcf_option(const struct sendmailcf *cf, const char *name);

#endif
