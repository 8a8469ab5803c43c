/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the end of a stage means for the reply, the log and the rest of the session.
 */
#include "session_state.h"

#include <string.h>

#include "checks/guard.h"
#include "checks/spam.h"

/* Recipients that one log line names; the rest is a number. */
enum { EVENT_RECIPIENTS_MAX = 20 };

static void answer_continue(struct session *session, enum stage stage)
{
    session->answer = (struct session_answer){.action = SESSION_CONTINUE, .stage = stage};
}

/* In monitor mode the answer says what would have been, and does nothing. */
static void answer_refuse(struct session *session, enum stage stage, const char *check,
                          const char *reply)
{
    char *copy = g_strdup(reply);
    g_free(session->answer_reply);
    session->answer_reply = copy;
    session->answer = (struct session_answer){
        .action = session->policy->monitor ? SESSION_CONTINUE : SESSION_REFUSE,
        .stage = stage,
        .check = check,
        .reply = session->answer_reply,
    };
}

/* Milliseconds spent on the message, the step under way included. */
static double spent(const struct session *session)
{
    gint64 now = session->resumed_at ? g_get_monotonic_time() - session->resumed_at : 0;
    return (double)(session->microseconds + now) / 1000.0;
}

static void report(struct session *session, enum action action, enum stage stage,
                   const struct refusal *refusal, const char *text, const char *const *to)
{
    static const char *const nobody[] = {NULL};
    g_autofree char *login = site_login(&session->policy->site, &session->facts);
    struct event event = {
        .action = action,
        .stage = stage,
        .check = refusal ? refusal->check : NULL,
        .reply = refusal ? refusal->reply : NULL,
        .text = text      ? text
                : refusal ? refusal->why
                          : NULL,
        .facts = &session->facts,
        .login = login,
        .to = to ? to : nobody,
        .monitor = session->policy->monitor,
        .milliseconds = spent(session),
        .spam = stage == STAGE_MESSAGE ? session_spam(session) : NULL,
    };
    engine_event(session->engine, &event);
}

/* Recipients of the message that were not refused (or, in monitor mode, all of them). */
static GPtrArray *accepted_recipients(const struct session *session)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    guint more = 0;
    for (guint i = 0; session->recipients && i < session->recipients->len; i++) {
        const struct session_recipient *recipient = session->recipients->pdata[i];
        if (recipient->action == SESSION_REFUSE)
            continue;
        if (names->len < EVENT_RECIPIENTS_MAX)
            g_ptr_array_add(names, g_strdup(recipient->address));
        else
            more++;
    }
    if (more)
        g_ptr_array_add(names, g_strdup_printf("+%u more", more));
    g_ptr_array_add(names, NULL);
    return names;
}

static void report_notes(struct session *session, enum stage stage)
{
    if (!session->notes || session->notes->len == 0)
        return;
    const char *one[2] = {session->facts.has_recipient ? session->facts.recipient.text : NULL,
                          NULL};
    g_autoptr(GPtrArray) names = accepted_recipients(session);
    bool is_message = stage == STAGE_MESSAGE;
    const char *const *to = is_message ? (const char *const *)names->pdata : one;
    for (guint i = 0; i < session->notes->len; i++) {
        const struct check_note *note = &g_array_index(session->notes, struct check_note, i);
        report(session, note->action, stage, NULL, note->text, to);
    }
    g_array_set_size(session->notes, 0);
}

/* Adds a header once, however many recipients ask for it, each perhaps for another one. */
static void take_header(struct check_effects *into, const char *header)
{
    if (!into->prepended)
        into->prepended = g_hash_table_new(g_str_hash, g_str_equal);
    if (g_hash_table_contains(into->prepended, header))
        return;
    char *copy = g_strdup(header);
    g_ptr_array_add(into->prepend, copy);
    g_hash_table_add(into->prepended, copy);
}

