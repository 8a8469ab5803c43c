/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A survey of domains: who is asked, when, and what comes of it.
 *
 * Threads: survey_run starts threads and ends them before it returns.
 */
#ifndef SURVEY_SURVEY_H
#define SURVEY_SURVEY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "dns/resolver.h"
#include "finding.h"
#include "tls_facts.h"

/* Most connections at a time, and what is usual; between two to one MX host there are two seconds.
 */
enum { SURVEY_JOBS_MAX = 64, SURVEY_JOBS = 32, SURVEY_PACE_S = 2 };

struct survey_options {
    unsigned jobs;
    const char *helo;
    const char *ca_file; /* NULL: the system's */
    bool versions;       /* try each version of TLS by itself, too */
    bool local;          /* ask addresses that mean nothing outside, too */
    bool validates;      /* the resolver's AD bit is to be believed (asker_probe) */
    int64_t confirm;     /* us after which a loss is asked again; 0: it is not */
    /* Whether FINDING is a loss against what was known, so that it is asked again. */
    bool (*is_loss)(void *data, const struct finding *finding);
    void *data;
    bool progress; /* say on stderr how far it is */
};

/* Surveys DOMAINS (of char *, in ASCII, lower case, each once); the findings in their order, those
 * of a domain by preference of its MXs. To SEEN go those of DOMAINS (not owned) that were seen
 * whole: all, but when interrupt_came. Then the rest has no findings, since half of a domain would
 * look as if its other half had been taken away. It ends within half a minute. */
GPtrArray *survey_run(struct resolver *resolver, struct tls_context *context,
                      const GPtrArray *domains, const struct survey_options *options,
                      GPtrArray *seen);

#endif
