/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A domain's MTA-STS policy and TLSRPT record, looked up and fetched.
 *
 * Threads: any, each with an asker of its own; sts_fetch_start before there are threads.
 */
#ifndef SURVEY_STS_FETCH_H
#define SURVEY_STS_FETCH_H

#include "asker.h"
#include "sts.h"

/* What there is. */
struct sts_result {
    /* "none" "ok" "bad-record" "bad-policy" "fetch-failed" "lookup-failed"; "unknown": this build
     * cannot fetch policies */
    const char *state;
    char *id;
    struct sts_policy *policy; /* for "ok" */
    char *reason;              /* NULL: nothing to add */
    char *report_places;       /* NULL: no TLSRPT */
};

/* Once, before the first sts_fetch and before there are threads. */
void sts_fetch_start(void);

/* Looks at DOMAIN. CA_FILE as in tls_context_new. LOCAL: addresses that mean nothing outside may be
 * asked. The caller clears RESULT_R. */
void sts_fetch(struct asker *asker, const char *domain, const char *ca_file, bool local,
               struct sts_result *result_r);
void sts_result_clear(struct sts_result *result);

/* Fetches https://mta-sts.DOMAIN/.well-known/mta-sts.txt from one of ADDRESSES ("A,B"): the body,
 * or NULL with *WHY_R (the caller's). In a file of its own, since libcurl is optional. */
GString *sts_download(const char *domain, const char *addresses, const char *ca_file, char **why_r);
/* Whether this build has libcurl; without it nothing is downloaded. */
bool sts_can_download(void);

#endif
