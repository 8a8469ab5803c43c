/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the end of a stage means for the reply, the log and the rest of the session.
 */
#include "session_state.h"

#include <string.h>

#include "checks/greylist.h"
#include "checks/spam.h"
#include "mail/header.h"

/* Recipients that one log line names; the rest is a number. */
enum { EVENT_RECIPIENTS_MAX = 20 };

/* The answer */

static void answer_continue(struct session *session)
{
    session->answer =
        (struct session_answer){.action = SESSION_CONTINUE, .stage = session->run.stage};
}

/* In monitor mode the answer says what would have been, and does nothing. */
static void answer_refuse(struct session *session, const struct refusal *refusal)
{
    char *copy = g_strdup(refusal->reply);
    g_free(session->answer_reply);
    session->answer_reply = copy;
    session->answer = (struct session_answer){
        .action = session->policy->monitor ? SESSION_CONTINUE : SESSION_REFUSE,
        .stage = session->run.stage,
        .check = refusal->check,
        .reply = session->answer_reply,
    };
}

/* The log */

/* As long as a line may be (RFC 5322 2.1.1). */
enum { MESSAGE_ID_MAX = 998 };

/* The Message-ID field without folds; NULL: none. */
static const char *message_id_of(const struct session *session, char buffer[MESSAGE_ID_MAX + 1])
{
    const struct header *field = session->run.stage == STAGE_MESSAGE && session->headers
                                     ? header_list_first(session->headers, "Message-ID")
                                     : NULL;
    if (!field)
        return NULL;
    char *end = buffer;
    for (const char *p = field->value; *p && end - buffer < MESSAGE_ID_MAX; p++)
        if (*p != '\n' && *p != '\r')
            *end++ = *p;
    *end = '\0';
    g_strstrip(buffer);
    return *buffer ? buffer : NULL;
}

/* Whom an event is about: a few, NULL behind the last, and how many beside. */
struct audience {
    const char *const *to;
    unsigned more;
};

/* Tells that ACTION was taken, because of REFUSAL (NULL: none), or what NOTE says. */
static void report(struct session *session, enum action action, const struct refusal *refusal,
                   const struct check_note *note, struct audience audience)
{
    enum stage stage = session->run.stage;
    const struct check_effects *effects =
        stage == STAGE_MESSAGE ? &session->message_effects : &session->run.effects;
    gint64 under_way = session->resumed_at ? g_get_monotonic_time() - session->resumed_at : 0;
    g_autofree char *login = site_login(&session->policy->site, &session->facts);
    struct permits permits = {0};
    permits_add(&permits, &session->message_permits);
    permits_add(&permits, &session->early_permits);
    char message_id[MESSAGE_ID_MAX + 1];
    bool passes = action == ACTION_ACCEPT || action == ACTION_HOLD;
    const struct event event = {
        .when = g_get_real_time(),
        .action = action,
        .stage = stage,
        .check = note      ? note->check
                 : refusal ? refusal->check
                           : NULL,
        .reply = refusal ? refusal->reply : NULL,
        .entry = note                        ? note->entry
                 : refusal && refusal->check ? refusal->entry
                 : passes                    ? permits_main_entry(&permits)
                                             : NULL,
        .entries = effects->entries,
        .entries_cut = effects->entries_cut,
        .text = note      ? note->text
                : refusal ? refusal->why
                          : NULL,
        .to = audience.to,
        .to_more = audience.more,
        .recipients = session->recipients,
        .details = note ? note->details : effects->details,
        .asked = effects->asked,
        .permits = passes ? &permits : NULL,
        .session = session->id,
        .message_id = message_id_of(session, message_id),
        .facts = &session->facts,
        .login = login,
        .policy = session->policy,
        .spam = stage == STAGE_MESSAGE ? session->message_effects.spam : NULL,
        .dns = session->dns_questions,
        .header_bytes = session->header_bytes,
        .header_lines = (unsigned)session->header_lines,
        .header_counted = stage == STAGE_MESSAGE && !session->run.no_message &&
                          (session->policy->reads_header || session->policy->limits_header ||
                           session->header_lines > 0),
        .monitor = session->policy->monitor,
        .milliseconds = (double)(session->microseconds + under_way) / 1000.0,
        .waited = session->budget.waited,
    };
    engine_event(session->engine, &event);
    if (!note)
        memset(session->budget.waited, 0, sizeof session->budget.waited);
    permits_clear(&permits);
}

