/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Telling the session engine what an MTA would tell: the macros are those of Postfix 3.7.
 */
#include "trial/trial.h"

#include <string.h>

#include "base/text.h"
#include "checks/limit.h"
#include "policy/settle.h"
#include "store/store.h"

struct trial {
    struct snapshot *snapshot;
    struct engine *engine;
    struct session *session; /* the one under way */
    struct trial_result *result;
    GHashTable *macros;
    struct waiting waiting;
    struct bounce_memory *memory;
    struct store *store; /* of its own, in memory: a trial counts nowhere */
};

/* What the engine tells */

static void on_event(void *data, const struct event *event)
{
    struct trial *trial = data;
    if (event->permits && trial->result) {
        permits_clear(&trial->result->permits);
        permits_add(&trial->result->permits, event->permits);
    }
    bool against = !action_is_note(event->action) && event->action != ACTION_ACCEPT;
    if (against && trial->result && !trial->result->decision_told) {
        trial->result->decision_told = true;
        trial->result->entry = g_strdup(event->entry);
    }
    if (event->text && trial->result)
        g_ptr_array_add(trial->result->notes,
                        action_is_note(event->action)
                            ? g_strconcat(action_word(event->action), ": ", event->text, NULL)
                            : g_strdup(event->text));
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    struct trial *trial = data;
    if (trial->result)
        g_ptr_array_add(trial->result->notes,
                        g_strconcat(level == ENGINE_WARNING ? "warning: " : "", text, NULL));
}

/* Waits until a step has its answer. */
static const struct session_answer *await(struct trial *trial, enum session_step step)
{
    session_settle(trial->session, step, &trial->waiting);
    return session_get_answer(trial->session);
}

struct trial *trial_new(struct snapshot *snapshot)
{
    struct trial *trial = g_new0(struct trial, 1);
    struct engine_listener listener = {.event = on_event, .message = on_message, .data = trial};
    trial->snapshot = snapshot_ref(snapshot);
    trial->engine = engine_new(snapshot, &listener);
    trial->macros = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    waiting_init(&trial->waiting);
    trial->memory = autoreplies_memory_new();
    engine_set_bounce_memory(trial->engine, trial->memory);
    trial->store = store_memory(NULL);
    static const unsigned char secret[LIMIT_SECRET_SIZE];
    engine_set_store(trial->engine, trial->store, secret);
    return trial;
}

void trial_free(struct trial *trial)
{
    if (!trial)
        return;
    engine_free(trial->engine);
    bounce_memory_free(trial->memory);
    store_close(trial->store);
    snapshot_unref(trial->snapshot);
    g_hash_table_unref(trial->macros);
    waiting_clear(&trial->waiting);
    g_free(trial);
}

/* What the MTA would say */

static bool is_port(const char *listener)
{
    return text_is_number(listener[0] == ':' ? listener + 1 : listener);
}

const char *trial_setup_fault(const struct trial_setup *setup)
{
    struct ipaddr address;
    if (setup->client && !ipaddr_parse(setup->client, &address))
        return "--client needs an IP address";
    if (setup->mechanism && !setup->login)
        return "--mech needs --auth";
    if (setup->bits && !setup->tls && !setup->ccert_subject)
        return "--bits needs --tls";
    if (setup->bits && !text_is_number(setup->bits))
        return "--bits needs a number";
    if (setup->listener && setup->listener[0] == ':' && !is_port(setup->listener))
        return "--listener needs a name, or a port as :587";
    return NULL;
}

static const char *client_address(const struct trial_setup *setup)
{
    return setup->client ? setup->client : setup->local ? "127.0.0.1" : TRIAL_OUTSIDER;
}

static void set_macro(struct trial *trial, const char *name, const char *value)
{
    if (value)
        g_hash_table_insert(trial->macros, (void *)(uintptr_t)name, g_strdup(value));
}

static const char *get_macro(void *context, const char *name)
{
    const struct trial *trial = context;
    return g_hash_table_lookup(trial->macros, name);
}

static bool has_name(const struct trial_setup *setup)
{
    return setup->name && *setup->name && g_ascii_strcasecmp(setup->name, "unknown") != 0;
}

