/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Playing recorded rows to the engine.
 */
#include "trial/replay.h"

#include <string.h>

#include "checks/greylist.h"
#include "checks/limit.h"
#include "checks/spam.h"
#include "policy/settle.h"
#include "recorded.h"
#include "replay_rules.h"

/* Why a row cannot be judged; the words are part of the interface. */
static const char no_header[] = "no header was kept";
static const char cut_header[] = "the header that was kept is cut";
static const char never_seen[] = "the message was never seen";
static const char not_looked_up[] = "a lookup was never made";
static const char not_greylisted[] = "greylisting was not asked";
static const char not_counted[] = "limits were not asked";
static const char not_guarded[] = "the auto-reply guard was not asked";
static const char not_scored[] = "the rules were not asked";
static const char other_rules[] = "a rule that counts now was not run";
static const char cut_rules[] = "the rules were cut off";
static const char no_header_size[] = "the size of the header was not kept";
static const char not_in_line[] = "the log line does not tell it";
static const char early_end[] = "what follows was never seen";

struct replay {
    struct snapshot *snapshot;
    struct replay_options options;
    struct engine *engine;
    struct recorded *recorded;
    struct waiting waiting;
    struct session *session; /* the one under way */
    GHashTable *rulesets;    /* name -> struct replay_rules *; NULL: not known */
    GHashTable *rules_now;   /* rules_text, the pointer -> struct replay_rules * */
    GHashTable *mail_told; /* "SESSION SENDER" of a MAIL that monitor mode let pass; see mail_key */
    /* of the row under way */
    const struct history_row *row;
    const struct history_recipient *recipient; /* being decided; NULL: none */
    enum stage stage;
    bool hides_tls; /* a first HELO or MAIL, in clear text */
    bool unseen;    /* the message never came */
    bool limited;   /* a limit was met at the end, that the message is counted by */
    bool counted;   /* a limit was met at all */
    const char *reason;
    /* what the engine decided in the step under way */
    bool decided;
    struct replay_side side;
    char *reply;
};

/* ---- what the engine tells ---- */

static void on_event(void *data, const struct event *event)
{
    struct replay *replay = data;
    if (action_is_note(event->action) || replay->decided)
        return;
    replay->decided = true;
    replay->side = (struct replay_side){.action = event->action,
                                        .check = event->check,
                                        .tagged = event->spam && event->spam->tagged};
    g_free(replay->reply);
    replay->reply = g_strdup(event->reply);
}

/* ---- what restrictions are told ---- */

static enum check_result give_up(struct replay *replay, struct check *check, const char *reason)
{
    if (!replay->reason)
        replay->reason = reason;
    return check_cannot_tell(check, "%s", reason);
}

static const struct history_asked *find_asked(const GArray *asked, const char *name,
                                              const char *argument)
{
    for (guint i = 0; asked && i < asked->len; i++) {
        const struct history_asked *one = &g_array_index(asked, struct history_asked, i);
        if (strcmp(one->name, name) == 0 && g_strcmp0(one->argument, argument) == 0)
            return one;
    }
    return NULL;
}

/* What the restriction said then, of the recipient or the message. */
static const struct history_asked *then(const struct replay *replay, const struct check *check,
                                        const char *argument)
{
    const GArray *asked = check->list == LIST_MESSAGE || !replay->recipient
                              ? replay->row->asked
                              : replay->recipient->asked;
    return find_asked(asked, check->name, argument);
}

static enum check_result repeat(struct check *check, const struct history_asked *asked)
{
    if (asked->result == CHECK_REFUSE)
        check->reply = g_strdup(asked->reply ? asked->reply : REPLY_TEMPORARY_FAILURE);
    if (asked->result == CHECK_CANNOT_TELL)
        return check_cannot_tell(check, "it could not be told");
    return asked->result == CHECK_PERMIT || asked->result == CHECK_REFUSE ? asked->result
                                                                          : CHECK_DUNNO;
}

static enum check_result say_greylist(struct replay *replay, struct check *check)
{
    const struct history_asked *asked = then(replay, check, NULL);
    if (asked)
        return repeat(check, asked);
    return greylist_spares(check->site, check->facts) ? CHECK_DUNNO
                                                      : give_up(replay, check, not_greylisted);
}

