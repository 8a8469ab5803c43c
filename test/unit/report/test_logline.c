/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Log lines: what the interface says, and what a client would like to make of them.
 */
#include "report/logline.h"

#include <stdlib.h>
#include <string.h>

static const char *const to_one[] = {"c@d", NULL};
static const char *const to_none[] = {NULL};

/* A refusal as in the description of the interface. */
static struct event example(struct facts *facts)
{
    facts_init(facts);
    ipaddr_parse("203.0.113.9", &facts->address);
    facts->client_name = g_strdup("unknown");
    facts->helo = g_strdup("x");
    facts->macros.daemon_name = g_strdup("smtpd");
    facts->in_message = true;
    mail_address_parse("<a@b>", &facts->sender);
    return (struct event){
        .action = ACTION_REJECT,
        .stage = STAGE_RCPT,
        .check = "reject_unauth_destination",
        .reply = "550 5.7.1 <c@d>: Relaying denied; authenticate first",
        .facts = facts,
        .to = to_one,
        .milliseconds = 0.44,
    };
}

static char *line_of(const struct event *event, enum setting_log_format format)
{
    GString *line = g_string_new(NULL);
    logline_event(event, format, line);
    return g_string_free(line, FALSE);
}

static void test_example(void)
{
    struct facts facts;
    struct event event = example(&facts);
    g_autofree char *text = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_cmpstr(text, ==,
                    "action=reject stage=rcpt check=reject_unauth_destination "
                    "reply=\"550 5.7.1 <c@d>: Relaying denied; authenticate first\" queue_id=- "
                    "client=203.0.113.9 name=unknown helo=x listener=smtpd sasl=- tls=- from=a@b "
                    "to=c@d score=- rules=- ms=0.4");
    g_autofree char *json = line_of(&event, LOG_FORMAT_JSON);
    g_assert_cmpstr(json, ==,
                    "{\"v\":1,\"action\":\"reject\",\"stage\":\"rcpt\",\"check\":"
                    "\"reject_unauth_destination\",\"reply\":\"550 5.7.1 <c@d>: Relaying denied; "
                    "authenticate first\",\"queue_id\":null,\"client\":\"203.0.113.9\",\"name\":"
                    "\"unknown\",\"helo\":\"x\",\"listener\":\"smtpd\",\"sasl\":null,\"tls\":null,"
                    "\"from\":\"a@b\",\"to\":[\"c@d\"],\"score\":null,\"rules\":null,\"ms\":0.4}");
    facts_clear(&facts);
}

static void test_optional_keys(void)
{
    struct facts facts;
    struct event event = example(&facts);
    event.text = "a table cannot tell";
    event.monitor = true;
    g_autofree char *both = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_true(g_str_has_suffix(both, " ms=0.4 text=\"a table cannot tell\" mode=monitor"));
    event.reply = NULL; /* nothing was kept back: the lines of one message are known by it */
    g_autofree char *passed = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_true(g_str_has_suffix(passed, " mode=monitor"));
    event.monitor = false;
    g_autofree char *none = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_null(strstr(none, "mode="));
    facts_clear(&facts);
}

/* Who let it past which list; that of the relay list first, and the others only if there are. */
static void test_permits(void)
{
    static const struct {
        struct permits permits;
        const char *text, *json;
    } rows[] = {
        {{.by = {NULL}}, "permit=- session=a1", "\"permit\":null,\"session\":\"a1\"}"},
        {{.by = {[LIST_RECIPIENT] = "check_client_access"}},
         "permit=check_client_access session=a1",
         "\"permit\":\"check_client_access\",\"session\":\"a1\"}"},
        {{.by = {[LIST_SENDER] = "permit", [LIST_RELAY] = "permit_mynetworks"}},
         "permit=permit_mynetworks permits=sender:permit,relay:permit_mynetworks session=a1",
         "\"permit\":\"permit_mynetworks\",\"permits\":[\"sender:permit\",\"relay:"
         "permit_mynetworks\"],\"session\":\"a1\"}"},
    };
    struct facts facts;
    struct event event = example(&facts);
    event.action = ACTION_ACCEPT;
    event.session = "a1";
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        event.permits = &rows[i].permits;
        g_autofree char *text = line_of(&event, LOG_FORMAT_TEXT);
        g_autofree char *expected = g_strconcat(" ms=0.4 ", rows[i].text, NULL);
        g_test_message("%s", text);
        g_assert_true(g_str_has_suffix(text, expected));
        g_autofree char *json = line_of(&event, LOG_FORMAT_JSON);
        g_assert_true(g_str_has_suffix(json, rows[i].json));
    }
    facts_clear(&facts);
}