/* The current recipient, for `to` of an event. */
struct one {
    const char *list[2];
};

static struct one current_recipient(const struct session *session)
{
    return (struct one){
        .list = {session->facts.has_recipient ? session->facts.recipient.text : NULL}};
}

/* Recipients of the message that were not refused (or, in monitor mode, all of them). */
static struct audience accepted_recipients(const struct session *session,
                                           const char *names[EVENT_RECIPIENTS_MAX + 1])
{
    struct audience audience = {.to = names};
    size_t count = 0;
    for (guint i = 0; session->recipients && i < session->recipients->len; i++) {
        const struct session_recipient *recipient = session->recipients->pdata[i];
        if (recipient->action == SESSION_REFUSE)
            continue;
        if (count < EVENT_RECIPIENTS_MAX)
            names[count++] = recipient->address;
        else
            audience.more++;
    }
    names[count] = NULL;
    return audience;
}

static void report_notes(struct session *session)
{
    if (!session->notes || session->notes->len == 0)
        return;
    struct one one = current_recipient(session);
    const char *names[EVENT_RECIPIENTS_MAX + 1];
    struct audience audience = {.to = one.list};
    if (session->run.stage == STAGE_MESSAGE)
        audience = accepted_recipients(session, names);
    for (guint i = 0; i < session->notes->len; i++) {
        const struct check_note *note = &g_array_index(session->notes, struct check_note, i);
        report(session, note->action, NULL, note, audience);
    }
    g_array_set_size(session->notes, 0);
}

/* What lasts */

/* HOLD, PREPEND and details of a recipient count when it was not refused; the same header once,
 * however many recipients ask for it. */
static void take_effects(struct check_effects *into, const struct check_effects *from)
{
    if (!into->hold && from->hold) {
        into->hold = g_strdup(from->hold);
        into->hold_check = from->hold_check;
        into->hold_entry = g_strdup(from->hold_entry);
    }
    for (guint i = 0; from->entries && i < from->entries->len; i++)
        check_effects_entry(into, from->entries->pdata[i]);
    into->entries_cut |= from->entries_cut;
    for (guint i = 0; from->prepend && i < from->prepend->len; i++) {
        if (!into->prepended)
            into->prepended = g_hash_table_new(g_str_hash, g_str_equal);
        if (g_hash_table_contains(into->prepended, from->prepend->pdata[i]))
            continue;
        char *header = g_strdup(from->prepend->pdata[i]);
        check_effects_prepend(into, header);
        g_hash_table_add(into->prepended, header);
    }
    for (guint i = 0; from->details && i < from->details->len; i++) {
        const struct check_detail *detail = from->details->pdata[i];
        check_effects_detail(into, detail->key, detail->value);
    }
}

static void move_refusal(struct refusal *into, struct refusal *from)
{
    refusal_clear(into);
    *into = *from;
    *from = (struct refusal){0};
}

static void move_effects(struct check_effects *into, struct check_effects *from)
{
    check_effects_clear(into);
    *into = *from;
    *from = (struct check_effects){0};
}

/* The stages before a recipient */

/* Gives a refusal now, or keeps it for the end of a message that came without SMTP. RECIPIENT
 * (NULL: there is none, or it is not kept) learns what became of it. */
static void give_refusal(struct session *session, struct refusal *refusal,
                         struct session_recipient *recipient)
{
    struct one to = current_recipient(session);
    if (session->facts.without_smtp) {
        if (!session->message_refusal.reply) {
            refusal->recipient = g_strdup(to.list[0]);
            move_refusal(&session->message_refusal, refusal);
        }
        answer_continue(session);
        return;
    }
    answer_refuse(session, refusal);
    if (recipient)
        recipient->action = session->answer.action;
    report(session, action_of_reply(refusal->reply), refusal, NULL,
           (struct audience){.to = to.list});
}