/* HOLD and PREPEND of a recipient count when it was not refused; the same header once. */
static void take_effects(struct check_effects *into, const struct check_effects *from)
{
    if (!into->prepend)
        check_effects_init(into);
    if (!into->hold && from->hold) {
        into->hold = g_strdup(from->hold);
        into->hold_check = from->hold_check;
    }
    for (guint i = 0; i < from->prepend->len; i++)
        take_header(into, from->prepend->pdata[i]);
}

/* Behind what the message costs by now. */
static void take_charges(struct check_effects *into, struct check_effects *from)
{
    if (into->charges && from->charges)
        g_ptr_array_extend_and_steal(into->charges, g_steal_pointer(&from->charges));
    else if (from->charges)
        into->charges = g_steal_pointer(&from->charges);
}

static struct refusal *take_refusal(struct refusal *into, struct refusal *from)
{
    refusal_clear(into);
    *into = *from;
    *from = (struct refusal){0};
    return into;
}

static void move_effects(struct check_effects *into, struct check_effects *from)
{
    check_effects_clear(into);
    *into = *from;
    *from = (struct check_effects){0};
}

static void finish_connect(struct session *session, struct refusal *refusal)
{
    move_effects(&session->client_effects, &session->run.effects);
    take_refusal(&session->client_refusal, refusal);
    answer_continue(session, STAGE_CONNECT);
}

static void finish_helo(struct session *session, struct refusal *refusal)
{
    move_effects(&session->helo_effects, &session->run.effects);
    take_refusal(&session->helo_refusal, refusal);
    answer_continue(session, STAGE_HELO);
}

/* Gives a refusal now, or keeps it for the end of a message that came without SMTP. */
static void give_refusal(struct session *session, enum stage stage, struct refusal *refusal)
{
    const char *to[2] = {session->facts.has_recipient ? session->facts.recipient.text : NULL, NULL};
    if (session->facts.without_smtp) {
        if (!session->message_refusal.reply) {
            refusal->recipient = g_strdup(to[0]);
            take_refusal(&session->message_refusal, refusal);
        }
        answer_continue(session, stage);
        return;
    }
    report(session, action_of_reply(refusal->reply), stage, refusal, NULL, to);
    answer_refuse(session, stage, refusal->check, refusal->reply);
}

static void finish_mail(struct session *session, struct refusal *refusal)
{
    move_effects(&session->mail_effects, &session->run.effects);
    struct refusal *first = session->client_refusal.reply ? &session->client_refusal
                            : session->helo_refusal.reply ? &session->helo_refusal
                                                          : refusal;
    if (!first->reply) {
        answer_continue(session, STAGE_MAIL);
        return;
    }
    struct refusal given = {
        .reply = g_strdup(first->reply), .check = first->check, .why = first->why};
    give_refusal(session, STAGE_MAIL, &given);
    refusal_clear(&given);
}

/* A recipient that the message will have. */
static void add_message_recipient(struct session *session)
{
    if (!session->message_recipients) {
        session->message_recipients = g_ptr_array_new_with_free_func(g_free);
        session->message_profiles = g_array_new(FALSE, FALSE, sizeof(unsigned));
    }
    g_ptr_array_add(session->message_recipients, g_strdup(session->facts.recipient.text));
    g_array_append_val(session->message_profiles, session->facts.profile);
}

/* With mixed_recipients = split, who has another profile than the first comes back on its own. */
static void split_recipients(struct session *session, struct refusal *refusal)
{
    const struct spam_site *spam = session->policy->site.spam;
    bool differs = session->message_profiles && session->message_profiles->len > 0 &&
                   g_array_index(session->message_profiles, unsigned, 0) != session->facts.profile;
    if (refusal->reply || !spam->split || !differs ||
        guard_is_outgoing(&session->policy->site, &session->facts))
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
        give_refusal(session, STAGE_RCPT, refusal);
        return;
    }
    struct session_recipient *recipient = g_new0(struct session_recipient, 1);
    recipient->address = g_strdup(session->facts.recipient.text);
    split_recipients(session, refusal);
    recipient->check = refusal->check;
    recipient->reply = g_strdup(refusal->reply);
    if (refusal->reply) {
        give_refusal(session, STAGE_RCPT, refusal);
        recipient->action = session->answer.action;
    } else {
        take_effects(&session->message_effects, &session->run.effects);
        take_charges(&session->message_effects, &session->run.effects);
        answer_continue(session, STAGE_RCPT);
    }
    if (session->answer.action == SESSION_CONTINUE)
        add_message_recipient(session);
    g_ptr_array_add(session->recipients, recipient);
}

