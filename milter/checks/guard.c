/* SPDX-License-Identifier: BSD-2-Clause
 *
 * guard_autoreply: an auto-reply that leaves from here, goes to somebody who answers no human and
 * quotes the mail that bounced. A person's mail never meets all three.
 */
#include <string.h>

#include "autoreply/evidence.h"
#include "autoreply/judge.h"
#include "autoreply/strip.h"
#include "checks/guard.h"
#include "mail/header.h"
#include "mail/mailboxes.h"
#include "restrictions.h"

const char *guard_header(void *context, const char *name, unsigned index)
{
    const struct header *header = header_list_first(context, name);
    for (; header && index > 0; index--)
        header = header->next_same;
    return header ? header->value : NULL;
}

void guard_message(const struct site *site, const struct facts *facts, struct bounce_memory *memory,
                   struct autoreply_message *message_r)
{
    const struct message_facts *message = facts->message;
    *message_r = (struct autoreply_message){
        .headers = {.get = guard_header,
                    .context = (void *)(uintptr_t)(const void *)message->headers},
        .sender = facts->sender_meant.address.text,
        .recipients = message->meant,
        .recipient_count = message->recipient_count,
        .bounce_senders = site->bounce_senders,
        .memory = memory,
        .now = g_get_real_time() / G_USEC_PER_SEC,
    };
}

void guard_body(const struct message_facts *message, struct autoreply_body *body_r)
{
    autoreply_body_init(body_r, 0);
    if (message->body)
        autoreply_body_feed(body_r, message->body, message->body_length);
    body_r->truncated |= message->body_cut;
}

/* The address in a field To: or Cc: that answers no human; NULL: none. */
static char *whom_in_header(const struct autoreply_message *message, const char *name)
{
    for (unsigned i = 0; i < AUTOREPLY_FIELDS_MAX; i++) {
        g_autofree char *value = autoreply_header_line(&message->headers, name, i);
        if (!value)
            return NULL;
        struct mailboxes mailboxes;
        char *found = NULL;
        mailboxes_read(value, strlen(value), &mailboxes);
        for (guint k = 0; k < mailboxes.addresses->len && !found; k++)
            if (bounce_senders_match(message->bounce_senders, mailboxes.addresses->pdata[k]))
                found = g_strdup(mailboxes.addresses->pdata[k]);
        mailboxes_clear(&mailboxes);
        if (found)
            return found;
    }
    return NULL;
}

/* Whom the reply of the guard names: the recipient that answers no human, or, when the envelope has
 * none, the one that the header has. The caller frees it. */
static char *whom(const struct autoreply_message *message, const char *const *typed)
{
    for (size_t i = 0; i < message->recipient_count; i++) {
        if (!bounce_senders_match(message->bounce_senders, message->recipients[i]))
            continue;
        struct mail_address address;
        mail_address_parse(typed[i], &address);
        char *text = g_strdup(address.text);
        mail_address_clear(&address);
        return text;
    }
    char *found = whom_in_header(message, "To");
    found = found ? found : whom_in_header(message, "Cc");
    return found ? found : g_strdup("");
}

static enum check_result refuse(struct check *check, const struct autoreply_message *message)
{
    g_autofree char *address = whom(message, check->facts->message->recipients);
    return check_refuse(check, 550, "5.7.1",
                        "Auto-reply to <%s> quotes the original message; send it without the "
                        "quotation",
                        address);
}

static void change_field(struct check *check, const char *name, const char *value)
{
    const struct header *header = header_list_first(check->facts->message->headers, name);
    if (!header && value && *value) {
        g_ptr_array_add(check->effects->prepend, g_strdup_printf("%s: %s", name, value));
        return;
    }
    if (header && value)
        check_effects_change(check->effects, name, 1, *value ? value : NULL);
}

