/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Header and body of the message: as much as is wanted is kept, no more.
 */
#include "session_state.h"

#include <string.h>

#include "autoreply/classify.h"
#include "checks/guard.h"
#include "mail/header.h"
#include "ruleset/ruleset.h"

bool content_header_too_large(const struct session *session)
{
    return session->header_lines > SESSION_HEADER_LINES_MAX ||
           session->header_bytes > session->policy->header_limit;
}

void session_header(struct session *session, const char *name, const char *value)
{
    session_header_sized(session, name, strlen(name), value, strlen(value));
}

void session_header_sized(struct session *session, const char *name, size_t name_length,
                          const char *value, size_t value_length)
{
    session->header_lines++;
    session->header_bytes += name_length + value_length + strlen(":\r\n");
    if (!session->policy->reads_header || content_header_too_large(session))
        return;
    if (!session->headers)
        session->headers = header_list_new();
    header_list_add(session->headers, name, name_length, value, value_length);
}

void session_header_size(struct session *session, size_t bytes, size_t lines)
{
    session->header_bytes = bytes;
    session->header_lines = lines;
}

/* A message without any header has a header all the same. */
void content_show(struct session *session)
{
    if (!session->policy->reads_header)
        return;
    if (!session->headers)
        session->headers = header_list_new();
    if (!session->message_recipients) {
        session->message_recipients = g_ptr_array_new();
        session->message_meant = g_ptr_array_new();
        session->message_profiles = g_array_new(FALSE, FALSE, sizeof(unsigned));
    }
    session->message = (struct message_facts){
        .headers = session->headers,
        .body = session->body ? session->body->str : NULL,
        .body_length = session->body ? session->body->len : 0,
        .body_cut = session->body_cut,
        .recipients = (const char *const *)session->message_recipients->pdata,
        .meant = (const char *const *)session->message_meant->pdata,
        .recipient_count = session->message_recipients->len,
        .size = session->header_bytes + strlen("\r\n") + session->body_bytes,
        .profiles = (const unsigned *)(const void *)session->message_profiles->data,
    };
    session->facts.message = &session->message;
}

/* How much of the body the guard wants: a candidate's, and a delivery report's to remember it. */
static size_t guard_body_limit(struct session *session)
{
    const struct policy *policy = session->policy;
    struct autoreply_message message;
    if (!policy->guards)
        return 0;
    guard_message(&policy->site, &session->facts, engine_bounce_memory(session->engine), &message);
    bool is_bounce = engine_bounce_memory(session->engine) &&
                     autoreply_is_bounce(&message.headers, message.sender);
    bool is_candidate =
        site_is_outgoing(&policy->site, &session->facts) && autoreply_needs_body(&message);
    return is_bounce || is_candidate ? AUTOREPLY_BODY_MAX : 0;
}

bool session_end_of_header(struct session *session)
{
    const struct policy *policy = session->policy;
    if (!policy->reads_header || content_header_too_large(session))
        return false;
    content_show(session);
    session->body_limit = guard_body_limit(session);
    if (policy->rules_read_body)
        session->body_limit = MAX(session->body_limit, RULESET_BODY_MAX);
    session->facts.message = NULL;
    return session->body_limit > 0 || policy->counts_body;
}

bool session_body(struct session *session, const void *data, size_t length)
{
    size_t have = session->body ? session->body->len : 0;
    size_t room = session->body_limit - MIN(have, session->body_limit);
    if (!session->body && room > 0)
        session->body = g_string_sized_new(MIN(room, length));
    if (room > 0)
        g_string_append_len(session->body, data, (gssize)MIN(room, length));
    session->body_cut |= length > room;
    session->body_bytes += length;
    return length <= room || session->policy->counts_body;
}

/* What bounces said is remembered for the guard, whoever they were for; a bounce that is refused
 * has told nobody anything. */
void content_remember_bounce(struct session *session)
{
    struct bounce_memory *memory = engine_bounce_memory(session->engine);
    if (!memory || !session->policy->guards || !session->body || !session->facts.message)
        return;
    struct autoreply_message message;
    guard_message(&session->policy->site, &session->facts, memory, &message);
    if (autoreply_is_bounce(&message.headers, message.sender))
        bounce_memory_add(memory, &message.headers, session->body->str, session->body->len,
                          message.now);
}

/* A delivery report that comes in asks auto-responders to keep silent. */
void content_suppress_autoreplies(struct session *session)
{
    const struct site *site = &session->policy->site;
    struct autoreply_message message;
    if (!site->suppress_autoreplies || site_is_outgoing(site, &session->facts))
        return;
    guard_message(site, &session->facts, NULL, &message);
    if (autoreply_is_bounce(&message.headers, message.sender) &&
        !header_list_first(session->headers, "X-Auto-Response-Suppress"))
        check_effects_prepend(&session->run.effects,
                              g_strdup("X-Auto-Response-Suppress: OOF, AutoReply"));
}

void content_forget(struct session *session)
{
    session->header_bytes = session->header_lines = 0;
    session->body_bytes = 0;
    if (session->headers)
        header_list_clear(session->headers);
    if (session->body)
        g_string_free(session->body, TRUE);
    session->body = NULL;
    session->body_limit = 0;
    session->body_cut = false;
}