/* The entry of a table that decided: escaped, as it may be somebody's pattern. */
static void test_entry(void)
{
    struct facts facts;
    struct event event = example(&facts);
    event.entry = "texthash:/etc/gatepost/clients:12";
    g_autofree char *text = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_true(g_str_has_suffix(text, " ms=0.4 entry=texthash:/etc/gatepost/clients:12"));
    event.entry = "inline:a\nb\" action=accept";
    g_autofree char *escaped = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_nonnull(strstr(escaped, " entry=\"inline:a\\"));
    g_assert_true(g_str_has_suffix(escaped, "b\\\" action=accept\""));
    g_assert_null(strchr(escaped, '\n'));
    facts_clear(&facts);
}

/* The Message-ID is for JSON and the journal: an MTA logs it, too, and text lines are long. */
static void test_message_id(void)
{
    struct facts facts;
    struct event event = example(&facts);
    event.message_id = "<a\x01\"b@c>";
    g_autofree char *text = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_null(strstr(text, "message_id"));
    g_autofree char *json = line_of(&event, LOG_FORMAT_JSON);
    g_assert_true(g_str_has_suffix(json, ",\"message_id\":\"<a\\u0001\\\"b@c>\"}"));
    facts_clear(&facts);
}

/* What a restriction adds stands at the end, as safe as everything else. */
static void test_details(void)
{
    struct facts facts;
    struct event event = example(&facts);
    GPtrArray *details = NULL;
    check_details_set(&details, "limit", "other");
    check_details_set(&details, "key", "bob\" action=accept");
    check_details_set(&details, "limit", "day");
    event.details = details;
    g_autofree char *text = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_true(g_str_has_suffix(text, " ms=0.4 key=\"bob\\\" action=accept\" limit=day"));
    g_autofree char *json = line_of(&event, LOG_FORMAT_JSON);
    g_assert_true(g_str_has_suffix(json, "\"key\":\"bob\\\" action=accept\",\"limit\":\"day\"}"));
    g_ptr_array_unref(details);
    facts_clear(&facts);
}

static void test_senders_and_recipients(void)
{
    static const char *const several[] = {"a@b", "c@d", "e@f", NULL};
    struct facts facts;
    struct event event = example(&facts);
    mail_address_clear(&facts.sender);
    mail_address_parse("<>", &facts.sender);
    event.to = several;
    g_autofree char *null_sender = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_nonnull(strstr(null_sender, " from=<> to=a@b,c@d,e@f "));
    facts.in_message = false;
    event.to = to_none;
    g_autofree char *none = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_nonnull(strstr(none, " from=- to=- "));
    facts_clear(&facts);
}

static void test_listener_port(void)
{
    struct facts facts;
    struct event event = example(&facts);
    g_clear_pointer(&facts.macros.daemon_name, g_free);
    facts.macros.daemon_port = g_strdup("2525");
    g_autofree char *line = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_nonnull(strstr(line, " listener=:2525 "));
    facts_clear(&facts);
}

/* HELO names and how they stand in the line. */
static const char *const helo_rows[][2] = {
    {"plain.example", "helo=plain.example"},
    {"", "helo=\"\""},
    {"-", "helo=\"-\""}, /* not "none" */
    {"a b", "helo=\"a b\""},
    {"x action=accept", "helo=\"x action=accept\""},
    {"x\" action=accept y=\"", "helo=\"x\\\" action=accept y=\\\"\""},
    {"x\\", "helo=x\\\\"},
    {"x \\", "helo=\"x \\\\\""},
    {"x\\\" y", "helo=\"x\\\\\\\" y\""},
    {"x\r\naction=accept", "helo=x\\r\\naction=accept"},
    {"x\ty", "helo=x\\ty"},
    {"\x1b[2J", "helo=\\x1b[2J"},
    {"\x7f", "helo=\\x7f"},
    {"\xff\xfe", "helo=\\xff\\xfe"},
    {"\xe2\x80\xa8x", "helo=\\u{2028}x"},
    {"\xe2\x80\xaex", "helo=\\u{202e}x"},  /* right to left */
    {"a\xc2\xa0z", "helo=\"a\xc2\xa0z\""}, /* a space that does not look it */
    {"gr\xc3\xbc\xc3\x9f", "helo=gr\xc3\xbc\xc3\x9f"},
};