static enum check_result say_limit(struct replay *replay, struct check *check)
{
    const struct limit *limit = check->argument->limit;
    const struct history_asked *asked = then(replay, check, limit->name);
    if (!limit_is_for(check->site, limit, check->facts))
        return CHECK_DUNNO;
    replay->limited = replay->counted = true;
    return asked ? repeat(check, asked) : give_up(replay, check, not_counted);
}

static enum check_result say_guard(struct replay *replay, struct check *check)
{
    const struct history_asked *asked = then(replay, check, NULL);
    if (check->site->guard_action == GUARD_OFF || !site_is_outgoing(check->site, check->facts))
        return CHECK_DUNNO;
    return asked ? repeat(check, asked)
                 : give_up(replay, check, replay->unseen ? never_seen : not_guarded);
}

static struct replay_rules *rules_then(struct replay *replay, const char *name)
{
    void *found;
    if (!name)
        return NULL;
    if (g_hash_table_lookup_extended(replay->rulesets, name, NULL, &found))
        return found;
    g_autofree char *text =
        replay->options.ruleset ? replay->options.ruleset(replay->options.data, name) : NULL;
    struct replay_rules *rules = text ? replay_rules_new(text) : NULL;
    g_hash_table_insert(replay->rulesets, g_strdup(name), rules);
    return rules;
}

static struct replay_rules *rules_now(struct replay *replay, const struct spam_site *spam)
{
    struct replay_rules *rules = g_hash_table_lookup(replay->rules_now, spam->rules_text);
    if (rules)
        return rules;
    rules = replay_rules_new(spam->rules_text);
    g_hash_table_insert(replay->rules_now, spam->rules_text, rules);
    return rules;
}

/* 0: passes, 1: is marked, 2: refused. */
static int severity(const struct spam_profile *profile, double score)
{
    return score >= profile->reject_score ? 2 : score >= profile->tag_score ? 1 : 0;
}

/* The mildest outcome of the profiles of the recipients, as run_reject_spam has it. NULL: it cannot
 * be told, and *REASON_R says why. */
static struct spam_verdict *score_anew(struct replay *replay, struct check *check,
                                       const char **reason_r)
{
    const struct history_row *row = replay->row;
    const struct message_facts *message = check->facts->message;
    const struct spam_site *spam = check->site->spam;
    struct replay_rules *before = rules_then(replay, row->ruleset);
    struct replay_rules *now = rules_now(replay, spam);
    bool same_rules = g_strcmp0(row->ruleset, spam->rules_name) == 0;
    bool was_cut = row->least < row->most;
    struct spam_verdict *best = NULL;
    int best_severity = 3;
    for (size_t i = 0; i < MAX(message->recipient_count, 1); i++) {
        unsigned index = message->recipient_count > 0 ? message->profiles[i] : 0;
        const struct spam_profile *profile = spam->profiles->pdata[index];
        struct ruleset_result result = {row->score, row->score, row->score, NULL, 0};
        bool same = same_rules && g_strcmp0(profile->name, row->profile) == 0;
        bool known = same || (before && !was_cut);
        if (same && was_cut) {
            result.least = row->least;
            result.most = row->most;
        } else if (known && !same) {
            replay_rules_score(before, now, row, profile->name, &result.least, &result.most);
            result.score = result.least;
        }
        int found = severity(profile, result.score);
        bool untold = severity(profile, result.least) != severity(profile, result.most);
        /* what a rule that was cut off would have said, the filter did not know either */
        if (!known || (untold && !same)) {
            *reason_r = was_cut ? cut_rules : other_rules;
            spam_verdict_free(best);
            return NULL;
        }
        if (found >= best_severity)
            continue;
        spam_verdict_free(best);
        best = spam_verdict_new(profile, &result);
        best->untold = untold;
        best_severity = found;
    }
    return best;
}

/* Whether the rules were cut off then. Below warn_if_reject that is a refusal which is only noted.
 */
static bool was_untold(const struct replay *replay, const struct check *check,
                       const struct history_asked *asked)
{
    const struct history_row *row = replay->row;
    if (row->action == ACTION_TEMPFAIL && g_strcmp0(row->check, check->name) == 0)
        return true;
    return asked && (asked->result == CHECK_CANNOT_TELL ||
                     (asked->result == CHECK_REFUSE && asked->reply && *asked->reply == '4'));
}