/* An MTA sends both: of a listener that was named, a port that is no other's, and the reverse. */
static void set_listener_macros(struct trial *trial, const struct trial_setup *setup)
{
    const char *listener = setup->listener && *setup->listener ? setup->listener : ":25";
    const char *port = listener[0] == ':' ? listener + 1 : listener;
    set_macro(trial, "v", "Postfix 3.7.11");
    if (setup->local) {
        set_macro(trial, "{daemon_port}", "0");
    } else if (is_port(listener)) {
        g_autofree char *name = g_strconcat(":", port, NULL);
        set_macro(trial, "{daemon_name}", name);
        set_macro(trial, "{daemon_port}", port);
    } else {
        set_macro(trial, "{daemon_name}", listener);
        set_macro(trial, "{daemon_port}", "-");
    }
}

/* Postfix gives the subject of a certificate only if it could verify it. */
static void set_tls_macros(struct trial *trial, const struct trial_setup *setup)
{
    const char *version = setup->tls ? setup->tls : setup->ccert_subject ? "TLSv1.3" : NULL;
    if (!version || !*version)
        return;
    set_macro(trial, "{tls_version}", version);
    set_macro(trial, "{cipher}", "TLS_AES_256_GCM_SHA384");
    set_macro(trial, "{cipher_bits}", setup->bits ? setup->bits : "256");
    set_macro(trial, "{cert_subject}", setup->ccert_subject);
}

static void set_macros(struct trial *trial, const struct trial_setup *setup)
{
    g_hash_table_remove_all(trial->macros);
    const char *name = has_name(setup) ? setup->name : setup->local ? "localhost" : "unknown";
    set_macro(trial, "{client_addr}", client_address(setup));
    set_macro(trial, "{client_name}", name);
    set_macro(trial, "{client_ptr}", name);
    set_macro(trial, "{client_port}", setup->local ? "0" : "40000");
    if (!setup->local)
        set_macro(trial, "{client_resolve}", has_name(setup) ? "OK" : "FAIL");
    set_listener_macros(trial, setup);
    set_tls_macros(trial, setup);
    if (!setup->login)
        return;
    set_macro(trial, "{auth_authen}", setup->login);
    set_macro(trial, "{auth_type}", setup->mechanism ? setup->mechanism : "PLAIN");
}

static char *helo_name(const struct trial_setup *setup)
{
    struct ipaddr address;
    char text[IPADDR_TEXT_MAX];
    if (setup->helo)
        return g_strdup(setup->helo);
    if (has_name(setup))
        return g_strdup(setup->name);
    if (setup->local || !ipaddr_parse(client_address(setup), &address))
        return g_strdup("localhost");
    return g_strdup_printf("[%s%s]", address.family == IP_V6 ? "IPv6:" : "",
                           ipaddr_format(&address, text));
}

/* A user of the first domain that local_domains names outright; postmaster is local anywhere. */
static char *local_user(const struct trial *trial)
{
    const char *domains =
        settings_get(snapshot_settings(trial->snapshot), NULL, SETTING_LOCAL_DOMAINS)->text;
    g_autoptr(GPtrArray) words = text_split_list(domains, NULL);
    for (guint i = 0; words && i < words->len; i++) {
        const char *word = words->pdata[i];
        if (!strchr("!./[", word[0]) && !strchr(word, ':'))
            return g_strconcat("user@", word, NULL);
    }
    return g_strdup("postmaster");
}

/* smtpd passes on what the client typed, cleanup the address alone. */
static char *path_of(const struct trial_setup *setup, const char *address)
{
    return setup->local || address[0] == '<' ? g_strdup(address)
                                             : g_strconcat("<", address, ">", NULL);
}

static bool needs_smtputf8(const char *sender, char **recipients)
{
    bool ascii = g_str_is_ascii(sender);
    for (; ascii && *recipients; recipients++)
        ascii = g_str_is_ascii(*recipients);
    return !ascii;
}

/* Running it */

static enum action verdict_of(const struct session_answer *answer)
{
    switch (answer->action) {
    case SESSION_REFUSE:
        return action_of_reply(answer->reply);
    case SESSION_HOLD:
        return ACTION_HOLD;
    default:
        return ACTION_ACCEPT;
    }
}

