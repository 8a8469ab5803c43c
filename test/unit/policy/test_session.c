/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The session engine from outside: it never blocks, keeps the policy it began with, and can be
 * dropped at any moment. What it decides is in test/session.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/settle.h"

static const char *no_macro(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "{client_port}") == 0   ? "40000"
           : strcmp(name, "{daemon_port}") == 0 ? "25"
                                                : NULL;
}

static const struct macro_source macros = {.get = no_macro};

struct log_count {
    gint events, messages;
};

static void on_event(void *data, const struct event *event)
{
    (void)event;
    g_atomic_int_inc(&((struct log_count *)data)->events);
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    (void)level, (void)text;
    g_atomic_int_inc(&((struct log_count *)data)->messages);
}

static struct snapshot *policy(const char *text)
{
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(text, strlen(text), "c", problems), NULL, problems);
    if (!snapshot)
        problems_print(problems, stderr);
    g_assert_nonnull(snapshot);
    problems_free(problems);
    return snapshot;
}

static struct engine *engine_with(const char *text, struct log_count *log)
{
    struct engine_listener listener = {.event = on_event, .message = on_message, .data = log};
    return engine_new(policy(text), &listener);
}

static enum session_step to_rcpt(struct session *session, const char *client, const char *rcpt)
{
    struct ipaddr address;
    g_assert_true(ipaddr_parse(client, &address));
    struct connection connection = {.host = "[x]", .address = &address};
    const char *mail[] = {"<a@far.test>", NULL};
    const char *to[] = {rcpt, NULL};
    g_assert_cmpint(session_connect(session, &connection, &macros), ==, SESSION_READY);
    g_assert_cmpint(session_helo(session, "x.test", &macros), ==, SESSION_READY);
    g_assert_cmpint(session_mail(session, mail, &macros), ==, SESSION_READY);
    return session_rcpt(session, to, &macros);
}

/* A DNS server that never says a word. */
static int silent_server(unsigned *port_r)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
    *port_r = ntohs(address.sin_port);
    return fd;
}

static char *silent_list(unsigned port)
{
    return g_strdup_printf("local_domains = lab.test\nrule_files =\ndns_servers = 127.0.0.1:%u\n"
                           "dnsbl_sites = bl.example*3\ndnsbl_timeout = 1s\n",
                           port);
}

static void test_waits_without_blocking(void)
{
    unsigned port;
    struct log_count log = {0};
    int fd = silent_server(&port);
    g_autofree char *text = silent_list(port);
    struct engine *engine = engine_with(text, &log);
    struct waiting waiting;
    waiting_init(&waiting);
    struct session *session = session_new(engine, &waiting.waker);
    gint64 start = g_get_monotonic_time();
    g_assert_cmpint(to_rcpt(session, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_WAIT);
    gint64 end = g_get_monotonic_time();
    g_assert_cmpint(session_deadline(session), >, start);
    g_assert_cmpint(session_deadline(session), <=, end + G_TIME_SPAN_SECOND);
    g_assert_cmpint(session_deadline(session), >, end); /* the time to wait lies ahead */
    /* Asked again before anything has happened, it waits on. */
    g_assert_cmpint(session_resume(session), ==, SESSION_WAIT);
    session_settle(session, SESSION_WAIT, &waiting);
    g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_CONTINUE);
    /* The budget of the connection is used up: the next recipient does not wait at all. */
    const char *to[] = {"<carol@lab.test>", NULL};
    g_assert_cmpint(session_rcpt(session, to, &macros), ==, SESSION_READY);
    session_free(session);
    waiting_clear(&waiting);
    engine_free(engine);
    close(fd);
}