static enum check_result strip(struct check *check, const struct autoreply_message *message,
                               const struct autoreply_body *body)
{
    struct autoreply_stripped stripped;
    enum check_result result = CHECK_DUNNO;
    autoreply_strip(&message->headers, body, message->memory, message->now, &stripped);
    if (!stripped.changed) {
        /* A structure that nobody can look through: it does not leave with what it may quote. */
        result = refuse(check, message);
    } else {
        change_field(check, "Content-Type", stripped.content_type);
        change_field(check, "Content-Transfer-Encoding", stripped.encoding);
        g_ptr_array_add(
            check->effects->prepend,
            g_strdup_printf("X-Gatepost-Autoreply: quotation-removed; %s", stripped.removed));
        if (check->effects->body)
            g_string_free(check->effects->body, TRUE);
        check->effects->body = g_steal_pointer(&stripped.body);
    }
    autoreply_stripped_clear(&stripped);
    return result;
}

static void note(struct check *check, char *text)
{
    struct check_note note = {.action = ACTION_INFO, .text = text};
    g_array_append_val(check->notes, note);
}

/* A candidate is let go by what was seen of it. */
static void note_cut(struct check *check, const struct autoreply_judgement *judgement,
                     const struct autoreply_body *body)
{
    if (body->truncated && judgement->is_autoreply && judgement->to_bounce_sender)
        note(check, g_strdup_printf("auto-reply to a bounce sender: no quotation in the first "
                                    "%zu bytes, the rest was not read",
                                    body->data->len));
}

/* The log learns where the quotation is, not what it says: it is what must not spread. */
static void note_evidence(struct check *check, const struct autoreply_judgement *judgement)
{
    g_autoptr(GString) text = g_string_new("auto-reply quotes the original:");
    for (guint i = 0; i < judgement->evidence->len; i++) {
        const struct autoreply_evidence *piece = judgement->evidence->pdata[i];
        g_string_append_printf(text, " %s", piece->kind);
        if (piece->question != AUTOREPLY_QUOTES)
            continue;
        if (piece->part)
            g_string_append_printf(text, " part %s", piece->part);
        if (piece->line)
            g_string_append_printf(text, " line %u", piece->line);
        if (piece->share > 0)
            g_string_append_printf(text, " share %.2f", piece->share);
    }
    note(check, g_strdup(text->str));
}

static enum check_result act(struct check *check, const struct autoreply_message *message,
                             const struct autoreply_body *body)
{
    const struct facts *facts = check->facts;
    enum guard_action action = check->site->guard_action;
    if (action == GUARD_REJECT && facts_nobody_to_tell(facts))
        action = GUARD_STRIP;
    switch (action) {
    case GUARD_REJECT:
        return refuse(check, message);
    case GUARD_STRIP:
        return strip(check, message, body);
    case GUARD_TAG:
        g_ptr_array_add(check->effects->prepend, g_strdup("X-Gatepost-Autoreply: quotes-original"));
        return CHECK_DUNNO;
    default:
        return CHECK_DUNNO;
    }
}

enum check_result run_guard_autoreply(struct check *check)
{
    const struct site *site = check->site;
    if (!check->facts->message || site->guard_action == GUARD_OFF ||
        !site_is_outgoing(site, check->facts))
        return CHECK_DUNNO;
    struct autoreply_message message;
    guard_message(site, check->facts, check->memory, &message);
    if (!autoreply_needs_body(&message))
        return CHECK_DUNNO;
    struct autoreply_body body;
    struct autoreply_judgement judgement;
    guard_body(check->facts->message, &body);
    autoreply_judge(&message, &body, &judgement);
    enum check_result result = CHECK_DUNNO;
    if (autoreply_leaks(&judgement)) {
        note_evidence(check, &judgement);
        result = act(check, &message, &body);
    } else {
        note_cut(check, &judgement, &body);
    }
    autoreply_judgement_clear(&judgement);
    autoreply_body_clear(&body);
    return result;
}
