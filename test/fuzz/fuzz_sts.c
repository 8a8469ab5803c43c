/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Policies and records of MTA-STS.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        g_error("a bound does not hold");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    struct sts_policy *policy = sts_policy_parse((const char *)data, size, &why);
    check(policy || why);
    if (policy) {
        check(policy->max_age >= 0 && policy->max_age <= STS_MAX_AGE_MAX);
        check(policy->patterns->len <= STS_PATTERNS_MAX);
        check(policy->mode == STS_MODE_NONE || policy->patterns->len > 0);
        check(!sts_policy_covers(policy, "") && !sts_policy_covers(policy, "."));
        sts_policy_covers(policy, "mx.example.org");
    }
    sts_policy_free(policy);
    g_autofree char *text = g_strndup((const char *)data, size);
    char *texts[] = {text, (char *)"v=spf1"};
    g_autofree char *id = sts_record_id(texts, 2, &why);
    check(!id || strlen(id) <= 32);
    g_autofree char *places = sts_report_places(texts, 2);
    check(!places || *places != ' ');
    return 0;
}
