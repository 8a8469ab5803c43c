/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of events. On a thread that mail waits for: texts are borrowed, not copied.
 */
#include <string.h>

#include "checks/dns_questions.h"
#include "checks/spam.h"
#include "history_record.h"
#include "mail/header.h"
#include "policy/snapshot.h"

static void take_macros(struct history_row *row, const struct macro_facts *macros)
{
    row->mta_name = macros->mta_name;
    row->mta_version = macros->mta_version;
    row->client_addr = macros->client_addr;
    row->client_name_macro = macros->client_name;
    row->client_ptr = macros->client_ptr;
    row->client_resolve = macros->client_resolve;
    row->client_port = macros->client_port;
    row->daemon_name = macros->daemon_name;
    row->daemon_port = macros->daemon_port;
    row->tls_version = macros->tls_version;
    row->cipher = macros->cipher;
    row->cipher_bits = macros->cipher_bits;
    row->verify = macros->verify;
    row->cert_subject = macros->cert_subject;
    row->cert_issuer = macros->cert_issuer;
    row->queue_id = macros->queue_id;
    row->auth_type = macros->auth_type;
    row->helo_auth_type = macros->helo_auth_type;
    row->auth_authen = macros->auth_authen;
    row->mail_mailer = macros->mail_mailer;
    row->mail_host = macros->mail_host;
    row->mail_addr = macros->mail_addr;
}

static void take_facts(struct history_row *row, const struct facts *facts)
{
    char address[IPADDR_TEXT_MAX];
    take_macros(row, &facts->macros);
    row->client =
        g_string_chunk_insert(history_row_memory(row), ipaddr_format(&facts->address, address));
    row->client_name = facts->client_name;
    row->reverse_name = facts->reverse_name;
    row->helo = facts->helo;
    row->has_address = facts->has_address;
    row->without_smtp = facts->without_smtp;
    row->untrusted = facts->untrusted;
    row->submission = facts->submission;
    row->login_in_clear = facts->login_in_clear;
    if (!facts->in_message)
        return;
    row->sender = facts->sender.text;
    row->sender_meant = facts->sender_meant.address.text;
    row->sender_malformed = facts->sender.malformed;
    row->smtputf8 = facts->smtputf8;
    row->announced_size = facts->announced_size;
}

static GArray *take_asked(const GArray *asked)
{
    if (!asked || asked->len == 0)
        return NULL;
    GArray *taken = g_array_sized_new(FALSE, FALSE, sizeof(struct history_asked), asked->len);
    for (guint i = 0; i < asked->len; i++) {
        const struct check_asked *from = &g_array_index(asked, struct check_asked, i);
        struct history_asked to = {from->name, from->argument, from->result, from->reply};
        g_array_append_val(taken, to);
    }
    return taken;
}

enum { REFUSED_MAX = 100 };

static void add_recipient(struct history_row *row, const struct session_recipient *from)
{
    struct history_recipient to = {
        .address = from->address,
        .meant = from->meant,
        .action = from->reply ? action_of_reply(from->reply) : ACTION_ACCEPT,
        .check = from->check,
        .reply = from->reply,
        .entry = from->entry,
        .mailer = from->mailer,
        .host = from->host,
        .resolved = from->resolved,
        .asked = take_asked(from->asked),
    };
    g_array_append_val(row->recipients, to);
}

/* A refusal tells of its own recipient, and who was accepted first, whose profile counts; in
 * monitor mode all are accepted. */
static void take_recipients(struct history_row *row, const struct event *event)
{
    const GPtrArray *all = event->recipients;
    row->recipients = history_recipients_new();
    if (event->stage == STAGE_MESSAGE) {
        /* Of refused ones, of whom a stranger may name any number, each has a row of its own; in
         * monitor mode they are the message's. */
        for (guint i = 0, refused = 0; all && i < all->len; i++) {
            const struct session_recipient *one = all->pdata[i];
            if (!one->reply || event->monitor || refused++ < REFUSED_MAX)
                add_recipient(row, one);
        }
        return;
    }
    const struct facts *facts = event->facts;
    /* The last is the one who is refused, unless there were too many already. */
    for (guint i = 0; all && i < all->len; i++) {
        const struct session_recipient *one = all->pdata[i];
        bool is_refused = i + 1 == all->len && one->reply && facts->has_recipient &&
                          g_strcmp0(one->address, facts->recipient.text) == 0;
        if (is_refused || (one->reply && !event->monitor))
            continue;
        add_recipient(row, one);
        break;
    }
    if (!facts->has_recipient)
        return;
    struct history_recipient refused = {
        .address = facts->recipient.text,
        .meant = facts->recipient_meant.address.text,
        .action = event->action,
        .check = event->check,
        .reply = event->reply,
        .entry = event->entry,
        .mailer = facts->macros.rcpt_mailer,
        .host = facts->macros.rcpt_host,
        .resolved = facts->macros.rcpt_addr,
        .asked = take_asked(event->asked),
    };
    g_array_append_val(row->recipients, refused);
}

