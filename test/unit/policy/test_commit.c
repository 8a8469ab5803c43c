/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The place to wait between verdict and answer: charges that restrictions lay are carried out once,
 * for messages that pass, by a committer that answers later; and restrictions that wait for it.
 */
#include <string.h>

#include "checks/commit.h"
#include "checks/limit.h"
#include "policy/settle.h"

static const char *no_macro(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "{client_port}") == 0   ? "40000"
           : strcmp(name, "{daemon_port}") == 0 ? "25"
                                                : NULL;
}

static const struct macro_source macros = {.get = no_macro};

/* What the source says to a commit; or never says, so that its patience ends. */
enum script { PASS, REFUSE, CANNOT_TELL, HOLD, SILENT };

static struct source {
    enum script script;
    bool waits;    /* not before it was woken */
    bool answered; /* by now */
    unsigned begun, advanced, kept, given_back;
    GString *charged; /* "bob carol " */
    int alive;        /* charges */
    unsigned errands, errands_freed;
    bool rcpt_waits;
    uint64_t size; /* of the message, as the committer saw it */
} source;

struct fake_charge {
    struct charge charge;
    char *who;
};

static void charge_free(struct charge *charge)
{
    struct fake_charge *fake = (struct fake_charge *)(void *)charge;
    g_free(fake->who);
    g_free(fake);
    source.alive--;
}

static void errand_free(void *data)
{
    g_free(data);
    source.errands_freed++;
}

/* A restriction that asks the source at RCPT and lays a charge. */
static enum check_result run_fake(struct check *check)
{
    if (source.rcpt_waits && !check->errand->data) {
        *check->errand = (struct check_errand){.data = g_strdup("asked"), .free = errand_free};
        source.errands++;
        return check_wait(check, WAIT_STORE);
    }
    if (check->errand->data && !source.answered && !wait_budget_expired(check->budget, WAIT_STORE))
        return check_wait(check, WAIT_STORE);
    g_assert_cmpstr(check->name, ==, "check_fake");
    struct fake_charge *fake = g_new0(struct fake_charge, 1);
    fake->charge.free = charge_free;
    fake->who = g_strdup(check->facts->recipient.local);
    source.alive++;
    check_effects_charge(check->effects, &fake->charge);
    return CHECK_DUNNO;
}

static const struct restriction fake_row = {.name = "check_fake", .run = run_fake};

static void *begin(void *data, const GPtrArray *charges, struct check *check)
{
    struct source *into = data;
    into->begun++;
    g_string_truncate(into->charged, 0);
    for (guint i = 0; i < charges->len; i++)
        g_string_append_printf(into->charged, "%s ",
                               ((const struct fake_charge *)charges->pdata[i])->who);
    into->size = check->facts->message ? check->facts->message->size : 0;
    return into;
}

static bool advance(void *commit, struct check *check)
{
    struct source *from = commit;
    from->advanced++;
    bool open = from->script == SILENT || (from->waits && !from->answered);
    if (!open || wait_budget_expired(check->budget, WAIT_STORE))
        return true;
    check_wait(check, WAIT_STORE);
    return false;
}

static enum check_result result(void *commit, struct check *check)
{
    const struct source *from = commit;
    check->name = "check_fake";
    if (from->script == REFUSE)
        return check_refuse(check, 450, "4.7.0", "%s", "no more today");
    if (from->script == CANNOT_TELL)
        return check_cannot_tell(check, "the source is ill");
    if (from->script == HOLD) {
        check->effects->hold = g_strdup("kept until tomorrow");
        check->effects->hold_check = check->name;
    }
    return CHECK_DUNNO;
}

static void end(void *commit, bool keep)
{
    struct source *from = commit;
    from->kept += keep;
    from->given_back += !keep;
}

static struct {
    enum action action;
    const char *check;
    unsigned events, infos;
} last;

static void on_event(void *data, const struct event *event)
{
    (void)data;
    last.action = event->action;
    last.check = event->check;
    last.events++;
    last.infos += event->action == ACTION_INFO;
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    (void)data, (void)level, (void)text;
}

