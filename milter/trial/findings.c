/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Collecting what a message told.
 */
#include "trial/findings.h"

#include "checks/spam.h"
#include "ruleset/ruleset.h"
#include "ruleset/traits.h"

void findings_init(struct findings *findings)
{
    *findings = (struct findings){
        .rules = g_ptr_array_new(),
        .charsets = g_ptr_array_new_with_free_func(g_free),
        .scripts = g_array_new(FALSE, FALSE, sizeof(struct script_share)),
    };
}

void findings_clear(struct findings *findings)
{
    g_clear_pointer(&findings->rules, g_ptr_array_unref);
    g_clear_pointer(&findings->charsets, g_ptr_array_unref);
    g_clear_pointer(&findings->scripts, g_array_unref);
}

/* Without a verdict there is still the threshold that the recipient would have. */
static void read_verdict(struct findings *findings, const struct session *session)
{
    const struct spam_verdict *verdict = session_spam(session);
    const struct spam_profile *profile = session_profile(session);
    findings->required = verdict ? verdict->required : profile->tag_score;
    findings->profile = verdict ? verdict->profile : profile->name;
    if (!verdict)
        return;
    findings->score = verdict->score;
    g_ptr_array_unref(findings->rules);
    findings->rules = g_ptr_array_ref(verdict->hits);
}

static gint by_share(gconstpointer a, gconstpointer b)
{
    double first = ((const struct script_share *)a)->share;
    double second = ((const struct script_share *)b)->share;
    return first < second ? 1 : first > second ? -1 : 0;
}

void findings_read(struct findings *findings, const struct session *session,
                   const struct message_file *message)
{
    read_verdict(findings, session);
    if (!message)
        return;
    struct traits traits;
    traits_read(message->headers, message->body->str, MIN(message->body->len, RULESET_BODY_MAX),
                session_facts(session)->smtputf8, &traits);
    for (guint i = 0; i < traits.charsets->len; i++)
        g_ptr_array_add(findings->charsets, g_strdup(traits.charsets->pdata[i]));
    for (int script = 0; script < SCRIPT_MAX; script++) {
        struct script_share share = {.name = script_name(script)};
        if (!share.name || traits.scripts.of[script] == 0)
            continue;
        share.share = (double)traits.scripts.of[script] / (double)traits.scripts.letters;
        g_array_append_val(findings->scripts, share);
    }
    g_array_sort(findings->scripts, by_share);
    traits_clear(&traits);
}
