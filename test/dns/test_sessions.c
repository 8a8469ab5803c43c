/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions of many threads that ask DNS lists, wait, are refused, or are dropped while they wait,
 * while settings with other lists and other DNS servers are put in force; made for
 * ThreadSanitizer. What each session is told must be right, and no session may be left waiting.
 */
#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include "policy/engine.h"
#include "policy/settle.h"
#include "testservers.h"

enum { THREADS = 12, SESSIONS = 60, RELOADS = 25, SERVERS = 2 };

/* Lists that have every client, that have none, and that are ill; the first one decides. */
static const char settings_format[] =
    "local_domains = example.org\n"
    "user = root\n"
    "dns_servers = %s\n"
    "dnsbl_timeout = 20s\n"
    "dnsbl_sites = delay-%u.a-127-0-0-2.text-found.list.one*3, nodata.list.two*2, "
    "list.servfail.three*5, a-127-255-255-254.list.four*5, a-127-0-0-2.all.five*5\n"
    "rhsbl_sites = delay-3.nx.list.six/sender,helo\n"
    "sender_restrictions = reject_unknown_sender_domain\n"
    "recipient_restrictions = permit_sasl_authenticated, reject_rbl_client nx.list.seven, "
    "reject_dnsbl\n";

struct shared {
    struct engine *engine;
    atomic_uint refused, served, dropped, messages;
};

struct worker {
    struct shared *shared;
    unsigned number;
};

static void on_event(void *data, const struct event *event)
{
    (void)data;
    g_assert_nonnull(action_word(event->action));
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    struct shared *shared = data;
    (void)level;
    g_assert_nonnull(text);
    atomic_fetch_add(&shared->messages, 1);
}

static struct snapshot *make_snapshot(const char *servers, unsigned delay)
{
    struct problems *problems = problems_new();
    g_autofree char *text = g_strdup_printf(settings_format, servers, delay);
    struct settings *settings = settings_parse(text, strlen(text), "conf", problems);
    g_assert_nonnull(settings);
    struct snapshot *snapshot = snapshot_build(settings, ".", problems);
    if (!snapshot)
        problems_print(problems, stderr);
    problems_free(problems);
    g_assert_nonnull(snapshot);
    return snapshot;
}

/* What the MTA says; DATA: whether the client has logged in. */
static const char *get_macro(void *data, const char *name)
{
    static const char *const login[][2] = {{"{auth_authen}", "bob"},
                                           {"{auth_type}", "PLAIN"},
                                           {"{tls_version}", "TLSv1.3"},
                                           {"{cipher_bits}", "256"}};
    const bool *logged_in = data;
    if (strcmp(name, "{client_port}") == 0)
        return "40000";
    if (strcmp(name, "{daemon_port}") == 0)
        return "25";
    if (strcmp(name, "{client_resolve}") == 0)
        return "FAIL";
    for (size_t i = 0; i < G_N_ELEMENTS(login) && *logged_in; i++)
        if (strcmp(login[i][0], name) == 0)
            return login[i][1];
    return NULL;
}

static void begin(struct session *session, struct waiting *waiting, unsigned number,
                  const struct macro_source *macros)
{
    struct ipaddr address;
    g_autofree char *text = g_strdup_printf("198.51.%u.%u", number / 250 % 200, number % 250 + 1);
    g_assert_true(ipaddr_parse(text, &address));
    g_autofree char *host = g_strdup_printf("[%s]", text);
    struct connection connection = {.host = host, .address = &address};
    session_settle(session, session_connect(session, &connection, macros), waiting);
    session_settle(session, session_helo(session, "client.example", macros), waiting);
}

/* One message for one recipient. false: the client hung up in the middle of it. */
static bool offer(struct session *session, struct waiting *waiting, bool hang_up,
                  const struct macro_source *macros)
{
    static const char *const sender[] = {"<a@mx-10.delay-2.test>", NULL};
    static const char *const recipient[] = {"<bob@example.org>", NULL};
    session_settle(session, session_mail(session, sender, macros), waiting);
    enum session_step step = session_rcpt(session, recipient, macros);
    if (hang_up && step == SESSION_WAIT)
        return false;
    session_settle(session, step, waiting);
    return true;
}