static enum check_result say_spam(struct replay *replay, struct check *check,
                                  const struct restriction *row)
{
    const struct spam_site *spam = check->site->spam;
    if (!spam || !check->facts->message || ruleset_is_empty(spam->ruleset))
        return CHECK_DUNNO;
    const struct history_row *then_row = replay->row;
    bool was_cut = then_row->least < then_row->most;
    bool whole = then_row->header && !then_row->header_cut && !replay->unseen &&
                 !ruleset_needs_body(spam->ruleset);
    bool untold = was_cut || was_untold(replay, check, then(replay, check, NULL));
    if (whole && (untold || !then_row->scored))
        return row->run(check);
    /* a row of a version that did not keep what the score was at least and at most */
    if (untold && !was_cut)
        return give_up(replay, check, cut_rules);
    if (!then_row->scored)
        return give_up(replay, check, replay->unseen ? never_seen : not_scored);
    const char *reason = NULL;
    if (!check->effects->spam)
        check->effects->spam = score_anew(replay, check, &reason);
    if (!check->effects->spam)
        return give_up(replay, check, reason);
    /* Below warn_if_reject the message passes all the same, with the marks of what was found. */
    if (check->effects->spam->untold)
        return check->warn_only ? check_refuse(check, 451, "4.3.0", "it could not be told")
                                : check_cannot_tell(check, "it could not be told");
    return check->effects->spam->refused
               ? check_refuse(check, 550, "5.7.1", "Message refused: spam score %.1f",
                              check->effects->spam->score)
               : CHECK_DUNNO;
}

/* Whether a restriction looks at the header here. */
static bool looks_at_header(const struct check *check, const struct restriction *row)
{
    if (check->list != LIST_MESSAGE || !restriction_reads(row))
        return false;
    bool lists = (row->asks & ASKS_LISTS) && !(row->needs & NEED_MESSAGE);
    return !lists ||
           (dnsbl_set_places(check->site->dnsbl_weighted) & (DNSBL_FROM | DNSBL_REPLY_TO));
}

/* What a log line leaves out, and the restriction asks: names that were not verified, certificates.
 */
static bool asks_what_no_line_tells(const struct replay *replay, const struct restriction *row)
{
    static const char *const of_reverse[] = {"reject_unknown_reverse_client_hostname",
                                             "check_reverse_client_hostname_access",
                                             "reject_rhsbl_reverse_client"};
    static const char *const of_certificate[] = {
        "permit_tls_clientcerts", "permit_tls_all_clientcerts", "check_ccert_access"};
    bool named = strcmp(replay->row->client_name, "unknown") != 0;
    for (size_t i = 0; i < G_N_ELEMENTS(of_reverse); i++)
        if ((!named && strcmp(row->name, of_reverse[i]) == 0) ||
            (replay->row->tls_version && strcmp(row->name, of_certificate[i]) == 0))
            return true;
    return false;
}

static enum check_result say(void *data, struct check *check, const struct restriction *row)
{
    struct replay *replay = data;
    if (replay->row->from_log && asks_what_no_line_tells(replay, row))
        return give_up(replay, check, not_in_line);
    if (row->asks & ASKS_GUARD)
        return say_guard(replay, check);
    if (row->asks & ASKS_RULES)
        return say_spam(replay, check, row);
    if (row->argument == ARGUMENT_LIMIT)
        return say_limit(replay, check);
    if (row->asks & ASKS_STORE)
        return say_greylist(replay, check);
    if (!looks_at_header(check, row))
        return row->run(check);
    if (replay->unseen)
        return give_up(replay, check, never_seen);
    if (!replay->row->header || replay->row->header_cut)
        return give_up(replay, check, replay->row->header ? cut_header : no_header);
    return row->run(check);
}

/* ---- what the MTA said ---- */