static void finish_mail(struct session *session, struct refusal *refusal)
{
    move_effects(&session->mail_effects, &session->run.effects);
    const struct refusal *first = session->client_refusal.reply ? &session->client_refusal
                                  : session->helo_refusal.reply ? &session->helo_refusal
                                                                : refusal;
    if (!first->reply) {
        answer_continue(session);
        return;
    }
    struct refusal given = {.reply = g_strdup(first->reply),
                            .check = first->check,
                            .entry = g_strdup(first->entry),
                            .why = g_strdup(first->why)};
    give_refusal(session, &given, NULL);
    refusal_clear(&given);
}

/* A recipient */

/* With mixed_recipients = split, who has another profile than the first comes back on its own. */
static void split_recipients(struct session *session, struct refusal *refusal)
{
    const struct spam_site *spam = session->policy->site.spam;
    bool differs = session->message_profiles && session->message_profiles->len > 0 &&
                   g_array_index(session->message_profiles, unsigned, 0) != session->facts.profile;
    if (refusal->reply || !spam->split || !differs ||
        site_is_outgoing(&session->policy->site, &session->facts))
        return;
    refusal->reply = g_strdup("452 4.5.3 Recipients with different filter settings; "
                              "send to this one separately");
    refusal->check = "mixed_recipients";
}

static void finish_rcpt(struct session *session, struct refusal *refusal)
{
    /* A client may try as many as the MTA lets it; what is refused for that is not kept. */
    if (session->recipients->len >= SESSION_RECIPIENTS_MAX && refusal->reply &&
        !session->facts.without_smtp) {
        give_refusal(session, refusal, NULL);
        return;
    }
    split_recipients(session, refusal);
    struct arena *memory = &session->message_memory;
    const struct macro_facts *macros = &session->facts.macros;
    const char *permit_entry = permits_main_entry(&session->run.permits);
    struct session_recipient *recipient = arena_take(memory, sizeof *recipient);
    *recipient = (struct session_recipient){
        .address = arena_copy(memory, session->facts.recipient.text),
        .check = refusal->check,
        .reply = arena_copy(memory, refusal->reply),
        .entry = arena_copy(memory, refusal->reply ? refusal->entry : permit_entry),
        .meant = arena_copy(memory, session->facts.recipient_meant.address.text),
        .mailer = arena_copy(memory, macros->rcpt_mailer),
        .host = arena_copy(memory, macros->rcpt_host),
        .resolved = arena_copy(memory, macros->rcpt_addr),
    };
    g_ptr_array_add(session->recipients, recipient);
    if (refusal->reply) {
        give_refusal(session, refusal, recipient);
    } else {
        take_effects(&session->message_effects, &session->run.effects);
        check_effects_take_charges(&session->message_effects, &session->run.effects);
        /* the first permit of each list counts: that of the first recipient who is not refused */
        permits_add(&session->message_permits, &session->run.permits);
        answer_continue(session);
    }
    if (session->answer.action == SESSION_CONTINUE)
        recipient->asked = g_steal_pointer(&session->run.effects.asked);
    if (refusal->reply && session->policy->monitor) /* what monitor mode lets pass is counted */
        check_effects_take_charges(&session->message_effects, &session->run.effects);
    if (session->answer.action != SESSION_CONTINUE)
        return;
    if (!session->message_recipients) {
        session->message_recipients = g_ptr_array_new();
        session->message_meant = g_ptr_array_new();
        session->message_profiles = g_array_new(FALSE, FALSE, sizeof(unsigned));
    }
    g_ptr_array_add(session->message_recipients, recipient->address);
    g_ptr_array_add(session->message_meant, recipient->meant);
    g_array_append_val(session->message_profiles, session->facts.profile);
}

/* The message */

