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
        .typed = message->recipients,
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

static enum check_result refuse(struct check *check, const struct autoreply_judgement *judgement)
{
    return check_refuse(check, 550, "5.7.1",
                        "Auto-reply to <%s> quotes the original message; send it without the "
                        "quotation",
                        judgement->bounce_sender);
}

/* Leaves one field NAME with VALUE; "": none; NULL: all as they are. */
static void change_field(struct check *check, const char *name, const char *value)
{
    const struct header *header = header_list_first(check->facts->message->headers, name);
    if (!value)
        return;
    if (!header && *value)
        check_effects_prepend(check->effects, g_strdup_printf("%s: %s", name, value));
    unsigned count = 0;
    for (; header; header = header->next_same)
        count++;
    /* the last one goes first: an MTA counts anew */
    for (; count > 0; count--)
        check_effects_change(check->effects, name, count, count == 1 && *value ? value : NULL);
}

static void note(struct check *check, char *text)
{
    struct check_note note = {.action = ACTION_INFO, .text = text};
    g_array_append_val(check->notes, note);
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

static enum check_result strip(struct check *check, const struct autoreply_message *message,
                               const struct autoreply_judgement *judgement,
                               struct autoreply_parsed *parsed, bool truncated)
{
    struct autoreply_stripped stripped;
    autoreply_strip(&message->headers, parsed, truncated, message->memory, message->now, &stripped);
    /* A structure that nobody can look through: it does not leave with what it may quote. */
    if (!stripped.changed)
        return refuse(check, judgement);
    change_field(check, "Content-Type", stripped.content_type);
    change_field(check, "Content-Transfer-Encoding", stripped.encoding);
    check_effects_prepend(
        check->effects,
        g_strdup_printf("X-Gatepost-Autoreply: quotation-removed; %s", stripped.removed));
    if (check->effects->body)
        g_string_free(check->effects->body, TRUE);
    check->effects->body = g_steal_pointer(&stripped.body);
    autoreply_stripped_clear(&stripped);
    return CHECK_DUNNO;
}

enum check_result run_guard_autoreply(struct check *check)
{
    const struct site *site = check->site;
    const struct facts *facts = check->facts;
    enum guard_action action = site->guard_action;
    if (!facts->message || action == GUARD_OFF || !site_is_outgoing(site, facts))
        return CHECK_DUNNO;
    struct autoreply_message message;
    guard_message(site, facts, check->memory, &message);
    if (!autoreply_needs_body(&message))
        return CHECK_DUNNO;
    /* taken apart once; whoever strips it needs it last */
    struct autoreply_body body;
    struct autoreply_judgement judgement;
    guard_body(facts->message, &body);
    struct autoreply_parsed *parsed =
        autoreply_parse(&message.headers, body.data->str, body.data->len);
    autoreply_judge(&message, parsed, body.truncated, &judgement);
    enum check_result result = CHECK_DUNNO;
    if (autoreply_leaks(&judgement)) {
        const char *done = "tag";
        note_evidence(check, &judgement);
        if (action == GUARD_TAG)
            check_effects_prepend(check->effects,
                                  g_strdup("X-Gatepost-Autoreply: quotes-original"));
        else if (action == GUARD_STRIP || (facts_nobody_to_tell(facts) && !check->warn_only))
            result = strip(check, &message, &judgement, parsed, body.truncated);
        else
            result = refuse(check, &judgement);
        if (action != GUARD_TAG)
            done = result == CHECK_REFUSE ? "reject" : "strip";
        check_effects_detail(check->effects, "autoreply", done);
    } else if (body.truncated && judgement.is_autoreply && judgement.to_bounce_sender) {
        note(check, g_strdup_printf("auto-reply to a bounce sender: no quotation in the first "
                                    "%zu bytes, the rest was not read",
                                    body.data->len));
    }
    autoreply_judgement_clear(&judgement);
    autoreply_parsed_free(parsed);
    autoreply_body_clear(&body);
    return result;
}