static void take_score(struct history_row *row, const struct event *event)
{
    const struct spam_verdict *spam = event->spam;
    if (!spam)
        return;
    row->scored = true;
    row->score = spam->score;
    row->required = spam->required;
    if (spam->least < spam->most) {
        row->least = spam->least;
        row->most = spam->most;
    }
    row->tagged = spam->tagged;
    row->refused = spam->refused;
    row->profile = spam->profile;
    row->ruleset = event->policy->site.spam->rules_name;
    row->rules = g_array_sized_new(FALSE, FALSE, sizeof(struct history_rule), spam->hits->len);
    for (guint i = 0; i < spam->hits->len; i++) {
        const struct spam_hit *hit = spam->hits->pdata[i];
        struct history_rule rule = {hit->name, hit->score};
        g_array_append_val(row->rules, rule);
    }
}

static const char *codes_text(struct history_row *row, const struct dns_answer *answer)
{
    enum { CODES_MAX = 16 };
    char text[CODES_MAX * IPADDR_TEXT_MAX], code[IPADDR_TEXT_MAX];
    char *end = text;
    for (size_t i = 0; i < answer->count && i < CODES_MAX; i++) {
        if (i > 0)
            *end++ = ' ';
        end = g_stpcpy(end, ipaddr_format(&answer->addresses[i], code));
    }
    return g_string_chunk_insert_len(history_row_memory(row), text, end - text);
}

static void take_lists(struct history_row *row, const struct dnsbl_lookup *lookup, bool weighted)
{
    struct dnsbl_asked asked;
    for (unsigned i = 0; lookup && dnsbl_lookup_asked(lookup, i, &asked); i++) {
        struct history_list list = {
            .query = asked.query,
            .zone = asked.zone,
            .what = asked.what,
            .kind = asked.kind,
            .place = asked.place,
            .verdict = asked.verdict,
            .reason = asked.reason,
            .weight = asked.weight,
            .weighted = weighted,
        };
        if (asked.answer && asked.answer->count > 0)
            list.codes = codes_text(row, asked.answer);
        if (!row->lists)
            row->lists = g_array_new(FALSE, FALSE, sizeof(struct history_list));
        g_array_append_val(row->lists, list);
    }
}

static void take_domain(void *data, const char *name, enum domaincheck_kind kind,
                        enum domaincheck_result result)
{
    struct history_row *row = data;
    struct history_domain domain = {name, kind, result};
    if (!row->domains)
        row->domains = g_array_new(FALSE, FALSE, sizeof(struct history_domain));
    g_array_append_val(row->domains, domain);
}

void history_row_from_event(struct history_row *row_r, const struct event *event)
{
    const struct facts *facts = event->facts;
    const struct message_facts *message = facts->message;
    *row_r = (struct history_row){
        .when = event->when ? event->when : g_get_real_time(),
        .action = event->action,
        .stage = event->stage,
        .check = event->check,
        .reply = event->reply,
        .text = event->text,
        .entry = event->entry,
        .session = event->session,
        .login = event->login,
        .monitor = event->monitor,
        .milliseconds = event->milliseconds,
        .saw_message = message != NULL,
        .size = message ? message->size : 0,
        .header_counted = event->header_counted,
        .header_bytes = event->header_counted ? event->header_bytes : 0,
        .header_lines = event->header_counted ? event->header_lines : 0,
        .entries_cut = event->entries_cut,
        .threshold = site_dnsbl_threshold(&event->policy->site, facts),
    };
    for (int kind = 0; event->permits && kind < LIST_COUNT; kind++) {
        row_r->permits[kind] = event->permits->by[kind];
        row_r->permit_entries[kind] = event->permits->entry[kind];
    }
    take_facts(row_r, facts);
    take_recipients(row_r, event);
    for (guint i = 0; event->details && i < event->details->len; i++) {
        const struct check_detail *from = event->details->pdata[i];
        struct history_detail to = {from->key, from->value};
        if (!row_r->details)
            row_r->details = g_array_new(FALSE, FALSE, sizeof to);
        g_array_append_val(row_r->details, to);
    }
    for (guint i = 0; event->entries && i < event->entries->len; i++) {
        const char *entry = event->entries->pdata[i];
        if (!row_r->entries)
            row_r->entries = g_array_new(FALSE, FALSE, sizeof entry);
        g_array_append_val(row_r->entries, entry);
    }
    if (event->stage == STAGE_MESSAGE) {
        row_r->asked = take_asked(event->asked);
        row_r->nobody_to_tell = facts_nobody_to_tell(facts);
        if (message && event->policy->records_header) {
            g_autoptr(GString) text = g_string_new(NULL);
            for (size_t i = 0; i < header_list_count(message->headers) && !row_r->header_cut; i++) {
                const struct header *header = header_list_get(message->headers, i);
                row_r->header_cut =
                    text->len + header->name_length + header->value_length + 2 > HISTORY_HEADER_MAX;
                if (!row_r->header_cut)
                    g_string_append_printf(text, "%s:%s\n", header->name, header->value);
            }
            row_r->header =
                g_string_chunk_insert_len(history_row_memory(row_r), text->str, (gssize)text->len);
        }
    }
    take_score(row_r, event);
    if (event->dns) {
        take_lists(row_r, dns_questions_weighted(event->dns), true);
        take_lists(row_r, dns_questions_zones(event->dns), false);
        dns_questions_domains(event->dns, take_domain, row_r);
    }
}
