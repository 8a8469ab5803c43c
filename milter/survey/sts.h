/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MTA-STS (RFC 8461) and TLSRPT (RFC 8460): the records and the policy, read; whom a policy covers.
 *
 * Threads: all functions are pure.
 */
#ifndef SURVEY_STS_H
#define SURVEY_STS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Most bytes of a policy (RFC 8461 3.3), and patterns of it, that are read. */
enum { STS_POLICY_MAX = 65536, STS_PATTERNS_MAX = 1000 };
/* RFC 8461 3.2: about a year. */
#define STS_MAX_AGE_MAX 31557600

enum sts_mode { STS_MODE_NONE, STS_MODE_TESTING, STS_MODE_ENFORCE };

struct sts_policy {
    enum sts_mode mode;
    int64_t max_age;     /* seconds */
    GPtrArray *patterns; /* of char *, in lower case: "mx.example.org", "*.example.org" */
};

/* The id of the only one of COUNT texts that is an MTA-STS record; the caller frees it. NULL: there
 * is none (*WHY_R NULL), or what there is cannot count (*WHY_R, static text). */
char *sts_record_id(char *const *texts, size_t count, const char **why_r);

/* The places that reports go to ("mailto:a@b https://c/d") by the only TLSRPT record; likewise. */
char *sts_report_places(char *const *texts, size_t count);

/* Reads a policy; NULL with *WHY_R (static text). The caller frees it (sts_policy_free accepts
 * NULL). */
struct sts_policy *sts_policy_parse(const char *text, size_t length, const char **why_r);
void sts_policy_free(struct sts_policy *policy);

/* Whether a pattern covers the MX HOST; "*." stands for exactly one label (RFC 8461 4.1). */
bool sts_policy_covers(const struct sts_policy *policy, const char *host);

/* "none" "testing" "enforce" */
const char *sts_mode_text(enum sts_mode mode);

#endif
