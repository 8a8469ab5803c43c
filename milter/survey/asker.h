/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the DNS and waiting for the answer, with DNSSEC as far as it can be believed.
 *
 * Threads: an asker belongs to one thread; its resolver is shared.
 */
#ifndef SURVEY_ASKER_H
#define SURVEY_ASKER_H

#include "base/waiting.h"
#include "dns/resolver.h"

struct asker {
    struct resolver *resolver; /* not owned */
    bool validates;            /* AD is to be believed */
    struct waiting waiting;
};

/* Why a question without an answer has none. */
enum asker_failure { ASKER_BOGUS, ASKER_LOOKUP_FAILED };

/* VALIDATES as asker_probe found out. asker_clear after the last question. */
void asker_init(struct asker *asker, struct resolver *resolver, bool validates);
void asker_clear(struct asker *asker);

/* Whether the resolver is one whose AD bit is to be believed (TRUSTED, or on loopback) and sets it
 * for what the root has signed (NS). Else *WHY_R, static text. */
bool asker_probe(struct resolver *resolver, bool trusted, const char **why_r);

/* Asks with AD and waits; the answer is the caller's to unref. Once interrupt_came, it has failed,
 * which says nothing then. */
const struct dns_answer *asker_ask(struct asker *asker, const char *name, enum dns_type type);

/* Both at once. */
void asker_ask_addresses(struct asker *asker, const char *name, const struct dns_answer **v4_r,
                         const struct dns_answer **v6_r);

/* Tells "DNSSEC says it is forged" (it is answered when nothing is checked) from "nobody answers".
 */
enum asker_failure asker_why_failed(struct asker *asker, const char *name, enum dns_type type);

/* Whether DNSSEC covers the answer: 0 or 1; -1: not known here. */
int asker_secure(const struct asker *asker, const struct dns_answer *answer);

#endif