static void decision_clear(struct trial_decision *decision)
{
    g_free(decision->check);
    g_free(decision->reply);
    *decision = (struct trial_decision){0};
}

/* Whether a decision is more than "go on", or would be outside monitor mode. */
static bool says_something(const struct trial_decision *decision)
{
    return decision->verdict != ACTION_ACCEPT || decision->reply;
}

static void take_answer(struct trial_decision *decision, const struct session_answer *answer)
{
    decision_clear(decision);
    decision->verdict = verdict_of(answer);
    decision->check = g_strdup(answer->check);
    decision->reply = g_strdup(answer->reply);
}

/* Takes an answer for the whole, unless something was refused before. */
static bool note_answer(struct trial *trial, const struct session_answer *answer)
{
    struct trial_result *result = trial->result;
    if (!says_something(&result->decision)) {
        take_answer(&result->decision, answer);
        result->stage = answer->stage;
    }
    return answer->action != SESSION_REFUSE;
}

/* What was decided for all that were not refused before. */
static void spread_answer(struct trial *trial, const struct session_answer *answer)
{
    const GPtrArray *recipients = trial->result->recipients;
    for (guint i = 0; i < recipients->len; i++) {
        struct trial_recipient *recipient = recipients->pdata[i];
        if (!says_something(&recipient->decision))
            take_answer(&recipient->decision, answer);
    }
}

static bool run_connection(struct trial *trial, const struct trial_setup *setup,
                           const struct macro_source *macros)
{
    struct ipaddr address;
    ipaddr_parse(client_address(setup), &address);
    g_autofree char *literal = g_strdup_printf("[%s]", client_address(setup));
    const char *name = get_macro(trial, "{client_name}");
    struct connection connection = {.host = strcmp(name, "unknown") == 0 ? literal : name,
                                    .address = &address};
    if (!note_answer(trial, await(trial, session_connect(trial->session, &connection, macros))))
        return false;
    const char *helo = trial->result->helo;
    return note_answer(trial, await(trial, session_helo(trial->session, helo, macros)));
}

static bool run_mail(struct trial *trial, const struct trial_setup *setup, char **recipients,
                     const struct macro_source *macros)
{
    const char *sender = trial->result->sender;
    g_autofree char *path = path_of(setup, sender);
    const char *argv[] = {path, needs_smtputf8(sender, recipients) ? "SMTPUTF8" : NULL, NULL};
    return note_answer(trial, await(trial, session_mail(trial->session, argv, macros)));
}

/* Whether one of them was accepted. In monitor mode they are asked behind a refusal of the client
 * or the sender as well, which would have been theirs. */
static bool run_recipients(struct trial *trial, const struct trial_setup *setup,
                           const struct macro_source *macros)
{
    const struct trial_decision *whole = &trial->result->decision;
    bool decided = says_something(whole);
    bool accepted = false;
    for (guint i = 0; i < trial->result->recipients->len; i++) {
        struct trial_recipient *recipient = trial->result->recipients->pdata[i];
        g_autofree char *path = path_of(setup, recipient->address);
        const char *argv[] = {path, NULL};
        const struct session_answer *answer =
            await(trial, session_rcpt(trial->session, argv, macros));
        if (decided)
            recipient->decision = (struct trial_decision){.verdict = whole->verdict,
                                                          .check = g_strdup(whole->check),
                                                          .reply = g_strdup(whole->reply)};
        else
            take_answer(&recipient->decision, answer);
        accepted |= note_answer(trial, answer);
    }
    return accepted;
}

