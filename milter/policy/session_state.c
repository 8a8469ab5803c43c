/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a session is asked between its steps, and what its files share.
 */
#include "session_state.h"

#include "checks/spam.h"

void refusal_clear(struct refusal *refusal)
{
    g_free(refusal->reply);
    g_free(refusal->entry);
    g_free(refusal->why);
    g_free(refusal->recipient);
    *refusal = (struct refusal){0};
}

int64_t session_deadline(const struct session *session)
{
    return wait_budget_deadline(&session->budget);
}

const struct session_answer *session_get_answer(const struct session *session)
{
    return &session->answer;
}

const GPtrArray *session_recipients(const struct session *session)
{
    return session->recipients;
}

const struct spam_verdict *session_spam(const struct session *session)
{
    return session->message_effects.spam;
}

const struct spam_profile *session_profile(const struct session *session)
{
    const GArray *profiles = session->message_profiles;
    unsigned index = profiles && profiles->len > 0 ? g_array_index(profiles, unsigned, 0)
                                                   : session->facts.profile;
    return session->policy->site.spam->profiles->pdata[index];
}

struct dns_questions *session_dns_questions(const struct session *session)
{
    return session->dns_questions;
}

const struct snapshot_needs *session_needs(const struct session *session)
{
    return snapshot_get_needs(session->snapshot);
}

const struct policy *session_policy(const struct session *session)
{
    return session->policy;
}

const struct facts *session_facts(const struct session *session)
{
    return &session->facts;
}
