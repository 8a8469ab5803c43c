/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The three answers.
 */
#include "autoreply/judge.h"

#include "autoreply/evidence.h"
#include "autoreply/quotation.h"

/* The first recipient, in envelope or header, who answers no human. */
static char *find_bounce_sender(const struct autoreply_message *message, GPtrArray *evidence)
{
    return bounce_senders_find(message->bounce_senders, message->recipients, message->typed,
                               message->recipient_count, &message->headers, evidence);
}

bool autoreply_needs_body(const struct autoreply_message *message)
{
    if (autoreply_classify(&message->headers, message->sender, NULL) == AUTOREPLY_NO)
        return false;
    g_autofree char *found = find_bounce_sender(message, NULL);
    return found != NULL;
}

void autoreply_judge(const struct autoreply_message *message, const struct autoreply_parsed *parsed,
                     bool truncated, struct autoreply_judgement *judgement_r)
{
    GPtrArray *evidence = autoreply_evidence_new();
    enum autoreply_class class = autoreply_classify(&message->headers, message->sender, evidence);
    if (class == AUTOREPLY_MAYBE) {
        g_autofree char *text = quotation_first_text(parsed);
        class = autoreply_classify_body(text, evidence);
    }
    *judgement_r = (struct autoreply_judgement){.evidence = evidence};
    judgement_r->is_autoreply = class == AUTOREPLY_YES;
    judgement_r->bounce_sender = find_bounce_sender(message, evidence);
    judgement_r->to_bounce_sender = judgement_r->bounce_sender != NULL;
    judgement_r->quotes_original = quotation_find(parsed, evidence);
    if (message->memory)
        judgement_r->quotes_original |=
            bounce_memory_judge(message->memory, parsed, message->now, NULL, evidence);
    if (truncated)
        autoreply_evidence_add(evidence, AUTOREPLY_QUOTES, "truncated",
                               "judged by the beginning of the body", NULL, 0);
}

void autoreply_judgement_clear(struct autoreply_judgement *judgement)
{
    if (judgement->evidence)
        g_ptr_array_unref(judgement->evidence);
    g_free(judgement->bounce_sender);
    *judgement = (struct autoreply_judgement){0};
}

bool autoreply_leaks(const struct autoreply_judgement *judgement)
{
    return judgement->is_autoreply && judgement->to_bounce_sender && judgement->quotes_original;
}
