/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One connection to one address: what is said on port 25, and TLS.
 *
 * Threads: any; a visit belongs to one thread at a time.
 */
#ifndef SURVEY_VISIT_H
#define SURVEY_VISIT_H

#include "base/ipaddr.h"
#include "smtp_talk.h"
#include "tls_facts.h"

/* How long a server may take to let itself be connected to, and in all. */
enum { VISIT_CONNECT_S = 15, VISIT_S = 30, VISIT_PORT = 25 };

struct visit {
    enum smtp_state state; /* never SMTP_UNKNOWN */
    char *reply;           /* the reply that ended it, or what the system said; "" for none */
    char *banner;
    char *keywords;
    struct tls_facts tls;
    int tries; /* how many visits agree with this one */
};

/* Goes there. HELO is what we call ourselves, NAME the host that is asked for (SNI), ONLY a version
 * of TLS or -1. NULL: it was given up, since interrupt_came. The caller frees it with visit_free
 * (accepts NULL). */
struct visit *visit_make(struct tls_context *context, const struct ipaddr *address,
                         const char *helo, const char *name, int only);
void visit_free(struct visit *visit);

#endif
