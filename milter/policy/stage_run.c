/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running the restriction lists of a stage, which may stop to wait and go on later.
 */
#include "session_state.h"

#include "checks/dns_questions.h"

void run_clear(struct session *session)
{
    struct run *run = &session->run;
    if (!run->begun)
        return;
    if (run->evaluating)
        evaluation_clear(&run->evaluation);
    if (run->commit)
        engine_committer(session->engine)->end(run->commit, false);
    check_effects_clear(&run->effects);
    refusal_clear(&run->refusal);
    permits_clear(&run->permits);
    *run = (struct run){.evaluation = run->evaluation};
}

static void warn_once(void *data, const char *key, const char *text)
{
    engine_warn_once(data, key, "%s", text);
}

/* What a check of this session finds; what it brings about goes to EFFECTS. */
static struct check given_to_checks(struct session *session, struct check_effects *effects)
{
    if (!session->notes)
        session->notes = check_notes_new();
    return (struct check){
        .facts = &session->facts,
        .site = &session->policy->site,
        .memory = engine_bounce_memory(session->engine),
        .store = engine_store(session->engine),
        .monitor = session->policy->monitor,
        .warner = {.warn_once = warn_once, .data = session->engine},
        .dns_questions = session->dns_questions,
        .budget = &session->budget,
        .waker = session->waker,
        .so_far = &session->message_effects,
        .oracle = engine_oracle(session->engine),
        .effects = effects,
        .notes = session->notes,
    };
}

/* The lists of the stage, up to the first that refuses. false: one of them waits. */
static bool run_lists(struct session *session)
{
    struct run *run = &session->run;
    for (; run->next < run->count && !run->refusal.reply; run->next++) {
        enum restriction_list_kind kind = run->lists[run->next];
        /* As in Postfix: without HELO there is nothing to restrict. */
        if (kind == LIST_HELO && !session->facts.helo)
            continue;
        if (!run->evaluating) {
            /* As in Postfix, "defer_if_reject" ends with its list; relay and recipient
             * restrictions are one. */
            if (kind != LIST_RECIPIENT) {
                g_clear_pointer(&run->effects.defer_if_reject, g_free);
                g_clear_pointer(&run->effects.defer_if_reject_entry, g_free);
                run->effects.defer_if_reject_check = NULL;
            }
            if (!restriction_list_item(session->policy->lists[kind], 0))
                continue; /* it is empty, as most are */
            struct check given = given_to_checks(session, &run->effects);
            evaluation_init(&run->evaluation, session->policy->lists[kind], &given);
            run->evaluating = true;
        }
        enum evaluation_result result = evaluation_run(&run->evaluation);
        if (result == EVALUATION_WAIT) {
            run->waits_for = run->evaluation.waits_for;
            return false;
        }
        if (result == EVALUATION_REFUSE)
            run->refusal = (struct refusal){
                .reply = g_steal_pointer(&run->evaluation.reply),
                .check = run->evaluation.check,
                .entry = g_steal_pointer(&run->evaluation.entry),
                .why = g_steal_pointer(&run->evaluation.why),
            };
        /* each list once in a run */
        if (result == EVALUATION_PERMIT) {
            run->permits.by[kind] = run->evaluation.check;
            run->permits.entry[kind] = g_steal_pointer(&run->evaluation.entry);
        }
        if (run->stage < STAGE_RCPT) {
            g_free(session->early_permits.entry[kind]);
            session->early_permits.by[kind] = run->permits.by[kind];
            session->early_permits.entry[kind] = g_strdup(run->permits.entry[kind]);
        }
        evaluation_clear(&run->evaluation);
        run->evaluating = false;
    }
    /* A permit at the end does not undo what could not be told before it. */
    const struct check_effects *effects = &run->effects;
    if (!run->refusal.reply && effects->defer_if_permit && run->stage >= STAGE_RCPT)
        run->refusal = (struct refusal){.reply = g_strdup(effects->defer_if_permit),
                                        .check = effects->defer_if_permit_check,
                                        .entry = g_strdup(effects->defer_if_permit_entry)};
    return true;
}