static void test_helo_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(helo_rows); i++) {
        struct facts facts;
        struct event event = example(&facts);
        g_free(facts.helo);
        facts.helo = g_strdup(helo_rows[i][0]);
        g_autofree char *line = line_of(&event, LOG_FORMAT_TEXT);
        g_autofree char *expected = g_strconcat(" ", helo_rows[i][1], " listener=", NULL);
        g_test_message("%s", line);
        g_assert_nonnull(strstr(line, expected));
        facts_clear(&facts);
    }
}

static void test_json_is_one_line(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(helo_rows); i++) {
        struct facts facts;
        struct event event = example(&facts);
        g_free(facts.helo);
        facts.helo = g_strdup(helo_rows[i][0]);
        g_autofree char *line = line_of(&event, LOG_FORMAT_JSON);
        g_assert_true(g_utf8_validate(line, -1, NULL));
        for (const char *p = line; *p; p++)
            g_assert_cmpint((unsigned char)*p, >=, ' ');
        facts_clear(&facts);
    }
}

static char *random_text(size_t length)
{
    char *text = g_malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)g_test_rand_int_range(1, 256);
    text[length] = '\0';
    return text;
}

/* Whatever it is given: one line, not too long, the keys in their order, each once. */
static void check_shape(const char *line)
{
    static const char *const keys[] = {
        "action=", " stage=", " check=",    " reply=", " queue_id=", " client=",
        " name=",  " helo=",  " listener=", " sasl=",  " tls=",      " from=",
        " to=",    " score=", " rules=",    " ms="};
    bool quoted = false;
    size_t next = 0;
    g_assert_cmpuint(strlen(line), <=, LOGLINE_MAX);
    g_assert_true(g_utf8_validate(line, -1, NULL));
    for (const char *p = line; *p; p++) {
        g_assert_cmpint((unsigned char)*p, >=, ' ');
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (p == line || *p == ' ')) {
            g_assert_cmpuint(next, <, G_N_ELEMENTS(keys));
            g_assert_true(g_str_has_prefix(p, keys[next]));
            next++;
        }
    }
    g_assert_false(quoted);
    g_assert_cmpuint(next, ==, G_N_ELEMENTS(keys));
}

static void test_random(void)
{
    for (int round = 0; round < 200; round++) {
        struct facts facts;
        struct event event = example(&facts);
        size_t length = round % 4 ? (size_t)g_test_rand_int_range(0, 40) : 100000;
        g_autofree char *helo = random_text(length), *name = random_text(length);
        g_autofree char *login = random_text(length), *reply = random_text(length);
        g_autofree char *recipient = random_text(length);
        const char *to[] = {recipient, recipient, recipient, NULL};
        g_free(facts.helo);
        g_free(facts.client_name);
        facts.helo = g_steal_pointer(&helo);
        facts.client_name = g_steal_pointer(&name);
        event.login = login;
        event.reply = reply;
        event.to = to;
        g_autofree char *line = line_of(&event, LOG_FORMAT_TEXT);
        check_shape(line);
        g_autofree char *json = line_of(&event, LOG_FORMAT_JSON);
        g_assert_cmpuint(strlen(json), <=, 2 * LOGLINE_MAX);
        facts_clear(&facts);
    }
}

/* A value that is cut says so, and does not end within a character. */
static void test_cut(void)
{
    struct facts facts;
    struct event event = example(&facts);
    g_autoptr(GString) helo = g_string_new("x");
    while (helo->len < 1000)
        g_string_append(helo, "\xc3\xbc");
    g_free(facts.helo);
    facts.helo = g_strdup(helo->str);
    g_autofree char *line = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_nonnull(strstr(line, "\xc3\xbc... listener="));
    g_assert_null(strstr(line, "\\x"));
    facts_clear(&facts);
}

static void test_many_recipients(void)
{
    struct facts facts;
    struct event event = example(&facts);
    const char *to[2001];
    for (size_t i = 0; i < 2000; i++)
        to[i] = "somebody@example.org";
    to[2000] = NULL;
    event.to = to;
    g_autofree char *line = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_cmpuint(strlen(line), <, 2500);
    g_assert_nonnull(strstr(line, " to=\"somebody@example.org,somebody@"));
    g_assert_nonnull(strstr(line, "...,+1928 more\" score="));
    /* in JSON an array of addresses holds nothing else */
    event.to_more = 5;
    g_autofree char *json = line_of(&event, LOG_FORMAT_JSON);
    g_assert_nonnull(strstr(json, "...\"],\"to_more\":1933,\"score\""));
    event.to = to + 1999;
    g_autofree char *one = line_of(&event, LOG_FORMAT_TEXT);
    g_assert_nonnull(strstr(one, " to=\"somebody@example.org,+5 more\" score="));
    facts_clear(&facts);
}

