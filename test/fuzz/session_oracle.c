/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything here errs to the side of the engine: "surely" is asserted, "perhaps" is not.
 */
#include "session_oracle.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json_check.h"
#include "mta/reply_line.h"
#include "report/logline.h"

/* An empty macro is none. */
static const char *value_of(oracle_macro *macro, void *context, const char *name)
{
    const char *value = macro(context, name);
    return value && *value ? value : NULL;
}

static gboolean is(const char *value, const char *other)
{
    return value && other && strcasecmp(value, other) == 0;
}

void oracle_end_message(struct oracle *oracle)
{
    g_clear_pointer(&oracle->sender, g_free);
    oracle->recipients = oracle->accepted = 0;
    oracle->refusal_due = false;
}

void oracle_clear(struct oracle *oracle)
{
    oracle_end_message(oracle);
    g_clear_pointer(&oracle->login, g_free);
}

static gboolean in_network(const struct ipaddr *address)
{
    static const uint8_t net[] = {192, 0, 2};
    return address && address->family == IP_V4 && memcmp(address->bytes, net, sizeof(net)) == 0;
}

/* Only a listener whose name and port are known to be others can be trusted. */
static gboolean may_be_untrusted(const struct fuzz_site *site, const char *name, const char *port)
{
    if (site->untrusted_name && (!name || is(name, site->untrusted_name)))
        return TRUE;
    return site->untrusted_port && (!port || is(port, site->untrusted_port));
}

void oracle_connect(struct oracle *oracle, const struct ipaddr *address, oracle_macro *macro,
                    void *context)
{
    const struct fuzz_site *site = oracle->site;
    struct ipaddr told;
    oracle_clear(oracle);
    *oracle = (struct oracle){.site = site};
    g_autofree char *name = g_strdup(value_of(macro, context, "{daemon_name}"));
    g_autofree char *port = g_strdup(value_of(macro, context, "{daemon_port}"));
    const char *text = value_of(macro, context, "{client_addr}");
    if (!address && text && ipaddr_parse(text, &told))
        address = &told;
    const char *version = value_of(macro, context, "v");
    oracle->postfix = version && g_str_has_prefix(version, "Postfix");
    oracle->without_smtp = is(value_of(macro, context, "{client_port}"), "0") &&
                           !value_of(macro, context, "{client_resolve}") &&
                           (!version || oracle->postfix);
    oracle->on_submission = !oracle->without_smtp &&
                            (is(name, site->submission_name) || is(port, site->submission_port));
    oracle->on_untrusted = !oracle->without_smtp && may_be_untrusted(site, name, port);
    oracle->in_network = site->trusts_network && !oracle->on_untrusted && in_network(address);
}

void oracle_helo(struct oracle *oracle, oracle_macro *macro, void *context)
{
    oracle_end_message(oracle);
    oracle->may_be_alice =
        oracle->site->knows_alice && is(value_of(macro, context, "{cert_subject}"), "alice");
}

/* Takes off *REST what says nothing but "at lab.test"; whether there was any. */
static gboolean take_home(char **rest)
{
    static const char *const hosts[] = {"lab.test!", "@lab.test:", "@lab.test,@lab.test:"};
    char *text = *rest, *end = text + strlen(text);
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++)
        if (g_ascii_strncasecmp(text, hosts[i], strlen(hosts[i])) == 0) {
            *rest += strlen(hosts[i]);
            return TRUE;
        }
    char *at = strrchr(text, '@'), *percent = strrchr(text, '%');
    char *host = at ? at : percent;
    if (host && (is(host + 1, "lab.test") || is(host + 1, "lab.test."))) {
        *host = '\0';
        return TRUE;
    }
    if (end - text < 2 || *text != '"' || end[-1] != '"')
        return FALSE;
    end[-1] = '\0';
    *rest = text + 1;
    return !strpbrk(*rest, "\"\\");
}

/* Whether <PATH> can only be bob@lab.test: no other host is named, and nobody else. */
static gboolean surely_bobs(const char *path)
{
    size_t length = strlen(path);
    if (length < 2 || path[0] != '<' || path[length - 1] != '>')
        return FALSE;
    g_autofree char *text = g_strndup(path + 1, length - 2);
    char *rest = text;
    while (take_home(&rest))
        ;
    return is(rest, "bob");
}

/* What Postfix tells of a sender counts, whatever was typed. Sendmail's word is not foreseen here.
 */