void outcome_of_lists(struct session *session)
{
    struct check_effects *into = &session->message_effects, *own = &session->run.effects;
    if (session->run.stage != STAGE_MESSAGE)
        return;
    const struct check_effects *earlier[] = {&session->client_effects, &session->helo_effects,
                                             &session->mail_effects};
    for (size_t i = 0; i < G_N_ELEMENTS(earlier); i++)
        take_effects(into, earlier[i]);
    take_effects(into, own);
    check_effects_take_charges(into, own);
    permits_add(&session->message_permits, &session->run.permits);
    check_effects_order_changes(own);
    into->changes = g_steal_pointer(&own->changes);
    into->body = g_steal_pointer(&own->body);
    into->spam = g_steal_pointer(&own->spam);
    into->asked = g_steal_pointer(&own->asked);
}

const struct refusal *outcome_message_refusal(const struct session *session)
{
    return session->message_refusal.reply ? &session->message_refusal : &session->run.refusal;
}

static void refuse_message(struct session *session, const struct refusal *refusal,
                           struct audience accepted)
{
    const char *met[2] = {refusal->recipient, NULL};
    struct audience to = refusal->recipient ? (struct audience){.to = met} : accepted;
    answer_refuse(session, refusal);
    /* Postfix would drop a refused message without a sender, Sendmail would show it to postmaster:
     * it is held instead. A 4xx is no loss: the MTA keeps the message and tries again. */
    if (!facts_nobody_to_tell(&session->facts) || refusal->reply[0] != '5') {
        report(session, action_of_reply(refusal->reply), refusal, NULL, to);
        return;
    }
    struct refusal held = *refusal;
    g_autofree char *why = g_strdup("refused, but nobody could be told: held instead");
    held.why = why;
    report(session, ACTION_HOLD, &held, NULL, to);
    if (!session->policy->monitor)
        session->answer.action = SESSION_HOLD;
    session->answer.hold = session->answer.reply;
}

static void pass_message(struct session *session, struct audience accepted)
{
    const struct check_effects *effects = &session->message_effects;
    const struct refusal hold = {
        .check = effects->hold_check, .entry = effects->hold_entry, .why = effects->hold};
    answer_continue(session);
    if (session->policy->greylists && session->message_meant)
        greylist_remember(&session->policy->site, &session->facts, engine_store(session->engine),
                          session->message_meant);
    report(session, effects->hold ? ACTION_HOLD : ACTION_ACCEPT, &hold, NULL, accepted);
    session->answer.check = effects->hold_check;
    if (session->policy->monitor)
        return;
    session->answer.headers = effects->prepend;
    session->answer.changes = effects->changes;
    session->answer.body = effects->body;
    session->answer.hold = effects->hold;
    if (effects->hold)
        session->answer.action = SESSION_HOLD;
}

static void finish_message(struct session *session, struct refusal *refusal)
{
    const struct refusal *first =
        session->message_refusal.reply ? &session->message_refusal : refusal;
    const char *names[EVENT_RECIPIENTS_MAX + 1];
    struct audience accepted = accepted_recipients(session, names);
    if (!first->reply || session->policy->monitor)
        content_remember_bounce(session);
    if (first->reply)
        refuse_message(session, first, accepted);
    else
        pass_message(session, accepted);
}

void outcome_of_stage(struct session *session, struct refusal *refusal)
{
    report_notes(session);
    switch (session->run.stage) {
    case STAGE_CONNECT:
        move_effects(&session->client_effects, &session->run.effects);
        move_refusal(&session->client_refusal, refusal);
        answer_continue(session);
        break;
    case STAGE_HELO:
        move_effects(&session->helo_effects, &session->run.effects);
        move_refusal(&session->helo_refusal, refusal);
        answer_continue(session);
        break;
    case STAGE_MAIL:
        finish_mail(session, refusal);
        break;
    case STAGE_RCPT:
        finish_rcpt(session, refusal);
        break;
    default:
        finish_message(session, refusal);
        break;
    }
}
