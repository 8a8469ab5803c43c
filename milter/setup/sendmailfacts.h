/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What setup knows of a Sendmail.
 */
#ifndef SETUP_SENDMAILFACTS_H
#define SETUP_SENDMAILFACTS_H

#include "base/ipaddr.h"
#include "sendmailcf.h"
#include "task.h"

struct sendmail_setup {
    struct setup_task *task;
    const struct sendmailcf *cf;     /* of a default installation if there is none */
    const struct sendmailcf *submit; /* NULL: no submit.cf */
    const char *path;                /* of the .cf, for the text */
    const char *submit_path;
    bool found;   /* there is a .cf */
    char *socket; /* gatepost's in Sendmail's words: "local:/run/..." */
    char *name;   /* of gatepost's filter: what the .cf calls it, else "gatepost" */
};

/* The filter with gatepost's socket, else the one of its name; NULL: none. */
const struct sendmailcf_filter *sendmail_filter(const struct sendmail_setup *setup);

/* Whether passwords go over TLS alone, or nobody minds (sendmaillook.c). */
bool sendmail_wants_tls(const struct sendmail_setup *setup);

/* Whether two texts are the same socket. */
bool sendmail_same_socket(const char *a, const char *b);

/* The number of a service of SMTP's; PORT itself if it is none. */
const char *sendmail_port_number(const char *port);

/* What the .cf is made of, by its name; the caller frees it. */
char *sendmail_source(const struct sendmail_setup *setup);

/* Whether a listener of the .cf has that name, or ":PORT". */
bool sendmail_listens(const struct sendmail_setup *setup, const char *name);

/* Prints what gatepost.conf should take over, in remarks of m4, and tells what it cannot
 * (sendmailsite.c). */
void sendmailsite(struct sendmail_setup *setup);

/* Looks at what is there (sendmaillook.c). */
void sendmaillook(struct sendmail_setup *setup);

#endif
