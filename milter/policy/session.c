/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The session engine: which lists are evaluated when, and what their outcome means for the reply.
 */
#include "policy/session.h"

#include <string.h>

#include "autoreply/classify.h"
#include "checks/guard.h"
#include "checks/lookups.h"
#include "checks/spam.h"
#include "mail/header.h"
#include "policy/evaluation.h"

/* Recipients that one log line names; the rest is a number. */
enum { EVENT_RECIPIENTS_MAX = 20 };

struct refusal {
    char *reply;
    const char *check;
    const char *why;
    char *recipient; /* whom it met, when it is given later */
};

/* The evaluation of a stage: a sequence of lists that may stop to wait. */
struct run {
    enum stage stage;
    enum restriction_list_kind lists[LIST_COUNT];
    unsigned count, next;
    bool evaluating;
    struct evaluation evaluation;
    struct check_effects effects;
};

struct session {
    struct engine *engine;
    struct session_waker waker;
    struct snapshot *snapshot;
    const struct policy *policy;
    struct engine_dns *dns;  /* NULL: none */
    struct lookups *lookups; /* NULL: no restriction asks the DNS */
    bool asks_late;          /* no questions before they are needed */
    struct facts facts;
    struct run run;
    GArray *notes;
    /* with delay_checks = no: what CONNECT, HELO and MAIL said */
    struct refusal client_refusal, helo_refusal;
    struct check_effects client_effects, helo_effects, mail_effects;
    /* of the message */
    GPtrArray *recipients;
    size_t header_bytes, header_lines;
    struct header_list *headers;
    GString *body;     /* as much as is wanted; NULL: nothing */
    size_t body_limit; /* bytes that are wanted */
    bool body_cut;
    struct message_facts message;
    GPtrArray *message_recipients;  /* of char *: accepted, with brackets off */
    GArray *message_profiles;       /* of unsigned, beside them */
    struct refusal message_refusal; /* mail without SMTP: given at its end */
    struct check_effects message_effects;
    gint64 microseconds; /* spent on the message so far */
    gint64 resumed_at;   /* when the step under way began */
    gint64 waiting_from; /* the same, while it waits; else 0 */
    struct session_answer answer;
    char *answer_reply;
};

static void refusal_clear(struct refusal *refusal)
{
    g_free(refusal->reply);
    g_free(refusal->recipient);
    *refusal = (struct refusal){0};
}

static void recipient_free(void *data)
{
    struct session_recipient *recipient = data;
    g_free(recipient->address);
    g_free(recipient->reply);
    g_free(recipient);
}

struct session *session_new(struct engine *engine, const struct session_waker *waker)
{
    struct session *session = g_new0(struct session, 1);
    session->engine = engine;
    session->waker = waker ? *waker : (struct session_waker){0};
    session->snapshot = engine_acquire(engine);
    session->policy = snapshot_main_policy(session->snapshot);
    facts_init(&session->facts);
    engine_session_began(engine);
    return session;
}

static void run_clear(struct run *run)
{
    if (run->evaluating)
        evaluation_clear(&run->evaluation);
    check_effects_clear(&run->effects);
    *run = (struct run){0};
}

static void forget_message(struct session *session)
{
    run_clear(&session->run);
    facts_end_message(&session->facts);
    if (session->recipients)
        g_ptr_array_set_size(session->recipients, 0);
    session->header_bytes = session->header_lines = 0;
    header_list_free(session->headers);
    session->headers = NULL;
    if (session->body)
        g_string_free(session->body, TRUE);
    session->body = NULL;
    session->body_limit = 0;
    session->body_cut = false;
    if (session->message_recipients)
        g_ptr_array_set_size(session->message_recipients, 0);
    if (session->message_profiles)
        g_array_set_size(session->message_profiles, 0);
    refusal_clear(&session->message_refusal);
    check_effects_clear(&session->message_effects);
    check_effects_clear(&session->mail_effects);
    session->microseconds = 0;
    session->waiting_from = 0;
    if (session->lookups)
        lookups_wait_end(session->lookups);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    forget_message(session);
    refusal_clear(&session->client_refusal);
    refusal_clear(&session->helo_refusal);
    check_effects_clear(&session->client_effects);
    check_effects_clear(&session->helo_effects);
    lookups_free(session->lookups);
    engine_dns_unref(session->dns);
    facts_clear(&session->facts);
    if (session->recipients)
        g_ptr_array_unref(session->recipients);
    if (session->message_recipients)
        g_ptr_array_unref(session->message_recipients);
    if (session->message_profiles)
        g_array_unref(session->message_profiles);
    if (session->notes)
        g_array_unref(session->notes);
    g_free(session->answer_reply);
    snapshot_unref(session->snapshot);
    engine_session_ended(session->engine);
    g_free(session);
}

