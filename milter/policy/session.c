/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The session engine: the stages of a session, one after the other.
 */
#include "session_state.h"

#include <string.h>

#include "checks/dns_questions.h"
#include "checks/spam.h"
#include "checks/whose.h"
#include "mail/header.h"

/* A message's memory beyond this is not kept for the next one. */
enum { KEPT_MEMORY = 4096 };

/* The rest of it is the message's memory. */
static void recipient_free(void *data)
{
    struct session_recipient *recipient = data;
    if (recipient->asked)
        g_array_unref(recipient->asked);
}

struct session *session_new(struct engine *engine, const struct waker *waker)
{
    struct session *session = g_new0(struct session, 1);
    session->engine = engine;
    session->waker = waker ? *waker : (struct waker){0};
    session->snapshot = engine_acquire(engine);
    session->policy = snapshot_main_policy(session->snapshot);
    facts_init(&session->facts);
    engine_session_began(engine, session->id);
    return session;
}

static void forget_message(struct session *session)
{
    run_clear(session);
    facts_end_message(&session->facts);
    if (session->recipients)
        g_ptr_array_set_size(session->recipients, 0);
    content_forget(session);
    if (session->message_recipients) {
        g_ptr_array_set_size(session->message_recipients, 0);
        g_ptr_array_set_size(session->message_meant, 0);
    }
    if (session->message_profiles)
        g_array_set_size(session->message_profiles, 0);
    arena_reset(&session->message_memory, KEPT_MEMORY);
    refusal_clear(&session->message_refusal);
    check_effects_clear(&session->message_effects);
    check_effects_clear(&session->mail_effects);
    permits_clear(&session->message_permits);
    session->microseconds = 0;
    run_stop_waiting(session);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    forget_message(session);
    evaluation_free(&session->run.evaluation);
    header_list_free(session->headers);
    arena_reset(&session->message_memory, 0);
    permits_clear(&session->early_permits);
    refusal_clear(&session->client_refusal);
    refusal_clear(&session->helo_refusal);
    check_effects_clear(&session->client_effects);
    check_effects_clear(&session->helo_effects);
    dns_questions_free(session->dns_questions);
    engine_dns_unref(session->dns);
    facts_clear(&session->facts);
    if (session->recipients)
        g_ptr_array_unref(session->recipients);
    if (session->message_recipients) {
        g_ptr_array_unref(session->message_recipients);
        g_ptr_array_unref(session->message_meant);
    }
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

/* Finds the profile of the current recipient; false: its tables cannot tell. */
static bool find_profile(struct session *session)
{
    const struct site *site = &session->policy->site;
    session->facts.profile = 0;
    if (!site->recipient_profiles)
        return true;
    g_autoptr(GString) name = g_string_new(NULL);
    enum lookup_status status = whose_find(site, site->recipient_profiles,
                                           &session->facts.recipient_meant, SEARCH_PROFILE, name);
    g_strchomp(name->str);
    int index = status == LOOKUP_HIT ? spam_profile_find(site->spam, name->str) : 0;
    session->facts.profile = index > 0 ? (unsigned)index : 0;
    if (index < 0)
        engine_warn_once(session->engine, name->str,
                         "recipient_profiles names \"%s\", but there is no such [profile] "
                         "section: judged without a profile",
                         name->str);
    return status != LOOKUP_ERROR;
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
            now->defer_if_permit_entry = g_strdup(earlier[i]->defer_if_permit_entry);
        }
    }
}

/* Questions that leave before anybody needs the answer: not for those whom the lists will probably
 * never be asked about. */
static void ask_early(struct session *session)
{
    const struct facts *facts = &session->facts;
    const struct site *site = &session->policy->site;
    if (!session->dns_questions || session->asks_late || facts->submission ||
        site_is_outgoing(site, facts))
        return;
    dns_questions_ask(session->dns_questions, facts, site->dnsbl_early, DNSBL_ANYWHERE);
}

/* A session may be told of another client (XCLIENT): what was asked for the first one is dropped.
 */
static void begin_questions(struct session *session)
{
    const struct site *site = &session->policy->site;
    dns_questions_free(g_steal_pointer(&session->dns_questions));
    engine_dns_unref(g_steal_pointer(&session->dns));
    if (!session->policy->asks_dns)
        return;
    session->dns = engine_dns_acquire(session->engine);
    if (!session->dns)
        return;
    wait_budget_set(&session->budget, WAIT_DNS, site->dns_budget);
    session->dns_questions = dns_questions_new(site, session->dns->resolver, session->dns->state,
                                               &session->budget, session->waker);
    ask_early(session);
}

