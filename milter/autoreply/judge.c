/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The three answers.
 */
#include "autoreply/judge.h"

#include "autoreply/evidence.h"
#include "autoreply/quotation.h"

static bool to_bounce_sender(const struct autoreply_message *message, GPtrArray *evidence)
{
    return bounce_senders_judge(message->bounce_senders, message->recipients,
                                message->recipient_count, &message->headers, evidence);
}

bool autoreply_needs_body(const struct autoreply_message *message)
{
    return autoreply_classify(&message->headers, message->sender, NULL) != AUTOREPLY_NO &&
           to_bounce_sender(message, NULL);
}

static bool is_autoreply(const struct autoreply_message *message, const struct autoreply_body *body,
                         GPtrArray *evidence)
{
    enum autoreply_class class = autoreply_classify(&message->headers, message->sender, evidence);
    if (class == AUTOREPLY_MAYBE) {
        g_autofree char *text =
            quotation_first_text(&message->headers, body->data->str, body->data->len);
        class = autoreply_classify_body(text, evidence);
    }
    return class == AUTOREPLY_YES;
}

void autoreply_judge(const struct autoreply_message *message, const struct autoreply_body *body,
                     struct autoreply_judgement *judgement_r)
{
    GPtrArray *evidence = autoreply_evidence_new();
    const char *data = body->data->str;
    size_t size = body->data->len;
    judgement_r->evidence = evidence;
    judgement_r->is_autoreply = is_autoreply(message, body, evidence);
    judgement_r->to_bounce_sender = to_bounce_sender(message, evidence);
    judgement_r->quotes_original = quotation_find(&message->headers, data, size, evidence);
    if (message->memory)
        judgement_r->quotes_original |= bounce_memory_judge(
            message->memory, &message->headers, data, size, message->now, NULL, evidence);
    if (body->truncated)
        autoreply_evidence_add(evidence, AUTOREPLY_QUOTES, "truncated",
                               "judged by the beginning of the body", NULL, 0);
}

void autoreply_judgement_clear(struct autoreply_judgement *judgement)
{
    if (judgement->evidence)
        g_ptr_array_unref(judgement->evidence);
    *judgement = (struct autoreply_judgement){0};
}

bool autoreply_leaks(const struct autoreply_judgement *judgement)
{
    return judgement->is_autoreply && judgement->to_bounce_sender && judgement->quotes_original;
}