/* An engine whose recipient list ends with the restriction of the test. */
static struct engine *engine_with(const char *more)
{
    struct problems *problems = problems_new();
    g_autofree char *text = g_strconcat("local_domains = lab.test\nrule_files =\n", more, NULL);
    struct snapshot *snapshot =
        snapshot_build(settings_parse(text, strlen(text), "c", problems), NULL, problems);
    if (!snapshot)
        problems_print(problems, stderr);
    g_assert_nonnull(snapshot);
    problems_free(problems);
    struct restriction_item item = {.row = &fake_row};
    g_array_append_val(snapshot_main_policy(snapshot)->lists[LIST_RECIPIENT]->items, item);
    struct engine_listener listener = {.event = on_event, .message = on_message};
    struct engine *engine = engine_new(snapshot, &listener);
    const struct committer committer = {
        .begin = begin, .advance = advance, .result = result, .end = end, .data = &source};
    engine_set_committer(engine, &committer);
    return engine;
}

static void to_mail(struct session *session)
{
    struct ipaddr address;
    g_assert_true(ipaddr_parse("203.0.113.9", &address));
    const struct connection connection = {.host = "[x]", .address = &address};
    const char *mail[] = {"<a@far.test>", NULL};
    g_assert_cmpint(session_connect(session, &connection, &macros), ==, SESSION_READY);
    g_assert_cmpint(session_helo(session, "x.test", &macros), ==, SESSION_READY);
    g_assert_cmpint(session_mail(session, mail, &macros), ==, SESSION_READY);
}

static enum session_step rcpt(struct session *session, const char *address)
{
    const char *argv[] = {address, NULL};
    return session_rcpt(session, argv, &macros);
}

static enum session_step message(struct session *session)
{
    session_header(session, "Subject", " hello");
    if (session_end_of_header(session))
        session_body(session, "hi\r\n", 4);
    return session_end_of_message(session, &macros);
}

static void source_reset(void)
{
    if (source.charged)
        g_string_free(source.charged, TRUE);
    source = (struct source){.charged = g_string_new(NULL)};
    memset(&last, 0, sizeof(last));
}

static const struct row {
    const char *label, *settings;
    const char *recipients[4];
    enum script script;
    bool waits;
    const char *charged; /* NULL: nothing was begun */
    enum session_action answer;
    enum action event;
    const char *check, *reply;
    bool kept;
} rows[] = {
    {"at-once",
     "",
     {"<bob@lab.test>"},
     PASS,
     false,
     "bob ",
     SESSION_CONTINUE,
     ACTION_ACCEPT,
     NULL,
     NULL,
     true},
    {"later",
     "",
     {"<bob@lab.test>", "<carol@lab.test>"},
     PASS,
     true,
     "bob carol ",
     SESSION_CONTINUE,
     ACTION_ACCEPT,
     NULL,
     NULL,
     true},
    {"never",
     "",
     {"<bob@lab.test>"},
     SILENT,
     false,
     "bob ",
     SESSION_CONTINUE,
     ACTION_ACCEPT,
     NULL,
     NULL,
     true},
    {"refused",
     "",
     {"<bob@lab.test>"},
     REFUSE,
     true,
     "bob ",
     SESSION_REFUSE,
     ACTION_TEMPFAIL,
     "check_fake",
     "450 4.7.0 no more today",
     false},
    {"cannot-tell",
     "",
     {"<bob@lab.test>"},
     CANNOT_TELL,
     false,
     "bob ",
     SESSION_REFUSE,
     ACTION_TEMPFAIL,
     "check_fake",
     "451 4.3.0 Temporary failure; try again later",
     false},
    {"held",
     "",
     {"<bob@lab.test>"},
     HOLD,
     true,
     "bob ",
     SESSION_HOLD,
     ACTION_HOLD,
     "check_fake",
     NULL,
     true},
    {"one-refused",
     "client_restrictions = check_recipient_access inline:{carol@lab.test=REJECT}\n",
     {"<bob@lab.test>", "<carol@lab.test>", "<x@far.test>", "<dan@lab.test>"},
     PASS,
     true,
     "bob dan ",
     SESSION_CONTINUE,
     ACTION_ACCEPT,
     NULL,
     NULL,
     true},
    {"message-refused",
     "message_restrictions = check_header_access Subject inline:{hello=REJECT}\n",
     {"<bob@lab.test>"},
     PASS,
     false,
     NULL,
     SESSION_REFUSE,
     ACTION_REJECT,
     "check_header_access",
     "554 5.7.1 <Subject>: Header field rejected: Access denied",
     false},
    {"monitor",
     "mode = monitor\n",
     {"<bob@lab.test>"},
     REFUSE,
     true,
     "bob ",
     SESSION_CONTINUE,
     ACTION_TEMPFAIL,
     "check_fake",
     "450 4.7.0 no more today",
     true},
    {"header-too-large",
     "header_limit = 4\n",
     {"<bob@lab.test>"},
     PASS,
     false,
     NULL,
     SESSION_REFUSE,
     ACTION_REJECT,
     "header_limit",
     "552 5.3.4 Message header too large",
     false},
};