static void test_messages(void)
{
    g_autoptr(GString) text = g_string_new(NULL), json = g_string_new(NULL);
    logline_message(ENGINE_WARNING, "no\nsuch \"thing\"\x1b", 1, LOG_FORMAT_TEXT, text);
    g_assert_cmpstr(text->str, ==, "level=warning message=\"no\\nsuch \\\"thing\\\"\\x1b\"");
    logline_message(ENGINE_INFO, "no\nsuch \"thing\"", 1764189331000123, LOG_FORMAT_JSON, json);
    g_assert_cmpstr(json->str, ==,
                    "{\"ts\":\"2025-11-26T20:35:31.000123Z\",\"v\":1,\"level\":\"info\","
                    "\"message\":\"no\\nsuch \\\"thing\\\"\"}");
}

static void test_problems(void)
{
    struct problems *problems = problems_new();
    g_autoptr(GString) text = g_string_new(NULL), json = g_string_new(NULL);
    problems_error(problems, "/etc/a b", 7, "it is %s", "wrong");
    logline_problem(problems_get(problems, 0), 1, LOG_FORMAT_TEXT, text);
    g_assert_cmpstr(text->str, ==, "level=error file=\"/etc/a b\" line=7 message=\"it is wrong\"");
    logline_problem(problems_get(problems, 0), 1764189331000123, LOG_FORMAT_JSON, json);
    g_assert_cmpstr(json->str, ==,
                    "{\"ts\":\"2025-11-26T20:35:31.000123Z\",\"v\":1,\"level\":\"error\","
                    "\"file\":\"/etc/a b\",\"line\":7,\"message\":\"it is wrong\"}");
    problems_error(problems, "c", 1, "a\\b\x84");
    g_string_truncate(text, 0);
    logline_problem(problems_get(problems, 1), 1, LOG_FORMAT_TEXT, text);
    g_assert_cmpstr(text->str, ==, "level=error file=c line=1 message=a\\\\b\\x84");
    problems_free(problems);
}

static void visit(void *data, const char *key, const char *value)
{
    g_string_append_printf(data, "[%s=%s]", key, value);
}

static void test_foreach(void)
{
    struct facts facts;
    struct event event = example(&facts);
    g_autoptr(GString) all = g_string_new(NULL);
    logline_foreach(&event, visit, all);
    g_assert_nonnull(strstr(all->str, "[action=reject][stage=rcpt]"));
    g_assert_nonnull(strstr(all->str, "[to=c@d][ms=0.4]"));
    g_assert_null(strstr(all->str, "queue_id"));
    facts_clear(&facts);
}

/* A number is as the C library would print it. */
static void test_numbers(void)
{
    static const double edges[] = {0,    0.05, 0.25,      0.35,        0.95, 9.949999,
                                   9.95, 9.96, 999999.94, 999999.9500, 1e6,  1e12};
    struct facts facts;
    struct event event = example(&facts);
    for (unsigned i = 0; i < 2000; i++) {
        event.milliseconds = i < G_N_ELEMENTS(edges) ? edges[i] : (double)(i * i) / 40;
        char digits[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(digits, sizeof digits, "%.1f", event.milliseconds);
        g_autofree char *line = line_of(&event, LOG_FORMAT_TEXT);
        g_assert_cmpstr(strstr(line, " ms=") + strlen(" ms="), ==, digits);
    }
    facts_clear(&facts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/logline/example", test_example);
    g_test_add_func("/logline/optional-keys", test_optional_keys);
    g_test_add_func("/logline/permits", test_permits);
    g_test_add_func("/logline/entry", test_entry);
    g_test_add_func("/logline/message_id", test_message_id);
    g_test_add_func("/logline/details", test_details);
    g_test_add_func("/logline/senders-and-recipients", test_senders_and_recipients);
    g_test_add_func("/logline/listener-port", test_listener_port);
    g_test_add_func("/logline/helo-rows", test_helo_rows);
    g_test_add_func("/logline/json-is-one-line", test_json_is_one_line);
    g_test_add_func("/logline/random", test_random);
    g_test_add_func("/logline/cut", test_cut);
    g_test_add_func("/logline/many-recipients", test_many_recipients);
    g_test_add_func("/logline/messages", test_messages);
    g_test_add_func("/logline/problems", test_problems);
    g_test_add_func("/logline/foreach", test_foreach);
    g_test_add_func("/logline/numbers", test_numbers);
    return g_test_run();
}