void session_ask_late(struct session *session)
{
    session->asks_late = true;
}

const struct snapshot_needs *session_needs(const struct session *session)
{
    return snapshot_get_needs(session->snapshot);
}

/* Answers */

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

/* Telling */

/* Milliseconds spent on the message, the step under way included. */
static double spent(const struct session *session)
{
    gint64 now = session->resumed_at ? g_get_monotonic_time() - session->resumed_at : 0;
    return (double)(session->microseconds + now) / 1000.0;
}

static void report(struct session *session, const char *action, enum stage stage,
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

static const char *refusal_action(const struct refusal *refusal)
{
    return refusal->reply[0] == '4' ? "tempfail" : "reject";
}

static void report_notes(struct session *session, enum stage stage)
{
    const char *to[2] = {session->facts.has_recipient ? session->facts.recipient.text : NULL, NULL};
    for (guint i = 0; session->notes && i < session->notes->len; i++) {
        const struct check_note *note = &g_array_index(session->notes, struct check_note, i);
        report(session, note->action, stage, NULL, note->text, to);
    }
    if (session->notes)
        g_array_set_size(session->notes, 0);
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

/* What became of a stage */

/* HOLD and PREPEND of a recipient count when it was not refused; the same header once. */
static void take_effects(struct check_effects *into, const struct check_effects *from)
{
    if (!into->prepend)
        check_effects_init(into);
    if (!into->hold && from->hold) {
        into->hold = g_strdup(from->hold);
        into->hold_check = from->hold_check;
    }
    for (guint i = 0; i < from->prepend->len; i++) {
        const char *header = from->prepend->pdata[i];
        if (!g_ptr_array_find_with_equal_func(into->prepend, header, g_str_equal, NULL))
            g_ptr_array_add(into->prepend, g_strdup(header));
    }
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
    report(session, refusal_action(refusal), stage, refusal, NULL, to);
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

/* The profile of the current recipient. An error of its tables is the same as "cannot tell". */
static bool find_profile(struct session *session, struct refusal *refusal)
{
    const struct site *site = &session->policy->site;
    session->facts.profile = 0;
    if (!site->recipient_profiles)
        return true;
    g_autoptr(GString) name = g_string_new(NULL);
    enum lookup_status status =
        search_address(site->recipient_profiles, &session->facts.recipient, SEARCH_PROFILE,
                       site->recipient_delimiter, false, name);
    g_strchomp(name->str);
    int index = status == LOOKUP_HIT ? spam_profile_find(site->spam, name->str) : 0;
    session->facts.profile = index > 0 ? (unsigned)index : 0;
    if (index < 0)
        engine_warn_once(session->engine, name->str,
                         "recipient_profiles names \"%s\", but there is no such [profile] "
                         "section: judged without a profile",
                         name->str);
    if (status != LOOKUP_ERROR)
        return true;
    *refusal = (struct refusal){.reply = g_strdup(REPLY_TEMPORARY_FAILURE),
                                .check = "recipient_profiles",
                                .why = "recipient_profiles cannot be asked"};
    return false;
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
        answer_continue(session, STAGE_RCPT);
    }
    if (session->answer.action == SESSION_CONTINUE)
        add_message_recipient(session);
    g_ptr_array_add(session->recipients, recipient);
}

/* Postfix would drop a refused message without a sender: it is held instead. */
static void hold_refused(struct session *session, struct refusal *refusal, const char *const *to)
{
    report(session, "hold", STAGE_MESSAGE, refusal,
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
    if (session->facts.without_smtp && session->facts.sender.null) {
        hold_refused(session, refusal, to);
        return;
    }
    report(session, refusal_action(refusal), STAGE_MESSAGE, refusal, NULL, to);
    answer_refuse(session, STAGE_MESSAGE, refusal->check, refusal->reply);
}

static void pass_message(struct session *session)
{
    struct check_effects *effects = &session->message_effects;
    g_autoptr(GPtrArray) names = accepted_recipients(session);
    const char *const *to = (const char *const *)names->pdata;
    answer_continue(session, STAGE_MESSAGE);
    struct refusal hold = {.check = effects->hold_check};
    report(session, effects->hold ? "hold" : "accept", STAGE_MESSAGE, &hold, effects->hold, to);
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

static void finish_message(struct session *session, struct refusal *refusal)
{
    const struct check_effects *earlier[] = {&session->client_effects, &session->helo_effects,
                                             &session->mail_effects};
    for (size_t i = 0; i < G_N_ELEMENTS(earlier); i++)
        if (earlier[i]->prepend)
            take_effects(&session->message_effects, earlier[i]);
    take_effects(&session->message_effects, &session->run.effects);
    take_message_effects(&session->message_effects, &session->run.effects);
    struct refusal *first = session->message_refusal.reply ? &session->message_refusal : refusal;
    if (first->reply)
        refuse_message(session, first);
    else
        pass_message(session);
}

/* Running the lists of a stage */

static void (*const finish_stage[STAGE_COUNT])(struct session *, struct refusal *) = {
    [STAGE_CONNECT] = finish_connect, [STAGE_HELO] = finish_helo,       [STAGE_MAIL] = finish_mail,
    [STAGE_RCPT] = finish_rcpt,       [STAGE_MESSAGE] = finish_message,
};

static enum session_step finish(struct session *session, struct refusal *refusal)
{
    enum stage stage = session->run.stage;
    report_notes(session, stage);
    finish_stage[stage](session, refusal);
    if (session->resumed_at)
        session->microseconds += g_get_monotonic_time() - session->resumed_at;
    session->resumed_at = 0;
    refusal_clear(refusal);
    run_clear(&session->run);
    return SESSION_READY;
}

/* A permit at the end does not undo what could not be told before it. */
static void apply_deferral(const struct run *run, struct refusal *refusal)
{
    const struct check_effects *effects = &run->effects;
    if (refusal->reply || !effects->defer_if_permit || run->stage < STAGE_RCPT)
        return;
    refusal->reply = g_strdup(effects->defer_if_permit);
    refusal->check = effects->defer_if_permit_check;
}

static void warn_once(void *data, const char *key, const char *text)
{
    engine_warn_once(data, key, "%s", text);
}

static bool begin_list(struct session *session)
{
    struct run *run = &session->run;
    enum restriction_list_kind kind = run->lists[run->next];
    /* As in Postfix: without HELO there is nothing to restrict. */
    if (kind == LIST_HELO && !session->facts.helo)
        return false;
    if (!session->notes)
        session->notes = check_notes_new();
    evaluation_init(&run->evaluation, session->policy->lists[kind], &session->facts,
                    &session->policy->site, session->lookups, &run->effects, session->notes);
    run->evaluation.memory = engine_bounce_memory(session->engine);
    run->evaluation.warner = (struct check_warner){.warn_once = warn_once, .data = session->engine};
    run->evaluating = true;
    return true;
}

static enum session_step run_lists(struct session *session)
{
    struct run *run = &session->run;
    struct refusal refusal = {0};
    for (; run->next < run->count && !refusal.reply; run->next++) {
        if (!run->evaluating && !begin_list(session))
            continue;
        enum evaluation_result result = evaluation_run(&run->evaluation);
        if (result == EVALUATION_WAIT)
            return SESSION_WAIT;
        if (result == EVALUATION_REFUSE) {
            refusal.reply = g_steal_pointer(&run->evaluation.reply);
            refusal.check = run->evaluation.check;
            refusal.why = run->evaluation.why;
        }
        evaluation_clear(&run->evaluation);
        run->evaluating = false;
    }
    apply_deferral(run, &refusal);
    return finish(session, &refusal);
}

enum session_step session_resume(struct session *session)
{
    gint64 start = session->waiting_from ? session->waiting_from : g_get_monotonic_time();
    session->resumed_at = start;
    enum session_step step = run_lists(session);
    session->waiting_from = step == SESSION_WAIT ? start : 0;
    if (session->lookups && step == SESSION_WAIT)
        lookups_wait_begin(session->lookups);
    else if (session->lookups)
        lookups_wait_end(session->lookups);
    return step;
}

static void add_list(struct run *run, enum restriction_list_kind kind)
{
    run->lists[run->count++] = kind;
}

static void begin_run(struct session *session, enum stage stage)
{
    struct run *run = &session->run;
    bool delay = session->policy->delay_checks;
    run_clear(run);
    run->stage = stage;
    check_effects_init(&run->effects);
    if (stage == STAGE_CONNECT ? !delay : stage == STAGE_RCPT && delay)
        add_list(run, LIST_CLIENT);
    if (stage == STAGE_HELO ? !delay : stage == STAGE_RCPT && delay)
        add_list(run, LIST_HELO);
    if (stage == STAGE_MAIL ? !delay : stage == STAGE_RCPT && delay)
        add_list(run, LIST_SENDER);
    if (stage == STAGE_RCPT) {
        add_list(run, LIST_RELAY);
        add_list(run, LIST_RECIPIENT);
    }
    if (stage == STAGE_MESSAGE)
        add_list(run, LIST_MESSAGE);
}

/* Deferrals that CONNECT, HELO and MAIL asked for hold for each recipient. */
static void inherit_deferrals(struct session *session)
{
    const struct check_effects *earlier[] = {&session->client_effects, &session->helo_effects,
                                             &session->mail_effects};
    struct check_effects *now = &session->run.effects;
    for (size_t i = 0; i < G_N_ELEMENTS(earlier); i++) {
        if (earlier[i]->defer_if_permit && !now->defer_if_permit) {
            now->defer_if_permit = g_strdup(earlier[i]->defer_if_permit);
            now->defer_if_permit_check = earlier[i]->defer_if_permit_check;
        }
        if (earlier[i]->defer_if_reject && !now->defer_if_reject) {
            now->defer_if_reject = g_strdup(earlier[i]->defer_if_reject);
            now->defer_if_reject_check = earlier[i]->defer_if_reject_check;
        }
    }
}

int64_t session_deadline(const struct session *session)
{
    return session->lookups ? lookups_deadline(session->lookups) : 0;
}

/* Questions that leave before anybody needs the answer: not for those whom the lists will probably
 * never be asked about. */
static void ask_early(struct session *session)
{
    const struct facts *facts = &session->facts;
    const struct site *site = &session->policy->site;
    if (!session->lookups || session->asks_late || facts->submission ||
        site_authenticated(site, facts))
        return;
    if (!facts->untrusted && match_list_find_client(site->mynetworks, &facts->address,
                                                    facts->client_name) != LOOKUP_MISS)
        return;
    lookups_need(session->lookups, facts, site->dnsbl_early, DNSBL_ANYWHERE);
}

/* A session may be told of another client (XCLIENT): what was asked for the first one is dropped.
 */
static void begin_lookups(struct session *session)
{
    lookups_free(g_steal_pointer(&session->lookups));
    engine_dns_unref(g_steal_pointer(&session->dns));
    if (!session->policy->asks_dns)
        return;
    session->dns = engine_dns_acquire(session->engine);
    struct dns_waker waker = {.wake = session->waker.wake, .data = session->waker.data};
    if (session->dns)
        session->lookups =
            lookups_new(&session->policy->site, session->dns->resolver, session->dns->state, waker);
    ask_early(session);
}

/* The facts of these places are new. */
static void renew_lookups(struct session *session, unsigned places)
{
    if (!session->lookups)
        return;
    lookups_forget(session->lookups, places);
    ask_early(session);
}

/* The stages */

static void warn_of_listener_name(struct session *session)
{
    const struct macro_facts *macros = &session->facts.macros;
    if (snapshot_has_listeners(session->snapshot) && macros->daemon_name && macros->mta_name &&
        !session->facts.without_smtp && strcmp(macros->daemon_name, macros->mta_name) == 0)
        engine_warn_once(session->engine, "daemon_name",
                         "the MTA calls a listener by its own name, %s: give each service in "
                         "master.cf a name with -o milter_macro_daemon_name=NAME, or listener "
                         "sections will not be found (gatepostctl setup postfix shows the lines)",
                         macros->mta_name);
}

enum session_step session_connect(struct session *session, const struct connection *connection,
                                  const struct macro_source *macros)
{
    forget_message(session);
    facts_connect(&session->facts, connection, macros);
    session->policy = snapshot_policy(session->snapshot, &session->facts);
    site_judge_listener(&session->policy->site, &session->facts);
    warn_of_listener_name(session);
    begin_lookups(session);
    begin_run(session, STAGE_CONNECT);
    return session_resume(session);
}

enum session_step session_helo(struct session *session, const char *helo,
                               const struct macro_source *macros)
{
    forget_message(session);
    facts_helo(&session->facts, helo, macros);
    renew_lookups(session, DNSBL_HELO);
    begin_run(session, STAGE_HELO);
    return session_resume(session);
}

enum session_step session_mail(struct session *session, const char *const *argv,
                               const struct macro_source *macros)
{
    forget_message(session);
    facts_mail(&session->facts, argv, macros);
    renew_lookups(session, DNSBL_SENDER | DNSBL_FROM | DNSBL_REPLY_TO);
    if (!session->recipients)
        session->recipients = g_ptr_array_new_with_free_func(recipient_free);
    begin_run(session, STAGE_MAIL);
    return session_resume(session);
}

/* What is refused before any list is asked; NULL: nothing. */
static const char *refused_beforehand(struct session *session, const char **check_r)
{
    const struct facts *facts = &session->facts;
    const struct site *site = &session->policy->site;
    if (session->recipients->len >= SESSION_RECIPIENTS_MAX) {
        *check_r = "recipient_limit";
        return "452 4.5.3 Too many recipients";
    }
    if (!facts->submission || site_authenticated(site, facts))
        return NULL;
    const char *weak = check_weak_login_reply(site_login_fault(site, facts));
    *check_r = weak ? "reject_cleartext_auth" : "submission_listeners";
    if (weak)
        return weak;
    switch (site_relay_certificate(site, facts)) {
    case LOOKUP_HIT:
        return NULL;
    case LOOKUP_MISS:
        return "530 5.7.0 Authentication required";
    default:
        return REPLY_TEMPORARY_FAILURE;
    }
}

static void warn_of_local_domain(struct session *session)
{
    static const char *const local_mailers[] = {"local", "virtual"};
    const struct facts *facts = &session->facts;
    const char *mailer = facts->macros.rcpt_mailer;
    for (size_t i = 0; mailer && i < G_N_ELEMENTS(local_mailers); i++) {
        if (strcmp(mailer, local_mailers[i]) != 0 || facts->recipient.routed ||
            site_destination(&session->policy->site, &facts->recipient) != DESTINATION_REMOTE)
            continue;
        g_autofree char *key = g_strconcat("local:", facts->recipient.domain, NULL);
        engine_warn_once(session->engine, key,
                         "the MTA delivers %s here, but local_domains does not list it",
                         facts->recipient.domain);
    }
}

enum session_step session_rcpt(struct session *session, const char *const *argv,
                               const struct macro_source *macros)
{
    facts_rcpt(&session->facts, argv, macros);
    if (session->lookups)
        lookups_forget(session->lookups, DNSBL_RECIPIENT);
    if (!session->recipients)
        session->recipients = g_ptr_array_new_with_free_func(recipient_free);
    warn_of_local_domain(session);
    begin_run(session, STAGE_RCPT);
    inherit_deferrals(session);
    struct refusal refusal = {0};
    if (!find_profile(session, &refusal))
        return finish(session, &refusal);
    const char *reply = refused_beforehand(session, &refusal.check);
    if (!reply)
        return session_resume(session);
    refusal.reply = g_strdup(reply);
    return finish(session, &refusal);
}

static bool header_too_large(const struct session *session)
{
    return session->header_lines > SESSION_HEADER_LINES_MAX ||
           session->header_bytes > session->policy->header_limit;
}

void session_header(struct session *session, const char *name, const char *value)
{
    size_t name_length = strlen(name), value_length = strlen(value);
    session->header_lines++;
    session->header_bytes += name_length + value_length + strlen(":\r\n");
    if (!session->policy->reads_header || header_too_large(session))
        return;
    if (!session->headers)
        session->headers = header_list_new();
    header_list_add(session->headers, name, name_length, value, value_length);
}

/* A message without any header has a header all the same. */
static void show_message(struct session *session)
{
    if (!session->policy->reads_header)
        return;
    if (!session->headers)
        session->headers = header_list_new();
    if (!session->message_recipients) {
        session->message_recipients = g_ptr_array_new_with_free_func(g_free);
        session->message_profiles = g_array_new(FALSE, FALSE, sizeof(unsigned));
    }
    session->message = (struct message_facts){
        .headers = session->headers,
        .body = session->body ? session->body->str : NULL,
        .body_length = session->body ? session->body->len : 0,
        .body_cut = session->body_cut,
        .recipients = (const char *const *)session->message_recipients->pdata,
        .recipient_count = session->message_recipients->len,
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
        guard_is_outgoing(&policy->site, &session->facts) && autoreply_needs_body(&message);
    return is_bounce || is_candidate ? AUTOREPLY_BODY_MAX : 0;
}

bool session_end_of_header(struct session *session)
{
    const struct policy *policy = session->policy;
    if (!policy->reads_header || header_too_large(session))
        return false;
    show_message(session);
    session->body_limit = guard_body_limit(session);
    if (policy->rules_read_body)
        session->body_limit = MAX(session->body_limit, RULESET_BODY_MAX);
    session->facts.message = NULL;
    return session->body_limit > 0;
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
    return length < room;
}

/* What bounces said is remembered for the guard, whoever they were for. */
static void remember_bounce(struct session *session)
{
    struct bounce_memory *memory = engine_bounce_memory(session->engine);
    if (!memory || !session->policy->guards || !session->body)
        return;
    struct autoreply_message message;
    guard_message(&session->policy->site, &session->facts, memory, &message);
    if (autoreply_is_bounce(&message.headers, message.sender))
        bounce_memory_add(memory, &message.headers, session->body->str, session->body->len,
                          message.now);
}

/* A delivery report that comes in asks auto-responders to keep silent. */
static void suppress_autoreplies(struct session *session)
{
    const struct site *site = &session->policy->site;
    struct autoreply_message message;
    if (!site->suppress_autoreplies || guard_is_outgoing(site, &session->facts))
        return;
    guard_message(site, &session->facts, NULL, &message);
    if (autoreply_is_bounce(&message.headers, message.sender) &&
        !header_list_first(session->headers, "X-Auto-Response-Suppress"))
        g_ptr_array_add(session->run.effects.prepend,
                        g_strdup("X-Auto-Response-Suppress: OOF, AutoReply"));
}

enum session_step session_end_of_message(struct session *session, const struct macro_source *macros)
{
    facts_end_recipient(&session->facts);
    facts_message(&session->facts, macros);
    begin_run(session, STAGE_MESSAGE);
    if (!header_too_large(session)) {
        show_message(session);
        if (session->facts.message) {
            remember_bounce(session);
            suppress_autoreplies(session);
        }
        return session_resume(session);
    }
    struct refusal refusal = {.reply = g_strdup("552 5.3.4 Message header too large"),
                              .check = "header_limit"};
    return finish(session, &refusal);
}

enum session_step session_end_of_envelope(struct session *session,
                                          const struct macro_source *macros)
{
    facts_end_recipient(&session->facts);
    facts_message(&session->facts, macros);
    begin_run(session, STAGE_MESSAGE);
    session->run.count = 0;
    return session_resume(session);
}

void session_abort(struct session *session)
{
    forget_message(session);
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
    const struct spam_verdict *running = session->run.effects.spam;
    return running ? running : session->message_effects.spam;
}

const struct spam_profile *session_profile(const struct session *session)
{
    const GArray *profiles = session->message_profiles;
    unsigned index = profiles && profiles->len > 0 ? g_array_index(profiles, unsigned, 0)
                                                   : session->facts.profile;
    return session->policy->site.spam->profiles->pdata[index];
}

struct lookups *session_lookups(const struct session *session)
{
    return session->lookups;
}

const struct policy *session_policy(const struct session *session)
{
    return session->policy;
}

const struct facts *session_facts(const struct session *session)
{
    return &session->facts;
}