static void test_row(const void *data)
{
    const struct row *row = data;
    source_reset();
    source.script = row->script;
    source.waits = row->waits;
    struct engine *engine = engine_with(row->settings);
    struct waiting waiting;
    waiting_init(&waiting);
    struct session *session = session_new(engine, &waiting.waker);
    /* Twice: nothing of the first message is counted for the second one. */
    for (unsigned turn = 1; turn <= 2; turn++) {
        source.answered = false;
        if (turn == 1)
            to_mail(session);
        else
            session_mail(session, (const char *[]){"<a@far.test>", NULL}, &macros);
        for (size_t i = 0; i < G_N_ELEMENTS(row->recipients) && row->recipients[i]; i++)
            g_assert_cmpint(rcpt(session, row->recipients[i]), ==, SESSION_READY);
        gint64 start = g_get_monotonic_time();
        enum session_step step = message(session);
        if (row->waits) {
            g_assert_cmpint(step, ==, SESSION_WAIT);
            g_assert_cmpint(session_deadline(session), >, start);
            unsigned events = last.events;
            g_assert_cmpint(session_resume(session), ==, SESSION_WAIT);
            g_assert_cmpuint(last.events, ==, events);
            source.answered = true;
            waiting.waker.wake(waiting.waker.data);
        }
        session_settle(session, step, &waiting);
        gint64 took = g_get_monotonic_time() - start;
        if (row->script == SILENT)
            g_assert_cmpint(took, >=, 150 * G_TIME_SPAN_MILLISECOND);
        const struct session_answer *answer = session_get_answer(session);
        g_assert_cmpint(answer->action, ==, row->answer);
        g_assert_cmpstr(answer->reply, ==, row->reply);
        g_assert_cmpstr(answer->check, ==, row->check);
        g_assert_cmpint(last.action, ==, row->event);
        g_assert_cmpuint(source.begun, ==, row->charged ? turn : 0);
        g_assert_cmpstr(source.charged->str, ==, row->charged ? row->charged : "");
        g_assert_cmpuint(source.kept, ==, row->kept ? turn : 0);
        g_assert_cmpuint(source.given_back, ==, row->charged && !row->kept ? turn : 0);
        /* The MTA says so behind every message: nothing comes back for it. */
        if (turn == 1)
            session_abort(session);
    }
    session_free(session);
    g_assert_cmpuint(source.kept + source.given_back, ==, source.begun);
    g_assert_cmpint(source.alive, ==, 0);
    waiting_clear(&waiting);
    engine_free(engine);
}

/* A client that goes while its message is being counted has sent none. */
static void test_gone_while_counting(void)
{
    struct waiting waiting;
    waiting_init(&waiting);
    for (int how = 0; how < 3; how++) {
        source_reset();
        source.waits = true;
        struct engine *engine = engine_with("");
        struct session *session = session_new(engine, &waiting.waker);
        to_mail(session);
        rcpt(session, "<bob@lab.test>");
        g_assert_cmpint(message(session), ==, SESSION_WAIT);
        if (how == 0)
            session_abort(session);
        else if (how == 1)
            session_helo(session, "y.test", &macros);
        if (how != 2)
            g_assert_cmpuint(source.given_back, ==, 1);
        g_assert_cmpint(how == 2 ? SESSION_READY : session_resume(session), ==, SESSION_READY);
        session_free(session);
        g_assert_cmpuint(source.given_back, ==, 1);
        g_assert_cmpuint(source.kept, ==, 0);
        g_assert_cmpint(source.alive, ==, 0);
        g_assert_cmpuint(last.events, ==, 0);
        engine_free(engine);
    }
    waiting_clear(&waiting);
}