static void test_dropped_while_waiting(void)
{
    unsigned port;
    struct log_count log = {0};
    int fd = silent_server(&port);
    g_autofree char *text = silent_list(port);
    struct engine *engine = engine_with(text, &log);
    struct waiting waiting;
    waiting_init(&waiting);
    for (int i = 0; i < 50; i++) {
        struct session *session = session_new(engine, &waiting.waker);
        g_assert_cmpint(to_rcpt(session, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_WAIT);
        if (i % 2)
            session_abort(session);
        session_free(session);
    }
    struct engine_counters counters;
    engine_get_counters(engine, &counters);
    g_assert_cmpuint(counters.open, ==, 0);
    waiting_clear(&waiting);
    engine_free(engine);
    close(fd);
}

/* A wake that comes when nothing waits changes nothing, at any stage. */
static void test_woken_while_ready(void)
{
    struct log_count log = {0};
    struct engine *engine =
        engine_with("local_domains = lab.test\nrule_files =\ndelay_checks = no\n"
                    "client_restrictions = check_client_access inline:{203.0.113.9=REJECT}\n"
                    "helo_restrictions = check_helo_access inline:{x.test=REJECT}\n",
                    &log);
    static const char *const clients[] = {"203.0.113.9", "203.0.113.10"};
    for (size_t i = 0; i < G_N_ELEMENTS(clients); i++) {
        struct session *session = session_new(engine, NULL);
        struct ipaddr address;
        g_assert_cmpint(session_resume(session), ==, SESSION_READY);
        g_assert_true(ipaddr_parse(clients[i], &address));
        const struct connection connection = {.host = "[x]", .address = &address};
        const char *mail[] = {"<a@far.test>", NULL}, *to[] = {"<bob@lab.test>", NULL};
        session_connect(session, &connection, &macros);
        g_assert_cmpint(session_resume(session), ==, SESSION_READY);
        session_helo(session, "x.test", &macros);
        g_assert_cmpint(session_resume(session), ==, SESSION_READY);
        session_mail(session, mail, &macros);
        g_autofree char *reply = g_strdup(session_get_answer(session)->reply);
        g_assert_nonnull(reply);
        gint events = g_atomic_int_get(&log.events);
        g_assert_cmpint(session_resume(session), ==, SESSION_READY);
        g_assert_cmpstr(session_get_answer(session)->reply, ==, reply);
        session_rcpt(session, to, &macros);
        g_assert_cmpint(session_resume(session), ==, SESSION_READY);
        session_end_of_message(session, &macros);
        session_resume(session);
        g_assert_cmpuint(session_recipients(session)->len, ==, 1);
        g_assert_cmpint(g_atomic_int_get(&log.events), ==, events + 1); /* the end's own */
        session_free(session);
    }
    engine_free(engine);
}

/* Everybody who listens hears everything that it has a function for. */
struct heard {
    GString *words;
    guint recipients, refused;
};

static void hear(void *data, const struct event *event)
{
    struct heard *heard = data;
    g_string_append_printf(heard->words, "%s:%s ", stage_name(event->stage),
                           action_word(event->action));
    heard->recipients = event->recipients->len;
    heard->refused = 0;
    for (guint i = 0; i < event->recipients->len; i++)
        heard->refused += ((const struct session_recipient *)event->recipients->pdata[i])->action ==
                          SESSION_REFUSE;
}

static void test_listeners(void)
{
    struct log_count log = {0};
    struct engine *engine = engine_with("local_domains = lab.test\nrule_files =\n", &log);
    struct heard heard[2] = {{.words = g_string_new(NULL)}, {.words = g_string_new(NULL)}};
    for (size_t i = 0; i < G_N_ELEMENTS(heard); i++)
        engine_add_listener(engine, &(struct engine_listener){.event = hear, .data = &heard[i]});
    struct session *session = session_new(engine, NULL);
    const char *far[] = {"<x@far.test>", NULL};
    to_rcpt(session, "203.0.113.9", "<bob@lab.test>");
    session_rcpt(session, far, &macros);
    g_assert_cmpuint(heard[0].refused, ==, 1);
    session_end_of_message(session, &macros);
    engine_message(engine, ENGINE_INFO, "something");
    for (size_t i = 0; i < G_N_ELEMENTS(heard); i++) {
        g_assert_cmpstr(heard[i].words->str, ==, "rcpt:reject message:accept ");
        g_assert_cmpuint(heard[i].recipients, ==, 2);
        g_assert_cmpuint(heard[i].refused, ==, 1);
        g_string_free(heard[i].words, TRUE);
    }
    g_assert_cmpint(log.events, ==, 2);
    g_assert_cmpint(log.messages, ==, 1);
    session_free(session);
    engine_free(engine);
}

static void test_keeps_its_policy(void)
{
    struct log_count log = {0};
    struct engine *engine =
        engine_with("local_domains = lab.test\nrule_files =\nclient_restrictions = reject\n", &log);
    struct session *old = session_new(engine, NULL);
    engine_publish(engine, policy("local_domains = lab.test\nrule_files =\n"));
    struct session *fresh = session_new(engine, NULL);
    g_assert_cmpint(to_rcpt(old, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_READY);
    g_assert_cmpint(session_get_answer(old)->action, ==, SESSION_REFUSE);
    g_assert_cmpint(to_rcpt(fresh, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_READY);
    g_assert_cmpint(session_get_answer(fresh)->action, ==, SESSION_CONTINUE);
    session_free(old);
    session_free(fresh);
    engine_free(engine);
}

static void test_many_recipients(void)
{
    struct log_count log = {0};
    struct engine *engine = engine_with("local_domains = lab.test\nrule_files =\n", &log);
    struct session *session = session_new(engine, NULL);
    g_assert_cmpint(to_rcpt(session, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_READY);
    const char *to[] = {"<bob@lab.test>", NULL};
    for (unsigned i = 1; i < SESSION_RECIPIENTS_MAX; i++)
        session_rcpt(session, to, &macros);
    g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_CONTINUE);
    session_rcpt(session, to, &macros);
    g_assert_cmpstr(session_get_answer(session)->reply, ==, "452 4.5.3 Too many recipients");
    /* Sendmail lets a client try for ever: that costs no memory. */
    for (unsigned i = 0; i < 100; i++)
        session_rcpt(session, to, &macros);
    g_assert_cmpuint(session_recipients(session)->len, ==, SESSION_RECIPIENTS_MAX);
    session_free(session);
    engine_free(engine);
}

/* Of several addresses of one From: each has the restrictions that the table gives for it, and no
 * permit of one is one of another. What comes more than once is evaluated once. */
static void test_restrictions_for_each_address(void)
{
    static const char settings[] =
        "local_domains = lab.test\nrule_files =\nrestriction_classes = trusted strict nested asks\n"
        "trusted = permit\nstrict = reject\nnested = trusted\n"
        "asks = check_from_access inline:{c@x.test=trusted, d@x.test=strict}, reject_spam\n"
        "message_restrictions = check_from_access inline:{a@x.test=trusted, b@x.test=strict, "
        "n@x.test=nested, q@x.test=asks, z.test=strict}, "
        "check_header_access Subject inline:{bad=REJECT}\n";
    static const struct {
        const char *from, *subject, *reply;
    } rows[] = {
        {"a@x.test", "bad", NULL},
        {"a@x.test, o@x.test", "bad", NULL},
        {"a@x.test, b@x.test", "good",
         "554 5.7.1 <b@x.test>: From address rejected: Access denied"},
        {"b@x.test, a@x.test", "good",
         "554 5.7.1 <b@x.test>: From address rejected: Access denied"},
        {"n@x.test, a@x.test, y@z.test", "good",
         "554 5.7.1 <y@z.test>: From address rejected: Access denied"},
        {"q@x.test, c@x.test", "good", NULL},
        {"q@x.test, c@x.test, d@x.test", "good",
         "554 5.7.1 <d@x.test>: From address rejected: Access denied"},
        {"c@x.test, d@x.test, q@x.test, n@x.test", "good",
         "554 5.7.1 <d@x.test>: From address rejected: Access denied"},
        {"q@x.test, c@x.test, b@x.test", "good",
         "554 5.7.1 <b@x.test>: From address rejected: Access denied"},
        /* each is let through, and so the list goes on */
        {"n@x.test, a@x.test", "good", NULL},
        {"n@x.test, a@x.test", "bad", "554 5.7.1 <Subject>: Header field rejected: Access denied"},
    };
    struct log_count log = {0};
    struct engine *engine = engine_with(settings, &log);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct session *session = session_new(engine, NULL);
        g_assert_cmpint(to_rcpt(session, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_READY);
        session_header(session, "From", rows[i].from);
        session_header(session, "Subject", rows[i].subject);
        session_end_of_header(session);
        g_test_message("%s, %s", rows[i].from, rows[i].subject);
        g_assert_cmpint(session_end_of_message(session, &macros), ==, SESSION_READY);
        const struct session_answer *answer = session_get_answer(session);
        g_assert_cmpstr(answer->action == SESSION_REFUSE ? answer->reply : NULL, ==, rows[i].reply);
        session_free(session);
    }
    engine_free(engine);
}

/* As many addresses as a header holds, all of one class, cost one evaluation of it. */
static void test_class_of_many_addresses(void)
{
    struct log_count log = {0};
    struct engine *engine =
        engine_with("local_domains = lab.test\nrule_files =\nrestriction_classes = strict\n"
                    "strict = check_header_access Subject inline:{hello=WARN}\n"
                    "message_restrictions = check_from_access inline:{x.test=strict}\n",
                    &log);
    struct session *session = session_new(engine, NULL);
    g_assert_cmpint(to_rcpt(session, "203.0.113.9", "<bob@lab.test>"), ==, SESSION_READY);
    g_autoptr(GString) from = g_string_new("a@x.test");
    for (unsigned i = 0; i < 1000; i++)
        g_string_append_printf(from, ", b%u@x.test", i);
    session_header(session, "From", from->str);
    session_header(session, "Subject", "hello");
    session_end_of_header(session);
    session_end_of_message(session, &macros);
    g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_CONTINUE);
    g_assert_cmpint(log.events, ==, 2); /* one WARN, and the message */
    session_free(session);
    engine_free(engine);
}

static const char *postfix_macro(void *context, const char *name)
{
    static const char *const pairs[][2] = {
        {"v", "Postfix 3.7.11"}, {"{client_addr}", "unknown"}, {"{client_name}", "unknown"},
        {"{client_port}", "0"},  {"{client_resolve}", "FAIL"}, {"{daemon_port}", "25"}};
    (void)context;
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (strcmp(pairs[i][0], name) == 0)
            return pairs[i][1];
    return NULL;
}

/* Postfix says "unknown" of a client that a proxy does not tell, or that is gone: that is nobody
 * from here. */
static void test_unknown_address(void)
{
    static const struct macro_source postfix = {.get = postfix_macro};
    struct log_count log = {0};
    struct engine *engine = engine_with("local_domains = lab.test\nrule_files =\n", &log);
    struct session *session = session_new(engine, NULL);
    const struct connection connection = {.host = "unknown"};
    const char *mail[] = {"<a@far.test>", NULL}, *far[] = {"<x@far.test>", NULL},
               *here[] = {"<bob@lab.test>", NULL};
    session_connect(session, &connection, &postfix);
    session_mail(session, mail, &postfix);
    session_rcpt(session, far, &postfix);
    g_assert_cmpstr(session_get_answer(session)->reply, ==,
                    "550 5.7.1 <x@far.test>: Relaying denied; authenticate first");
    session_rcpt(session, here, &postfix);
    g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_CONTINUE);
    session_free(session);
    engine_free(engine);
}

static void test_odd_orders(void)
{
    struct log_count log = {0};
    struct engine *engine = engine_with("local_domains = lab.test\nrule_files =\n", &log);
    struct session *session = session_new(engine, NULL);
    const char *to[] = {"<x@far.test>", NULL};
    const char *nothing[] = {NULL};
    session_rcpt(session, to, &macros);
    g_assert_cmpint(session_get_answer(session)->action, ==, SESSION_REFUSE);
    session_header(session, "A", "b");
    session_end_of_header(session);
    session_body(session, "x", 1);
    session_end_of_message(session, &macros);
    session_mail(session, nothing, &macros);
    session_rcpt(session, nothing, &macros);
    session_abort(session);
    session_abort(session);
    session_end_of_message(session, &macros);
    session_helo(session, "", &macros);
    session_free(session);
    engine_free(engine);
}

/* Sessions while the policy is replaced: for ThreadSanitizer above all. */

static gint stop_sessions;

static void *play_sessions(void *data)
{
    struct engine *engine = data;
    struct waiting waiting;
    waiting_init(&waiting);
    while (!g_atomic_int_get(&stop_sessions)) {
        struct session *session = session_new(engine, &waiting.waker);
        session_settle(session, to_rcpt(session, "203.0.113.9", "<bob@lab.test>"), &waiting);
        session_header(session, "Subject", " hello");
        session_end_of_header(session);
        session_settle(session, session_end_of_message(session, &macros), &waiting);
        session_free(session);
    }
    waiting_clear(&waiting);
    return NULL;
}

static void test_concurrent(void)
{
    static const char *const texts[] = {
        "local_domains = lab.test\nrule_files =\n",
        "local_domains = lab.test\nrule_files =\nclient_restrictions = reject\n",
        "dns_servers = 127.0.0.1:9\nlocal_domains = lab.test\nrule_files =\ndnsbl_sites = b.test\n",
    };
    enum { THREADS = 4, RELOADS = 60 };
    struct log_count log = {0};
    struct engine *engine = engine_with(texts[0], &log);
    GThread *threads[THREADS];
    g_atomic_int_set(&stop_sessions, 0);
    for (int i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("session", play_sessions, engine);
    for (int i = 1; i <= RELOADS; i++) {
        engine_publish(engine, policy(texts[i % G_N_ELEMENTS(texts)]));
        g_usleep(5000);
    }
    g_atomic_int_set(&stop_sessions, 1);
    for (int i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    struct engine_counters counters;
    engine_get_counters(engine, &counters);
    g_assert_cmpuint(counters.sessions, >, 0);
    g_assert_cmpuint(counters.open, ==, 0);
    g_assert_cmpint(g_atomic_int_get(&log.events), >, 0);
    engine_free(engine);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/waits-without-blocking", test_waits_without_blocking);
    g_test_add_func("/session/dropped-while-waiting", test_dropped_while_waiting);
    g_test_add_func("/session/woken-while-ready", test_woken_while_ready);
    g_test_add_func("/session/listeners", test_listeners);
    g_test_add_func("/session/keeps-its-policy", test_keeps_its_policy);
    g_test_add_func("/session/many-recipients", test_many_recipients);
    g_test_add_func("/session/restrictions-for-each-address", test_restrictions_for_each_address);
    g_test_add_func("/session/class-of-many-addresses", test_class_of_many_addresses);
    g_test_add_func("/session/unknown-address", test_unknown_address);
    g_test_add_func("/session/odd-orders", test_odd_orders);
    g_test_add_func("/session/concurrent", test_concurrent);
    return g_test_run();
}
