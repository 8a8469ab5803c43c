/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the session refuses by itself.
 */
#include "policy/own_refusals.h"

#include "checks/spam.h"

static bool has_submission(const struct policy *policy)
{
    return policy->site.submission_listeners && policy->site.submission_listeners->len > 0;
}

static bool has_profiles(const struct policy *policy)
{
    return policy->site.recipient_profiles != NULL;
}

static bool splits(const struct policy *policy)
{
    return policy->site.spam && policy->site.spam->split;
}

static const struct own_refusal rows[] = {
    {"recipient_limit", STAGE_RCPT, {452}, NULL},
    {"submission_listeners", STAGE_RCPT, {530, 451}, has_submission},
    {"reject_cleartext_auth", STAGE_RCPT, {538, 534}, has_submission},
    {"recipient_profiles", STAGE_RCPT, {451}, has_profiles},
    {"mixed_recipients", STAGE_RCPT, {452}, splits},
    {"header_limit", STAGE_MESSAGE, {552}, NULL},
};

const struct own_refusal *own_refusal_at(unsigned index)
{
    return index < G_N_ELEMENTS(rows) ? &rows[index] : NULL;
}