/* A restriction may wait for the store, too, and keeps what it asked. */
static void test_waits_at_rcpt(void)
{
    struct waiting waiting;
    waiting_init(&waiting);
    source_reset();
    source.rcpt_waits = true;
    struct engine *engine = engine_with("");
    struct session *session = session_new(engine, &waiting.waker);
    to_mail(session);
    g_assert_cmpint(rcpt(session, "<bob@lab.test>"), ==, SESSION_WAIT);
    g_assert_cmpint(session_deadline(session), <=, g_get_monotonic_time() + G_TIME_SPAN_SECOND);
    g_assert_cmpint(session_resume(session), ==, SESSION_WAIT);
    source.answered = true;
    g_assert_cmpint(session_resume(session), ==, SESSION_READY);
    g_assert_cmpuint(source.errands, ==, 1);
    g_assert_cmpuint(source.errands_freed, ==, 1);
    /* The next one waits anew, as long as the first might have: until nobody answers any more. */
    source.answered = false;
    g_assert_cmpint(rcpt(session, "<carol@lab.test>"), ==, SESSION_WAIT);
    session_settle(session, SESSION_WAIT, &waiting);
    g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_CONTINUE);
    /* Dropped in the middle. */
    g_assert_cmpint(rcpt(session, "<dan@lab.test>"), ==, SESSION_WAIT);
    session_free(session);
    g_assert_cmpuint(source.errands, ==, 3);
    g_assert_cmpuint(source.errands_freed, ==, 3);
    g_assert_cmpint(source.alive, ==, 0);
    engine_free(engine);
    waiting_clear(&waiting);
}

/* How much is used of NAME, a limit of an hour, by the client. */
static uint64_t used_of(struct store *store, const char *name)
{
    g_autofree char *key = g_strdup_printf("l:%s|3600|203.0.113.9", name);
    const struct store_request look = {
        .action = STORE_LOOK, .key = key, .window = {.length = 3600000}, .n = 1, .max = UINT64_MAX};
    struct store_answer answer;
    store_ask_now(store, &look, &answer);
    return answer.used;
}

/* Limits themselves: "trial" and "tight", by client, of which the second admits one message. What
 * is refused for one of them counts for neither, though the other is only on trial, and that half
 * of it was used is told only where it stays so. */
static void test_given_back(void)
{
    static const char limits[] =
        "[limit trial]\nkey = client\ncount = messages\nmax = 4\nper = 1h\nfor = all\n"
        "[limit tight]\nkey = client\ncount = messages\nmax = 1\nper = 1h\nfor = all\n";
    static const struct {
        const char *settings;
        enum session_action second;
        uint64_t trial, tight;
        unsigned infos;
    } given[] = {
        {"message_restrictions = warn_if_reject check_limit trial, check_limit tight\n",
         SESSION_REFUSE, 1, 1, 0},
        {"message_restrictions = check_limit trial, check_limit tight\n", SESSION_REFUSE, 1, 1, 0},
        {"message_restrictions = check_limit trial, warn_if_reject check_limit tight\n",
         SESSION_CONTINUE, 2, 2, 1},
        /* all of it passes */
        {"mode = monitor\nmessage_restrictions = check_limit trial, check_limit tight\n",
         SESSION_CONTINUE, 2, 2, 1},
    };
    static const unsigned char secret[LIMIT_SECRET_SIZE];
    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        source_reset();
        g_autofree char *settings =
            g_strconcat("limit_warn = 50%\n", given[i].settings, limits, NULL);
        struct engine *engine = engine_with(settings);
        struct store *store = store_memory(NULL);
        engine_set_store(engine, store, secret);
        struct waiting waiting;
        waiting_init(&waiting);
        struct session *session = session_new(engine, &waiting.waker);
        to_mail(session);
        rcpt(session, "<bob@lab.test>");
        session_settle(session, message(session), &waiting);
        g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_CONTINUE);
        last.infos = 0;
        session_mail(session, (const char *[]){"<a@far.test>", NULL}, &macros);
        rcpt(session, "<bob@lab.test>");
        session_settle(session, message(session), &waiting);
        g_test_message("%s", given[i].settings);
        g_assert_cmpuint(last.infos, ==, given[i].infos);
        g_assert_cmpint(session_get_answer(session)->action, ==, given[i].second);
        g_assert_cmpuint(used_of(store, "trial"), ==, given[i].trial);
        g_assert_cmpuint(used_of(store, "tight"), ==, given[i].tight);
        session_free(session);
        waiting_clear(&waiting);
        engine_free(engine);
        store_close(store);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/commit/", rows[i].label, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/commit/gone-while-counting", test_gone_while_counting);
    g_test_add_func("/commit/waits-at-rcpt", test_waits_at_rcpt);
    g_test_add_func("/commit/given-back", test_given_back);
    return g_test_run();
}