static bool is_bobs(const struct oracle *oracle, oracle_macro *macro, void *context)
{
    const char *told = macro(context, "{mail_addr}");
    if (!told)
        return surely_bobs(oracle->sender);
    return oracle->postfix && is(told, "bob@lab.test") && strlen(oracle->sender) > 2;
}

void oracle_mail(struct oracle *oracle, const char *path, oracle_macro *macro, void *context)
{
    oracle_helo(oracle, macro, context);
    oracle->sender = g_strdup(path);
    oracle->bobs = is_bobs(oracle, macro, context);
    g_free(oracle->login);
    oracle->login = g_strdup(value_of(macro, context, "{auth_authen}"));
    const char *bits = value_of(macro, context, "{cipher_bits}");
    gboolean strong = bits && strspn(bits, "0123456789") == strlen(bits) && atol(bits) >= 128;
    gboolean any = oracle->login || value_of(macro, context, "{auth_type}");
    strong = strong && value_of(macro, context, "{tls_version}");
    oracle->sound_login = oracle->login && strong;
    oracle->weak_login = any && !strong;
}

/* The log */

static void count_event(struct oracle *oracle, const struct event *event)
{
    if (action_is_note(event->action))
        return;
    oracle->endings += event->stage == STAGE_MESSAGE;
    oracle->refusals += event->stage != STAGE_MESSAGE;
    g_assert(event->stage == STAGE_MESSAGE || event->action == ACTION_REJECT ||
             event->action == ACTION_TEMPFAIL);
}

static void check_line(const GString *line)
{
    g_assert(line->len == strlen(line->str) && line->len <= LOGLINE_MAX);
    g_assert(g_utf8_validate(line->str, -1, NULL));
    for (const unsigned char *p = (const unsigned char *)line->str; *p; p++)
        g_assert(*p >= ' ' && *p != 0x7f);
}

static void check_reply(const char *reply)
{
    struct mta_reply parsed;
    if (!reply)
        return;
    g_assert(strlen(reply) <= REPLY_MAX);
    for (const char *p = reply; *p; p++)
        g_assert(*p >= ' ' && *p <= '~');
    g_assert(mta_reply_parse(reply, &parsed));
    g_assert(parsed.enhanced[0] == parsed.code[0] && parsed.enhanced[1] == '.');
}

void oracle_event(struct oracle *oracle, const struct event *event)
{
    g_autoptr(GString) line = g_string_new(NULL);
    count_event(oracle, event);
    check_reply(event->reply);
    if (event->action == ACTION_REJECT || event->action == ACTION_TEMPFAIL)
        g_assert(event->reply && action_of_reply(event->reply) == event->action);
    if (event->action == ACTION_ACCEPT)
        g_assert(!event->reply);
    g_assert(!event->monitor == !oracle->site->monitor);
    logline_event(event, LOG_FORMAT_TEXT, line);
    check_line(line);
    g_assert(g_str_has_prefix(line->str, "action="));
    g_string_truncate(line, 0);
    logline_event(event, LOG_FORMAT_JSON, line);
    check_line(line);
    g_assert(json_check(line->str));
}

/* The answers */

static void check_header(const char *name, size_t name_length, const char *value)
{
    g_assert(name_length > 0);
    for (size_t i = 0; i < name_length; i++)
        g_assert(name[i] > ' ' && name[i] <= '~' && name[i] != ':');
    for (const char *p = value; p && (p = strpbrk(p, "\r\n")); p++)
        g_assert(*p == '\n' && (p[1] == ' ' || p[1] == '\t'));
}

static void check_changes(const struct session_answer *answer)
{
    for (guint i = 0; answer->headers && i < answer->headers->len; i++) {
        const char *line = answer->headers->pdata[i];
        const char *colon = strchr(line, ':');
        g_assert(colon);
        check_header(line, (size_t)(colon - line), colon + 1);
    }
    for (guint i = 0; answer->changes && i < answer->changes->len; i++) {
        const struct header_change *change = answer->changes->pdata[i];
        g_assert(change->index >= 1);
        check_header(change->name, strlen(change->name), change->value);
    }
}

void oracle_begin_step(struct oracle *oracle)
{
    oracle->refusals = oracle->endings = 0;
}