static void run_session(struct shared *shared, unsigned number)
{
    bool logged_in = number % 5 == 0, hang_up = number % 7 == 0;
    struct macro_source macros = {.get = get_macro, .context = &logged_in};
    struct waiting waiting;
    waiting_init(&waiting);
    struct session *session = session_new(shared->engine, &waiting.waker);
    begin(session, &waiting, number, &macros);
    for (unsigned i = 0; i < 2; i++) {
        if (!offer(session, &waiting, hang_up, &macros)) {
            atomic_fetch_add(&shared->dropped, 1);
            break;
        }
        const struct session_answer *answer = session_get_answer(session);
        if (logged_in) {
            g_assert_cmpint(answer->action, ==, SESSION_CONTINUE);
            atomic_fetch_add(&shared->served, 1);
        } else {
            g_assert_cmpint(answer->action, ==, SESSION_REFUSE);
            g_assert_true(g_str_has_prefix(answer->reply, "554 5.7.1 Service unavailable; "));
            g_assert_true(g_str_has_suffix(answer->reply, ".list.one; found"));
            atomic_fetch_add(&shared->refused, 1);
        }
    }
    session_free(session);
    waiting_clear(&waiting);
}

static gpointer work(gpointer data)
{
    struct worker *worker = data;
    for (unsigned i = 0; i < SESSIONS; i++)
        run_session(worker->shared, worker->number * SESSIONS + i);
    return NULL;
}

/* Other servers each time, and now and then the same ones with another list. */
static void reload_meanwhile(struct shared *shared, struct test_server *const servers[SERVERS])
{
    for (unsigned i = 0; i < RELOADS; i++) {
        const char *address = test_server_address(servers[i / 2 % SERVERS]);
        engine_publish(shared->engine, make_snapshot(address, i % 4));
        struct engine_dns_status status;
        engine_dns_status(shared->engine, &status);
        g_assert_nonnull(status.lists);
        engine_dns_status_clear(&status);
        g_usleep(30 * 1000);
    }
}

static void run_all(struct shared *shared, struct test_server *const servers[SERVERS])
{
    GThread *threads[THREADS];
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.shared = shared, .number = i};
        threads[i] = g_thread_new("sessions", work, &workers[i]);
    }
    reload_meanwhile(shared, servers);
    for (unsigned i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
}

static void test_sessions(void)
{
    struct test_server *servers[SERVERS];
    for (unsigned i = 0; i < SERVERS; i++)
        if (!(servers[i] = test_badserver_start()))
            return;
    struct shared shared = {0};
    struct engine_listener listener = {.event = on_event, .message = on_message, .data = &shared};
    shared.engine = engine_new(make_snapshot(test_server_address(servers[0]), 1), &listener);
    run_all(&shared, servers);
    struct engine_counters counters;
    engine_get_counters(shared.engine, &counters);
    g_assert_cmpuint(counters.open, ==, 0);
    g_assert_cmpuint(counters.sessions, ==, THREADS * SESSIONS);
    g_assert_cmpuint(shared.refused, >, 0);
    g_assert_cmpuint(shared.served, >, 0);
    g_test_message("refused %u, served %u, dropped %u, log lines %u", shared.refused, shared.served,
                   shared.dropped, shared.messages);
    engine_free(shared.engine);
    for (unsigned i = 0; i < SERVERS; i++)
        test_server_stop(servers[i]);
}

/* Answers that come in time use no budget up: else who sends enough in one session would be asked
 * about no more. */
static void test_long_session(void)
{
    static const char format[] = "local_domains = example.org\nuser = root\nrule_files =\n"
                                 "dns_servers = %s\ndnsbl_timeout = 1s\n"
                                 "rhsbl_sites = delay-150.list.eight*3\n";
    struct test_server *server = test_badserver_start();
    if (!server)
        return;
    bool logged_in = false;
    struct macro_source macros = {.get = get_macro, .context = &logged_in};
    struct shared shared = {0};
    struct engine_listener listener = {.event = on_event, .message = on_message, .data = &shared};
    g_autofree char *text = g_strdup_printf(format, test_server_address(server));
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(text, strlen(text), "conf", problems), ".", problems);
    g_assert_nonnull(snapshot);
    struct engine *engine = engine_new(snapshot, &listener);
    struct waiting waiting;
    waiting_init(&waiting);
    struct session *session = session_new(engine, &waiting.waker);
    begin(session, &waiting, 1, &macros);
    for (unsigned i = 0; i <= 12; i++) {
        const char *fate = i < 12 ? "nx" : "a-127-0-0-2";
        g_autofree char *path = g_strdup_printf("<a@%s.n%u.example>", fate, i);
        const char *sender[] = {path, NULL}, *recipient[] = {"<bob@example.org>", NULL};
        session_settle(session, session_mail(session, sender, &macros), &waiting);
        session_settle(session, session_rcpt(session, recipient, &macros), &waiting);
        g_assert_cmpint(session_get_answer(session)->action, ==,
                        i < 12 ? SESSION_CONTINUE : SESSION_REFUSE);
    }
    session_free(session);
    waiting_clear(&waiting);
    engine_free(engine);
    problems_free(problems);
    test_server_stop(server);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns/long-session", test_long_session);
    g_test_add_func("/dns/sessions", test_sessions);
    return g_test_run();
}
