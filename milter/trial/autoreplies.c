/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The auto-reply guard's three answers.
 */
#include "trial/autoreplies.h"

#include "checks/guard.h"

struct bounce_memory *autoreplies_memory_new(void)
{
    guint32 key[8];
    for (size_t i = 0; i < G_N_ELEMENTS(key); i++)
        key[i] = g_random_int();
    return bounce_memory_new(key, sizeof key, 0);
}

void autoreplies_judge(const struct session *session, const struct message_file *message,
                       const char *sender, const char *const *recipients,
                       struct bounce_memory *memory, struct autoreply_judgement *judgement_r)
{
    struct header_list *none = message ? NULL : header_list_new();
    struct autoreply_body body;
    struct autoreply_message asked = {
        .headers = {.get = guard_header, .context = message ? message->headers : none},
        .sender = sender,
        .recipients = recipients,
        .recipient_count = g_strv_length((char **)(uintptr_t)recipients),
        .bounce_senders = session_policy(session)->site.bounce_senders,
        .now = g_get_real_time() / G_USEC_PER_SEC,
    };
    /* A bounce would be found to repeat itself. */
    if (!autoreply_is_bounce(&asked.headers, sender))
        asked.memory = memory;
    autoreply_body_init(&body, 0);
    if (message)
        autoreply_body_feed(&body, message->body->str, message->body->len);
    struct autoreply_parsed *parsed =
        autoreply_parse(&asked.headers, body.data->str, body.data->len);
    autoreply_judge(&asked, parsed, body.truncated, judgement_r);
    autoreply_parsed_free(parsed);
    autoreply_body_clear(&body);
    header_list_free(none);
}