static const char *get_macro(void *context, const char *name)
{
    const struct replay *replay = context;
    const struct history_row *row = replay->row;
    const struct history_recipient *recipient = replay->recipient;
    bool helo = replay->stage == STAGE_HELO, hides = replay->hides_tls;
    const struct {
        const char *name, *value;
    } rows[] = {
        {"j", row->mta_name},
        {"v", row->mta_version},
        {"i", row->queue_id},
        {"{client_addr}", row->client_addr},
        {"{client_name}", row->client_name_macro},
        {"{client_ptr}", row->client_ptr},
        {"{client_resolve}", row->client_resolve},
        {"{client_port}", row->client_port},
        {"{daemon_name}", row->daemon_name},
        {"{daemon_port}", row->daemon_port},
        {"{tls_version}", hides ? NULL : row->tls_version},
        {"{cipher}", hides ? NULL : row->cipher},
        {"{cipher_bits}", hides ? NULL : row->cipher_bits},
        {"{verify}", hides ? NULL : row->verify},
        {"{cert_subject}", hides ? NULL : row->cert_subject},
        {"{cert_issuer}", hides ? NULL : row->cert_issuer},
        {"{auth_type}", !helo   ? row->auth_type
                        : hides ? NULL
                                : row->helo_auth_type},
        {"{auth_authen}", hides && helo ? NULL : row->auth_authen},
        {"{mail_mailer}", row->mail_mailer},
        {"{mail_host}", row->mail_host},
        {"{mail_addr}", row->mail_addr},
        {"{rcpt_mailer}", recipient ? recipient->mailer : NULL},
        {"{rcpt_host}", recipient ? recipient->host : NULL},
        {"{rcpt_addr}", recipient ? recipient->resolved : NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].value;
    return NULL;
}

/* Takes a step to its end. What waits for what was never asked cannot be judged. */
static void finish(struct replay *replay, enum session_step step)
{
    if (step == SESSION_WAIT && replay->options.asks_dns) {
        session_settle(replay->session, step, &replay->waiting);
    } else if (step == SESSION_WAIT) {
        if (!replay->reason)
            replay->reason = not_looked_up;
    }
}

static void begin_step(struct replay *replay, enum stage stage,
                       const struct history_recipient *recipient)
{
    replay->stage = stage;
    replay->recipient = recipient;
    replay->decided = false;
}

static void play_helo(struct replay *replay, const struct macro_source *macros)
{
    const struct history_row *row = replay->row;
    if (!row->helo)
        return;
    begin_step(replay, STAGE_HELO, NULL);
    /* A login that came before TLS shows itself by a HELO without either. */
    if (row->login_in_clear && row->tls_version) {
        replay->hides_tls = true;
        finish(replay, session_helo(replay->session, row->helo, macros));
        replay->hides_tls = false;
    }
    finish(replay, session_helo(replay->session, row->helo, macros));
}

/* To the end of MAIL. */
static void play_beginning(struct replay *replay, const struct macro_source *macros)
{
    const struct history_row *row = replay->row;
    struct ipaddr address;
    bool has = row->has_address && row->client && ipaddr_parse(row->client, &address);
    g_autofree char *literal = g_strdup_printf("[%s]", row->client ? row->client : "");
    bool named = row->client_name && strcmp(row->client_name, "unknown") != 0;
    const struct connection connection = {.host = named ? row->client_name : literal,
                                          .address = has ? &address : NULL};
    begin_step(replay, STAGE_CONNECT, NULL);
    finish(replay, session_connect(replay->session, &connection, macros));
    play_helo(replay, macros);
    g_autofree char *size = g_strdup_printf("SIZE=%" G_GUINT64_FORMAT, row->announced_size);
    g_autofree char *path =
        row->without_smtp ? g_strdup(row->sender) : g_strdup_printf("<%s>", row->sender);
    const char *argv[4] = {path};
    unsigned count = 1;
    if (row->smtputf8)
        argv[count++] = "SMTPUTF8";
    if (row->announced_size)
        argv[count++] = size;
    begin_step(replay, STAGE_MAIL, NULL);
    /* Where no HELO came behind it, a MAIL in clear text did, whose answer is another row's. */
    if (row->sender && !replay->reason && row->login_in_clear && row->tls_version &&
        !row->helo_auth_type) {
        replay->hides_tls = true;
        session_mail(replay->session, argv, macros);
        replay->hides_tls = false;
        begin_step(replay, STAGE_MAIL, NULL);
    }
    if (row->sender && !replay->reason)
        finish(replay, session_mail(replay->session, argv, macros));
}

/* Whether the recipient is refused. */
static bool play_recipient(struct replay *replay, const struct history_recipient *recipient,
                           const struct macro_source *macros)
{
    g_autofree char *path = replay->row->without_smtp ? g_strdup(recipient->address)
                                                      : g_strdup_printf("<%s>", recipient->address);
    const char *argv[] = {path, NULL};
    begin_step(replay, STAGE_RCPT, recipient);
    finish(replay, session_rcpt(replay->session, argv, macros));
    return replay->decided;
}

static const char *line_end(const char *text)
{
    const char *end = strchr(text, '\n');
    return end ? end : text + strlen(text);
}

/* Fields of the header as it was kept: a line that begins with white space belongs to the one
 * before. */
static void play_header(struct replay *replay)
{
    const struct history_row *row = replay->row;
    if (row->nobody_to_tell && !row->header && !row->without_smtp)
        session_header(replay->session, "Received", " (from user@localhost)");
    for (const char *at = row->header; at && *at;) {
        const char *end = line_end(at);
        while (*end && (end[1] == ' ' || end[1] == '\t'))
            end = line_end(end + 1);
        g_autofree char *line = g_strndup(at, (gsize)(end - at));
        char *colon = strchr(line, ':');
        if (colon) {
            *colon = '\0';
            session_header(replay->session, line, colon + 1);
        }
        at = *end ? end + 1 : end;
    }
    if (row->header_counted)
        session_header_size(replay->session, row->header_bytes, row->header_lines);
    session_end_of_header(replay->session);
}

/* Whether the header may have been too large, though the session was told of none that is. */
static bool header_size_unknown(const struct replay *replay)
{
    const struct history_row *row = replay->row;
    const struct policy *policy = session_policy(replay->session);
    if (replay->unseen || row->stage != STAGE_MESSAGE || row->header_counted ||
        (row->header && !row->header_cut))
        return false;
    /* The size has the header in it. A limit that the site did not choose is one that mail does not
     * reach, unless this one did; and what a log line says of it is taken as it was. */
    bool was_too_large = g_strcmp0(row->check, "header_limit") == 0;
    bool small = row->size > 0 && row->size <= policy->header_limit;
    return was_too_large || (policy->limits_header && !small && !row->from_log);
}

static void play_end(struct replay *replay, const struct macro_source *macros)
{
    replay->limited = false;
    if (!replay->unseen)
        play_header(replay);
    else
        session_end_of_header(replay->session);
    begin_step(replay, STAGE_MESSAGE, NULL);
    finish(replay, session_end_of_message(replay->session, macros));
}

/* ---- judging ---- */

static bool same_side(const struct replay_side *a, const struct replay_side *b)
{
    return a->action == b->action && g_strcmp0(a->check, b->check) == 0 && a->tagged == b->tagged;
}

static bool is_refusal(enum action action)
{
    return action == ACTION_REJECT || action == ACTION_TEMPFAIL;
}

/* What the counts of limits said at the end cannot be asked again: where everything else lets the
 * message pass as it did then, their word stands. */
static bool counted_then(const struct replay *replay)
{
    const struct history_row *row = replay->row;
    return row->stage == STAGE_MESSAGE && g_strcmp0(row->check, "check_limit") == 0 &&
           replay->side.action == ACTION_ACCEPT;
}

/* Whether it is refused for want of authentication, which a certificate may have been. */
static bool may_have_certificate(const struct replay *replay)
{
    static const char check[] = "submission_listeners";
    return session_policy(replay->session)->site.relay_clientcerts && replay->row->tls_version &&
           g_strcmp0(replay->side.check, check) == 0 && g_strcmp0(replay->row->check, check) != 0;
}

static void judge(struct replay *replay, struct replay_outcome *outcome)
{
    const struct history_row *row = replay->row;
    outcome->after = replay->side;
    if (!is_refusal(replay->side.action) && header_size_unknown(replay))
        replay->reason = row->from_log ? not_in_line : no_header_size;
    if (counted_then(replay) && replay->counted)
        outcome->after = outcome->before;
    else if (replay->limited && replay->side.action == ACTION_ACCEPT && row->check &&
             is_refusal(row->action))
        replay->reason = not_counted;
    /* A refusal shows no marks. */
    outcome->after.tagged &= !is_refusal(outcome->after.action);
    outcome->reply = replay->reply;
    if (row->from_log && may_have_certificate(replay))
        replay->reason = not_in_line;
    if (replay->reason) {
        outcome->judgement = REPLAY_UNJUDGED;
        outcome->reason = replay->reason;
    } else if (!same_side(&outcome->before, &outcome->after)) {
        outcome->judgement = REPLAY_CHANGED;
    }
}

/* A recipient (or MAIL) that was refused: it is again, or the message that never came might pass.
 */
static void judge_early(struct replay *replay, const struct history_recipient *refused,
                        const struct macro_source *macros, struct replay_outcome *outcome)
{
    if (replay->decided || replay->reason) {
        judge(replay, outcome);
        return;
    }
    outcome->judgement = REPLAY_CHANGED;
    outcome->recipient = refused ? refused->address : NULL;
    outcome->after = (struct replay_side){.action = ACTION_ACCEPT};
    outcome->reply = NULL;
    outcome->unseen = true;
    if (!refused) {
        outcome->judgement = REPLAY_UNJUDGED;
        outcome->reason = early_end;
        return;
    }
    replay->unseen = true;
    play_end(replay, macros);
    bool known = replay->decided && !replay->reason && !replay->limited;
    if (known && is_refusal(replay->side.action)) {
        outcome->after = replay->side;
        outcome->reply = replay->reply;
    }
    outcome->unseen = !known;
    if (same_side(&outcome->before, &outcome->after))
        outcome->judgement = REPLAY_SAME;
}

static bool was_accepted(const struct history_recipient *recipient)
{
    return recipient->action == ACTION_ACCEPT;
}

static void run_early(struct replay *replay, const struct macro_source *macros,
                      struct replay_outcome *outcome)
{
    /* How many there were before stands in no row; nothing that a site sets has a say in it. */
    if (g_strcmp0(replay->row->check, "recipient_limit") == 0) {
        replay->side = outcome->before;
        judge(replay, outcome);
        return;
    }
    /* and a line does not tell who was the first, with whose profile it was compared */
    if (replay->row->from_log && g_strcmp0(replay->row->check, "mixed_recipients") == 0)
        replay->reason = not_in_line;
    const GArray *recipients = replay->row->recipients;
    const struct history_recipient *refused = NULL;
    if (replay->row->stage == STAGE_RCPT)
        for (guint i = 0; recipients && i < recipients->len && !replay->reason; i++) {
            const struct history_recipient *one =
                &g_array_index(recipients, struct history_recipient, i);
            if (i + 1 == recipients->len)
                refused = one;
            play_recipient(replay, one, macros);
        }
    judge_early(replay, refused, macros, outcome);
}

static void run_message(struct replay *replay, const struct macro_source *macros,
                        struct replay_outcome *outcome)
{
    const struct history_row *row = replay->row;
    const GArray *recipients = row->recipients;
    bool any = row->without_smtp, lost = false;
    unsigned played = 0, accepted = 0;
    struct replay_side first = {0};
    g_autofree char *reply = NULL;
    for (guint i = 0; recipients && i < recipients->len; i++)
        played += was_accepted(&g_array_index(recipients, struct history_recipient, i));
    any |= played == 0;
    for (guint i = 0; recipients && i < recipients->len && !replay->reason; i++) {
        const struct history_recipient *one =
            &g_array_index(recipients, struct history_recipient, i);
        /* in monitor mode the message came for those who would have been refused as well */
        if (!any && !row->monitor && !was_accepted(one))
            continue;
        bool refused = play_recipient(replay, one, macros);
        accepted += !refused;
        if (!refused || lost || replay->reason || any || !was_accepted(one))
            continue;
        if (row->from_log && row->monitor) {
            /* this line names also those whom monitor mode would have refused at RCPT */
            replay->reason = not_in_line;
            break;
        }
        lost = true;
        first = replay->side;
        reply = g_strdup(replay->reply);
        outcome->recipient = one->address;
    }
    if (replay->reason || (lost && accepted == 0)) {
        replay->side = first;
        outcome->recipient = accepted == 0 && played <= 1 ? NULL : outcome->recipient;
        judge(replay, outcome);
        return;
    }
    play_end(replay, macros);
    judge(replay, outcome);
    if (!lost || outcome->judgement == REPLAY_CHANGED)
        return;
    /* some of the recipients alone are refused now */
    outcome->judgement = REPLAY_CHANGED;
    outcome->after = first;
    g_free(replay->reply);
    replay->reply = g_steal_pointer(&reply);
    outcome->reply = replay->reply;
}

bool replay_is_told_mail(const struct history_row *row)
{
    return row->monitor && row->session && row->stage == STAGE_MAIL && is_refusal(row->action);
}

/* One session may begin several messages; the caller frees it. */
static char *mail_key(const struct history_row *row)
{
    return g_strdup_printf("%s %s", row->session, row->sender ? row->sender : "");
}

static void remember_mail(struct replay *replay, const struct history_row *row)
{
    enum { MAILS_MAX = 10000 }; /* sessions end soon: of so many the last ones matter */
    if (replay->options.mail_told || !replay_is_told_mail(row))
        return;
    if (g_hash_table_size(replay->mail_told) >= MAILS_MAX)
        g_hash_table_remove_all(replay->mail_told);
    g_hash_table_add(replay->mail_told, mail_key(row));
}

/* Whether ROW lies behind a MAIL that monitor mode would have refused and let pass: that has a row
 * of its own, which comes first, and says what becomes of it now. */
static bool behind_refused_mail(struct replay *replay, const struct history_row *row)
{
    if (!row->monitor || !row->session || row->stage <= STAGE_MAIL)
        return false;
    if (replay->options.mail_told)
        return replay->options.mail_told(replay->options.data, row);
    g_autofree char *key = mail_key(row);
    return g_hash_table_contains(replay->mail_told, key);
}

void replay_run(struct replay *replay, const struct history_row *row,
                struct replay_outcome *outcome_r)
{
    const struct macro_source macros = {get_macro, replay};
    replay->row = row;
    replay->reason = NULL;
    replay->unseen = replay->limited = replay->counted = replay->decided = false;
    replay->side = (struct replay_side){0};
    g_clear_pointer(&replay->reply, g_free);
    *outcome_r =
        (struct replay_outcome){.before = {.action = row->action,
                                           .check = row->check,
                                           .tagged = row->tagged && row->stage == STAGE_MESSAGE &&
                                                     !is_refusal(row->action)}};
    if (replay->recorded)
        recorded_set(replay->recorded, row);
    replay->session = session_new(replay->engine, &replay->waiting.waker);
    session_ask_late(replay->session);
    play_beginning(replay, &macros);
    /* by which mechanism, and over how strong a TLS */
    const struct site *site = &session_policy(replay->session)->site;
    if (row->from_log && row->login &&
        (site->auth_mechanisms->len > 0 || (site->auth_min_ssf > 0 && !row->cipher_bits)))
        replay->reason = not_in_line;
    remember_mail(replay, row);
    if (replay->decided && !replay->reason && is_refusal(replay->side.action) &&
        behind_refused_mail(replay, row))
        outcome_r->after = outcome_r->before;
    else if (replay->reason || replay->decided || row->stage == STAGE_MAIL)
        judge_early(replay, NULL, &macros, outcome_r);
    else if (row->stage == STAGE_MESSAGE)
        run_message(replay, &macros, outcome_r);
    else
        run_early(replay, &macros, outcome_r);
    session_free(g_steal_pointer(&replay->session));
    if (replay->recorded)
        recorded_set(replay->recorded, NULL);
}

/* ---- */

static void free_rules(void *data)
{
    replay_rules_free(data);
}

struct replay *replay_new(struct snapshot *snapshot, const struct replay_options *options)
{
    struct replay *replay = g_new0(struct replay, 1);
    const struct engine_listener listener = {.event = on_event, .data = replay};
    const struct check_oracle oracle = {say, replay};
    replay->snapshot = snapshot_ref(snapshot);
    replay->options = *options;
    waiting_init(&replay->waiting);
    replay->engine = engine_new(snapshot_ref(snapshot), &listener);
    engine_set_oracle(replay->engine, &oracle);
    if (!options->asks_dns) {
        replay->recorded = recorded_new();
        engine_set_resolver(replay->engine, recorded_resolver(replay->recorded));
    }
    replay->rulesets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_rules);
    replay->rules_now = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_rules);
    replay->mail_told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return replay;
}

void replay_free(struct replay *replay)
{
    if (!replay)
        return;
    engine_free(replay->engine);
    recorded_free(replay->recorded);
    waiting_clear(&replay->waiting);
    g_hash_table_unref(replay->rulesets);
    g_hash_table_unref(replay->rules_now);
    g_hash_table_unref(replay->mail_told);
    g_free(replay->reply);
    snapshot_unref(replay->snapshot);
    g_free(replay);
}