/* A message that passes is counted, all or nothing, before the MTA hears that it does. false: the
 * count waits. */
static bool run_commit(struct session *session)
{
    struct run *run = &session->run;
    struct check_effects *effects = &session->message_effects;
    const struct committer *committer = engine_committer(session->engine);
    if (run->stage != STAGE_MESSAGE || run->no_message || !committer || !effects->charges ||
        outcome_message_refusal(session)->reply)
        return true;
    struct check check = given_to_checks(session, effects);
    if (!run->commit)
        run->commit = committer->begin(committer->data, effects->charges, &check);
    if (!committer->advance(run->commit, &check)) {
        run->waits_for = check.waits_for;
        return false;
    }
    enum check_result result = committer->result(run->commit, &check);
    bool passes = result == CHECK_DUNNO;
    /* what monitor mode only tells passes, too */
    committer->end(g_steal_pointer(&run->commit), passes || session->policy->monitor);
    if (passes)
        return true;
    run->refusal = (struct refusal){
        .reply = result == CHECK_REFUSE ? check.reply : g_strdup(REPLY_TEMPORARY_FAILURE),
        .check = check.name,
        .why = check.why,
    };
    return true;
}

void run_stop_waiting(struct session *session)
{
    wait_budget_end(&session->budget);
    session->waiting_from = 0;
    if (session->dns_questions)
        dns_questions_set_deadline(session->dns_questions, 0);
}

enum session_step run_advance(struct session *session)
{
    struct run *run = &session->run;
    gint64 start = session->waiting_from ? session->waiting_from : g_get_monotonic_time();
    session->resumed_at = start;
    if (!run->decided && run_lists(session)) {
        run->decided = true;
        outcome_of_lists(session);
    }
    if (!run->decided || !run_commit(session)) {
        /* It is asked again when its budget for what it waits for ends, woken or not. */
        session->waiting_from = start;
        wait_budget_begin(&session->budget, run->waits_for);
        int64_t deadline = wait_budget_deadline(&session->budget);
        if (session->dns_questions)
            dns_questions_set_deadline(session->dns_questions,
                                       run->waits_for == WAIT_DNS ? deadline : 0);
        return SESSION_WAIT;
    }
    run_stop_waiting(session);
    outcome_of_stage(session, &run->refusal);
    session->microseconds += g_get_monotonic_time() - start;
    session->resumed_at = 0;
    run_clear(session);
    return SESSION_READY;
}

enum session_step run_refuse(struct session *session, const char *reply, const char *check,
                             const char *why)
{
    session->run.refusal =
        (struct refusal){.reply = g_strdup(reply), .check = check, .why = g_strdup(why)};
    session->run.next = session->run.count;
    return run_advance(session);
}

enum session_step session_resume(struct session *session)
{
    return session->waiting_from ? run_advance(session) : SESSION_READY;
}

/* When each list is asked, in this order: with delay_checks, and without. */
static const struct {
    enum restriction_list_kind list;
    enum stage delayed, at_once;
} schedule[] = {
    {LIST_CLIENT, STAGE_RCPT, STAGE_CONNECT}, {LIST_HELO, STAGE_RCPT, STAGE_HELO},
    {LIST_SENDER, STAGE_RCPT, STAGE_MAIL},    {LIST_RELAY, STAGE_RCPT, STAGE_RCPT},
    {LIST_RECIPIENT, STAGE_RCPT, STAGE_RCPT}, {LIST_MESSAGE, STAGE_MESSAGE, STAGE_MESSAGE},
};

void run_begin(struct session *session, enum stage stage)
{
    struct run *run = &session->run;
    bool delay = session->policy->delay_checks;
    run_clear(session);
    run_stop_waiting(session);
    wait_budget_set(&session->budget, WAIT_STORE, session->policy->site.store_budget);
    run->begun = true;
    run->stage = stage;
    for (size_t i = 0; i < G_N_ELEMENTS(schedule); i++)
        if ((delay ? schedule[i].delayed : schedule[i].at_once) == stage)
            run->lists[run->count++] = schedule[i].list;
}