/* Postfix would drop a refused message without a sender, Sendmail would show it to postmaster: it
 * is held instead. */
static void hold_refused(struct session *session, struct refusal *refusal, const char *const *to)
{
    report(session, ACTION_HOLD, STAGE_MESSAGE, refusal,
           "refused, but nobody could be told: held instead", to);
    answer_refuse(session, STAGE_MESSAGE, refusal->check, refusal->reply);
    if (!session->policy->monitor)
        session->answer.action = SESSION_HOLD;
    session->answer.hold = session->answer.reply;
}

static void refuse_message(struct session *session, struct refusal *refusal)
{
    g_autoptr(GPtrArray) names = accepted_recipients(session);
    const char *met[2] = {refusal->recipient, NULL};
    const char *const *to = refusal->recipient ? met : (const char *const *)names->pdata;
    /* A 4xx is no loss: the MTA keeps the message and tries again. */
    if (facts_nobody_to_tell(&session->facts) && refusal->reply[0] == '5') {
        hold_refused(session, refusal, to);
        return;
    }
    report(session, action_of_reply(refusal->reply), STAGE_MESSAGE, refusal, NULL, to);
    answer_refuse(session, STAGE_MESSAGE, refusal->check, refusal->reply);
}

static void pass_message(struct session *session)
{
    struct check_effects *effects = &session->message_effects;
    g_autoptr(GPtrArray) names = accepted_recipients(session);
    const char *const *to = (const char *const *)names->pdata;
    answer_continue(session, STAGE_MESSAGE);
    struct refusal hold = {.check = effects->hold_check};
    report(session, effects->hold ? ACTION_HOLD : ACTION_ACCEPT, STAGE_MESSAGE, &hold,
           effects->hold, to);
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

/* What only the message's own restrictions bring about. */
static void take_message_effects(struct check_effects *into, struct check_effects *from)
{
    into->changes = g_steal_pointer(&from->changes);
    into->body = g_steal_pointer(&from->body);
    into->spam = g_steal_pointer(&from->spam);
}

void outcome_of_lists(struct session *session)
{
    if (session->run.stage != STAGE_MESSAGE)
        return;
    const struct check_effects *earlier[] = {&session->client_effects, &session->helo_effects,
                                             &session->mail_effects};
    for (size_t i = 0; i < G_N_ELEMENTS(earlier); i++)
        if (earlier[i]->prepend)
            take_effects(&session->message_effects, earlier[i]);
    take_effects(&session->message_effects, &session->run.effects);
    take_charges(&session->message_effects, &session->run.effects);
    take_message_effects(&session->message_effects, &session->run.effects);
}

const struct refusal *outcome_message_refusal(const struct session *session)
{
    return session->message_refusal.reply ? &session->message_refusal : &session->run.refusal;
}

static void finish_message(struct session *session, struct refusal *refusal)
{
    struct refusal *first = session->message_refusal.reply ? &session->message_refusal : refusal;
    if (!first->reply || session->policy->monitor)
        content_remember_bounce(session);
    if (first->reply)
        refuse_message(session, first);
    else
        pass_message(session);
}

static void (*const finish_stage[STAGE_COUNT])(struct session *, struct refusal *) = {
    [STAGE_CONNECT] = finish_connect, [STAGE_HELO] = finish_helo,       [STAGE_MAIL] = finish_mail,
    [STAGE_RCPT] = finish_rcpt,       [STAGE_MESSAGE] = finish_message,
};

void outcome_of_stage(struct session *session, struct refusal *refusal)
{
    enum stage stage = session->run.stage;
    report_notes(session, stage);
    finish_stage[stage](session, refusal);
}