/* The facts of these places are new. */
static void renew_questions(struct session *session, unsigned places)
{
    if (!session->dns_questions)
        return;
    dns_questions_forget(session->dns_questions, places);
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

static void warn_of_untold_listener(struct session *session)
{
    const char *name = site_untold_listener(&session->policy->site, &session->facts);
    if (!name)
        return;
    const char *macro = name[0] == ':' ? "{daemon_port}" : "{daemon_name}";
    g_autofree char *key = g_strconcat("untold:", macro, NULL);
    engine_warn_once(session->engine, key,
                     "the MTA does not send %s, so that each of its listeners may be %s of "
                     "untrusted_listeners: no client is trusted for its address or name",
                     macro, name);
}

enum session_step session_connect(struct session *session, const struct connection *connection,
                                  const struct macro_source *macros)
{
    forget_message(session);
    permits_clear(&session->early_permits);
    refusal_clear(&session->helo_refusal); /* another client's, on the same connection */
    check_effects_clear(&session->helo_effects);
    facts_connect(&session->facts, connection, macros);
    session->policy = snapshot_policy(session->snapshot, &session->facts);
    site_judge_listener(&session->policy->site, &session->facts);
    if (!session->is_told)
        engine_connection(session->engine, session->policy, &session->facts);
    session->is_told = true;
    site_judge_client(&session->policy->site, &session->facts);
    warn_of_listener_name(session);
    warn_of_untold_listener(session);
    begin_questions(session);
    run_begin(session, STAGE_CONNECT);
    return run_advance(session);
}

enum session_step session_helo(struct session *session, const char *helo,
                               const struct macro_source *macros)
{
    forget_message(session);
    facts_helo(&session->facts, helo, macros);
    renew_questions(session, DNSBL_HELO);
    run_begin(session, STAGE_HELO);
    return run_advance(session);
}

enum session_step session_mail(struct session *session, const char *const *argv,
                               const struct macro_source *macros)
{
    forget_message(session);
    facts_mail(&session->facts, argv, macros);
    whose_sender(&session->policy->site, &session->facts);
    wait_budget_renew(&session->budget, WAIT_DNS, session->policy->site.dns_budget);
    renew_questions(session, DNSBL_SENDER | DNSBL_FROM | DNSBL_REPLY_TO);
    if (!session->recipients)
        session->recipients = g_ptr_array_new_with_free_func(recipient_free);
    run_begin(session, STAGE_MAIL);
    return run_advance(session);
}

/* What is refused before any list is asked; NULL: nothing. */
static const char *refused_beforehand(struct session *session, const char **check_r)
{
    const struct facts *facts = &session->facts;
    const struct site *site = &session->policy->site;
    /* Mail without SMTP has no second try that would be shorter. */
    if (session->recipients->len >= SESSION_RECIPIENTS_MAX && !facts->without_smtp) {
        *check_r = "recipient_limit";
        return "452 4.5.3 Too many recipients";
    }
    if (!facts->submission || site_authenticated(site, facts))
        return NULL;
    const char *weak = check_weak_login_reply(site_login_fault(site, facts));
    *check_r = weak ? "reject_cleartext_auth" : "submission_listeners";
    if (weak)
        return weak;
    switch (site_relay_certificate(site, facts, NULL)) {
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
    whose_recipient(&session->policy->site, &session->facts);
    if (session->dns_questions)
        dns_questions_forget(session->dns_questions, DNSBL_RECIPIENT);
    if (!session->recipients)
        session->recipients = g_ptr_array_new_with_free_func(recipient_free);
    warn_of_local_domain(session);
    run_begin(session, STAGE_RCPT);
    if (facts_is_postmaster(&session->facts))
        session->run.count = 0;
    else
        inherit_deferrals(session);
    bool profile_known = find_profile(session);
    const char *check = NULL;
    const char *reply = refused_beforehand(session, &check);
    if (reply)
        return run_refuse(session, reply, check, NULL);
    if (!profile_known)
        return run_refuse(session, REPLY_TEMPORARY_FAILURE, "recipient_profiles",
                          "recipient_profiles cannot be asked");
    return run_advance(session);
}

enum session_step session_end_of_message(struct session *session, const struct macro_source *macros)
{
    facts_end_recipient(&session->facts);
    facts_message(&session->facts, macros);
    run_begin(session, STAGE_MESSAGE);
    if (content_header_too_large(session))
        return run_refuse(session, "552 5.3.4 Message header too large", "header_limit", NULL);
    content_show(session);
    if (session->facts.message)
        content_suppress_autoreplies(session);
    if (session->facts.message && session->policy->removes_marks)
        spam_remove_forged(&session->policy->site, &session->facts, &session->run.effects);
    return run_advance(session);
}

enum session_step session_end_of_envelope(struct session *session,
                                          const struct macro_source *macros)
{
    facts_end_recipient(&session->facts);
    facts_message(&session->facts, macros);
    run_begin(session, STAGE_MESSAGE);
    session->run.count = 0;
    session->run.no_message = true;
    return run_advance(session);
}

void session_abort(struct session *session)
{
    forget_message(session);
}
