/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running the restriction lists of a stage, which may stop to wait and go on later.
 */
#include "session_state.h"

#include "checks/dns_questions.h"

void run_clear(struct run *run)
{
    if (run->evaluating)
        evaluation_clear(&run->evaluation);
    check_effects_clear(&run->effects);
    *run = (struct run){0};
}

enum session_step run_finish(struct session *session, struct refusal *refusal)
{
    outcome_of_stage(session, refusal);
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
    const struct check given = {
        .facts = &session->facts,
        .site = &session->policy->site,
        .memory = engine_bounce_memory(session->engine),
        .warner = {.warn_once = warn_once, .data = session->engine},
        .dns_questions = session->dns_questions,
        .budget = &session->budget,
        .effects = &run->effects,
        .notes = session->notes,
    };
    evaluation_init(&run->evaluation, session->policy->lists[kind], &given);
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
    return run_finish(session, &refusal);
}

/* The session is asked again when its budget for SOURCE ends, woken or not. */
static void wait_for(struct session *session, enum wait_source source)
{
    wait_budget_begin(&session->budget, source);
    int64_t deadline = wait_budget_deadline(&session->budget);
    if (session->dns_questions)
        dns_questions_set_deadline(session->dns_questions, source == WAIT_DNS ? deadline : 0);
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
    gint64 start = session->waiting_from ? session->waiting_from : g_get_monotonic_time();
    session->resumed_at = start;
    enum session_step step = run_lists(session);
    if (step == SESSION_READY) {
        run_stop_waiting(session);
        return step;
    }
    session->waiting_from = start;
    wait_for(session, session->run.evaluation.waits_for);
    return step;
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
    run_clear(run);
    run_stop_waiting(session);
    run->stage = stage;
    check_effects_init(&run->effects);
    for (size_t i = 0; i < G_N_ELEMENTS(schedule); i++)
        if ((delay ? schedule[i].delayed : schedule[i].at_once) == stage)
            run->lists[run->count++] = schedule[i].list;
}