static void run_message(struct trial *trial, const struct message_file *message,
                        const struct macro_source *macros)
{
    struct trial_result *result = trial->result;
    enum session_step step;
    if (message) {
        if (message->mailbox_line)
            session_header(trial->session, "X-Mailbox-Line", message->mailbox_line);
        for (size_t i = 0; i < header_list_count(message->headers); i++) {
            const struct header *header = header_list_get(message->headers, i);
            session_header(trial->session, header->name, header->value);
        }
        /* In the pieces that an MTA sends, and no more of it than is wanted. */
        enum { PIECE = 65535 };
        bool wanted = session_end_of_header(trial->session);
        for (size_t at = 0; wanted && at < message->body->len; at += PIECE)
            wanted = session_body(trial->session, message->body->str + at,
                                  MIN(PIECE, message->body->len - at));
        step = session_end_of_message(trial->session, macros);
    } else {
        step = session_end_of_envelope(trial->session, macros);
    }
    const struct session_answer *answer = await(trial, step);
    spread_answer(trial, answer);
    note_answer(trial, answer);
    if (!message && !says_something(&result->decision))
        result->stage = STAGE_RCPT;
    for (guint i = 0; answer->headers && i < answer->headers->len; i++)
        g_ptr_array_add(result->headers, g_strdup(answer->headers->pdata[i]));
}

static void recipient_free(void *data)
{
    struct trial_recipient *recipient = data;
    g_free(recipient->address);
    decision_clear(&recipient->decision);
    g_free(recipient);
}

static void result_init(struct trial_result *result, char **recipients)
{
    *result = (struct trial_result){
        .recipients = g_ptr_array_new_with_free_func(recipient_free),
        .headers = g_ptr_array_new_with_free_func(g_free),
        .notes = g_ptr_array_new_with_free_func(g_free),
    };
    findings_init(&result->findings);
    dns_hits_init(&result->dns);
    for (; *recipients; recipients++) {
        struct trial_recipient *recipient = g_new0(struct trial_recipient, 1);
        recipient->address = g_strdup(*recipients);
        g_ptr_array_add(result->recipients, recipient);
    }
}

static char *listener_text(const struct facts *facts)
{
    const char *port = facts->macros.daemon_port;
    if (facts->macros.daemon_name || !port)
        return g_strdup(facts->macros.daemon_name);
    return strcmp(port, "0") == 0 ? NULL : g_strconcat(":", port, NULL);
}

void trial_run(struct trial *trial, const struct trial_setup *setup,
               const struct message_file *message, struct trial_result *result_r)
{
    g_autofree char *user = local_user(trial);
    char *one[] = {user, NULL};
    char **recipients = setup->recipients && *setup->recipients ? setup->recipients : one;
    result_init(result_r, recipients);
    trial->result = result_r;
    result_r->helo = helo_name(setup);
    char *sender = setup->sender ? g_strdup(setup->sender)
                   : message     ? message_file_sender(message)
                                 : NULL;
    result_r->sender = sender ? sender : g_strdup(TRIAL_OUTSIDER_SENDER);
    set_macros(trial, setup);
    trial->session = session_new(trial->engine, &trial->waiting.waker);
    session_ask_late(trial->session);
    struct macro_source macros = {.get = get_macro, .context = trial};
    bool going =
        run_connection(trial, setup, &macros) && run_mail(trial, setup, recipients, &macros);
    if (!going)
        spread_answer(trial, session_get_answer(trial->session));
    else if (run_recipients(trial, setup, &macros))
        run_message(trial, message, &macros);
    const struct facts *facts = session_facts(trial->session);
    result_r->client = facts_client_text(facts);
    result_r->listener = listener_text(facts);
    result_r->monitor = snapshot_policy(trial->snapshot, facts)->monitor;
    findings_read(&result_r->findings, trial->session, message);
    dns_hits_read(&result_r->dns, trial->session);
    autoreplies_judge(trial->session, message, result_r->sender, (const char *const *)recipients,
                      trial->memory, &result_r->autoreply);
    session_free(trial->session);
    trial->session = NULL;
    trial->result = NULL;
}

void trial_result_clear(struct trial_result *result)
{
    decision_clear(&result->decision);
    permits_clear(&result->permits);
    g_free(result->entry);
    g_ptr_array_unref(result->recipients);
    g_ptr_array_unref(result->headers);
    g_ptr_array_unref(result->notes);
    findings_clear(&result->findings);
    dns_hits_clear(&result->dns);
    autoreply_judgement_clear(&result->autoreply);
    g_free(result->client);
    g_free(result->helo);
    g_free(result->sender);
    g_free(result->listener);
    *result = (struct trial_result){0};
}