void oracle_check_step(struct oracle *oracle, const struct session *session)
{
    const struct session_answer *answer = session_get_answer(session);
    gboolean refuses = answer->action == SESSION_REFUSE;
    gboolean changes = answer->headers || answer->changes || answer->body;
    check_reply(answer->reply);
    check_changes(answer);
    if (refuses)
        g_assert(answer->reply && !changes && oracle->refusals + oracle->endings == 1);
    if (answer->stage != STAGE_MESSAGE)
        g_assert(!changes && answer->action != SESSION_HOLD);
    if (oracle->site->monitor)
        g_assert(!changes && answer->action == SESSION_CONTINUE);
}

void oracle_check_greeting(struct oracle *oracle, const struct session *session)
{
    g_assert(session_get_answer(session)->action == SESSION_CONTINUE);
    g_assert(oracle->endings == 0 && oracle->refusals == 0);
}

void oracle_check_mail(struct oracle *oracle, const struct session *session)
{
    const struct session_answer *answer = session_get_answer(session);
    g_assert(answer->stage == STAGE_MAIL);
    g_assert(oracle->endings == 0 && oracle->refusals == (answer->reply ? 1 : 0));
}

/* Whether PATH can only be at home: no domain or lab.test, and nothing in the local part that an
 * MTA might take for a route. */
static gboolean surely_local(const struct fuzz_site *site, const char *path)
{
    g_autofree char *text = g_strstrip(g_strdup(path));
    size_t length = strlen(text);
    char *start = text;
    if (length > 1 && text[0] == '<' && text[length - 1] == '>') {
        text[length - 1] = '\0';
        start++;
    }
    g_strstrip(start);
    while (*start == '@' && strchr(start, ':'))
        start = strchr(start, ':') + 1;
    char *at = strrchr(start, '@');
    if (at) {
        *at++ = '\0';
        length = strlen(at);
        while (length > 0 && at[length - 1] == '.')
            at[--length] = '\0';
        if (site->nothing_local || !(is(at, "lab.test") || g_str_has_suffix(at, ".sub.test")))
            return FALSE;
    }
    return !strpbrk(start, "%!@");
}

static gboolean may_relay(const struct oracle *oracle)
{
    return oracle->sound_login || oracle->may_be_alice || oracle->in_network;
}

void oracle_check_accepted(const struct oracle *oracle, const char *path)
{
    g_assert(may_relay(oracle) || surely_local(oracle->site, path));
    if (oracle->without_smtp)
        return;
    if (oracle->on_submission)
        g_assert(oracle->sound_login || oracle->may_be_alice);
    if (oracle->site->bob_owns) {
        g_assert(!oracle->weak_login);
        if (oracle->bobs && !oracle->in_network)
            /* whose case counts in no table of owners, as in Postfix */
            g_assert(oracle->sound_login && g_ascii_strncasecmp(oracle->login, "bob", 3) == 0);
    }
}

void oracle_check_rcpt(struct oracle *oracle, const struct session *session, const char *path)
{
    const struct session_answer *answer = session_get_answer(session);
    const GPtrArray *recipients = session_recipients(session);
    g_assert(answer->stage == STAGE_RCPT && oracle->endings == 0);
    g_assert(recipients->len == ++oracle->recipients);
    const struct session_recipient *last = recipients->pdata[recipients->len - 1];
    oracle->accepted += answer->action == SESSION_CONTINUE;
    g_assert(last->action == answer->action && !last->reply == !last->check);
    if (oracle->without_smtp)
        g_assert(answer->action == SESSION_CONTINUE && oracle->refusals == 0);
    else
        g_assert(oracle->refusals == (answer->reply ? 1 : 0) && !last->reply == !answer->reply);
    if (!last->reply)
        oracle_check_accepted(oracle, path);
    else if (oracle->without_smtp)
        oracle->refusal_due = true;
}

void oracle_check_message(struct oracle *oracle, const struct session *session)
{
    const struct session_answer *answer = session_get_answer(session);
    const struct facts *facts = session_facts(session);
    g_assert(answer->stage == STAGE_MESSAGE);
    g_assert(oracle->endings == 1 && oracle->refusals == 0);
    g_assert(facts->without_smtp == oracle->without_smtp);
    if (answer->action == SESSION_HOLD)
        g_assert(answer->hold);
    if (oracle->refusal_due)
        g_assert(answer->reply);
    /* Postfix would drop what is neither passed on nor told to anybody. */
    if (oracle->without_smtp && is(oracle->sender, "<>"))
        g_assert(answer->action != SESSION_REFUSE || answer->reply[0] == '4');
}
