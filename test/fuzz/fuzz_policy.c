/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A whole gatepost.conf, compiled: restriction lists, tables that stand in it, DNS lists,
 * listeners, profiles. With errors there is no policy, without there is one, and sessions go
 * through it.
 */
#include <string.h>

#include "fake_resolver.h"
#include "policy/session.h"

static const char *get_macro(void *context, const char *name)
{
    static const char *const macros[][2] = {
        {"v", "Postfix 3.7.11"},      {"j", "mx.lab.test"},       {"{client_port}", "40000"},
        {"{client_resolve}", "FAIL"}, {"{daemon_name}", "smtpd"}, {"{daemon_port}", "2525"},
        {"{cipher_bits}", "256"},     {"{auth_authen}", "bob"},
    };
    const char *but = context; /* this one is not sent */
    for (size_t i = 0; i < G_N_ELEMENTS(macros); i++)
        if (strcmp(macros[i][0], name) == 0 && strcmp(name, but) != 0)
            return macros[i][1];
    return NULL;
}

static void on_event(void *data, const struct event *event)
{
    (void)data;
    g_assert(!event->reply || (event->reply[0] >= '4' && event->reply[0] <= '5'));
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    (void)data, (void)level;
    g_assert(g_utf8_validate(text, -1, NULL));
}

static void play(struct engine *engine, const char *without)
{
    struct macro_source macros = {.get = get_macro, .context = (void *)(uintptr_t)without};
    struct ipaddr address;
    struct connection connection = {.host = "x", .address = &address};
    const char *mail[] = {"<bob@lab.test>", NULL};
    const char *rcpts[][2] = {{"<a@lab.test>", NULL}, {"<x@far.test>", NULL}};
    struct session *session = session_new(engine, NULL);
    g_assert(ipaddr_parse("203.0.113.9", &address));
    g_assert(session_connect(session, &connection, &macros) == SESSION_READY);
    g_assert(session_helo(session, "host.far.test", &macros) == SESSION_READY);
    g_assert(session_mail(session, mail, &macros) == SESSION_READY);
    for (size_t i = 0; i < G_N_ELEMENTS(rcpts); i++)
        g_assert(session_rcpt(session, rcpts[i], &macros) == SESSION_READY);
    session_header(session, "From", " Bob <bob@lab.test>");
    session_header(session, "Subject", " =?koi8-r?B?8NLJ18XU?=");
    if (session_end_of_header(session))
        session_body(session, "text\r\n", 6);
    g_assert(session_end_of_message(session, &macros) == SESSION_READY);
    session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* No file is opened: a path is refused by the target, not by the program. */
    if (memchr(data, '/', size))
        return 0;
    struct problems *problems = problems_new();
    g_autofree char *text = g_strdup_printf("rule_files =\n%.*s", (int)size, (const char *)data);
    struct settings *settings = settings_parse(text, strlen(text), "fuzz", problems);
    struct snapshot *snapshot = snapshot_build(settings, NULL, problems);
    g_assert((snapshot == NULL) == (problems_errors(problems) > 0));
    for (unsigned i = 0; problems_get(problems, i); i++) {
        g_autofree char *line = problem_format(problems_get(problems, i));
        g_assert(g_utf8_validate(line, -1, NULL) && !strchr(line, '\n'));
    }
    if (snapshot) {
        struct engine_listener listener = {.event = on_event, .message = on_message};
        fake_resolver_begin(text, FAKE_AT_ONCE);
        struct engine *engine = engine_new(snapshot, &listener);
        play(engine, "{auth_authen}");
        play(engine, "{client_resolve}");
        engine_free(engine);
    }
    problems_free(problems);
    return 0;
}
