/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of the history as JSON.
 */
#include "report/history_text.h"
#include "report/json.h"
#include "report/logline.h"

/* The words of enumerations; they are part of the interface. */
static const char *const kind_words[] = {
    [DNSBL_ADDRESS] = "address", [DNSBL_NAME] = "name", [DNSBL_HASH] = "hash"};
static const char *const verdict_words[] = {[DNSBL_NOT_ASKED] = "not asked",
                                            [DNSBL_PENDING] = "not awaited",
                                            [DNSBL_LISTED] = "listed",
                                            [DNSBL_NOT_LISTED] = "not listed",
                                            [DNSBL_UNKNOWN] = "no answer"};
static const char *const result_words[] = {
    [CHECK_DUNNO] = "nothing",           [CHECK_PERMIT] = "permit",     [CHECK_REFUSE] = "refuse",
    [CHECK_CANNOT_TELL] = "cannot tell", [CHECK_MORE] = "restrictions", [CHECK_WAIT] = "wait"};
static const char *const exists_words[] = {
    [DOMAINCHECK_PENDING] = "not awaited", [DOMAINCHECK_EXISTS] = "exists",
    [DOMAINCHECK_NULL_MX] = "null MX",     [DOMAINCHECK_NOT_FOUND] = "not found",
    [DOMAINCHECK_MALFORMED] = "malformed", [DOMAINCHECK_CANNOT_TELL] = "no answer"};

static const char *place_word(enum dnsbl_place place)
{
    static const struct {
        enum dnsbl_place place;
        const char *word;
    } rows[] = {{DNSBL_CLIENT, "client"},   {DNSBL_PTR, "ptr"},
                {DNSBL_REVERSE, "reverse"}, {DNSBL_HELO, "helo"},
                {DNSBL_SENDER, "sender"},   {DNSBL_RECIPIENT, "recipient"},
                {DNSBL_FROM, "from"},       {DNSBL_REPLY_TO, "reply-to"}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].place == place)
            return rows[i].word;
    return NULL;
}

static void put_asked(GString *out, const GArray *asked)
{
    json_open(out, "asked", '[');
    for (guint i = 0; asked && i < asked->len; i++) {
        const struct history_asked *one = &g_array_index(asked, struct history_asked, i);
        json_open(out, NULL, '{');
        json_string(out, "check", one->name);
        json_string(out, "argument", one->argument);
        json_string(out, "said", result_words[one->result]);
        json_string(out, "reply", one->reply);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_recipients(GString *out, const struct history_row *row)
{
    json_open(out, "recipients", '[');
    for (guint i = 0; row->recipients && i < row->recipients->len; i++) {
        const struct history_recipient *one =
            &g_array_index(row->recipients, struct history_recipient, i);
        json_open(out, NULL, '{');
        json_string(out, "rcpt", one->address);
        json_string(out, "meant", one->meant);
        json_string(out, "verdict", action_word(one->action));
        json_string(out, "check", one->check);
        json_string(out, "reply", one->reply);
        json_string(out, "entry", one->entry);
        json_string(out, "mailer", one->mailer);
        json_string(out, "host", one->host);
        json_string(out, "resolved", one->resolved);
        put_asked(out, one->asked);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_dns(GString *out, const struct history_row *row)
{
    json_open(out, "lists", '[');
    for (guint i = 0; row->lists && i < row->lists->len; i++) {
        const struct history_list *one = &g_array_index(row->lists, struct history_list, i);
        json_open(out, NULL, '{');
        json_string(out, "zone", one->zone);
        json_string(out, "query", one->query);
        json_string(out, "what", one->what);
        json_string(out, "place", place_word(one->place));
        json_string(out, "kind", kind_words[one->kind]);
        json_string(out, "answer", verdict_words[one->verdict]);
        json_string(out, "why",
                    one->verdict == DNSBL_NOT_ASKED || one->verdict == DNSBL_UNKNOWN
                        ? dnsbl_reason_text(one->reason, one->kind)
                        : NULL);
        json_string(out, "codes", one->codes);
        json_integer(out, "weight", one->weight);
        json_bool(out, "weighted", one->weighted);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_open(out, "domains", '[');
    for (guint i = 0; row->domains && i < row->domains->len; i++) {
        const struct history_domain *one = &g_array_index(row->domains, struct history_domain, i);
        json_open(out, NULL, '{');
        json_string(out, "name", one->name);
        json_string(out, "asked", one->kind == DOMAINCHECK_MAIL ? "mail" : "host");
        json_string(out, "answer", exists_words[one->result]);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_score(GString *out, const struct history_row *row)
{
    if (row->scored) {
        json_number(out, "score", row->score, 3);
        json_number(out, "required", row->required, 3);
    } else {
        json_string(out, "score", NULL);
        json_string(out, "required", NULL);
    }
    /* rules that were cut off leave open what it was */
    if (row->least < row->most) {
        json_number(out, "score_least", row->least, 3);
        json_number(out, "score_most", row->most, 3);
    } else {
        json_string(out, "score_least", NULL);
        json_string(out, "score_most", NULL);
    }
    json_bool(out, "tagged", row->tagged);
    json_bool(out, "refused", row->refused);
    json_string(out, "ruleset", row->ruleset);
    json_string(out, "profile", row->profile);
    json_open(out, "rules", '[');
    for (guint i = 0; row->rules && i < row->rules->len; i++) {
        const struct history_rule *one = &g_array_index(row->rules, struct history_rule, i);
        json_open(out, NULL, '{');
        json_string(out, "name", one->name);
        json_number(out, "score", one->score, 3);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* A number; null where it is none. */
static void put_known(GString *out, const char *key, bool known, gint64 number)
{
    if (known)
        json_integer(out, key, number);
    else
        json_string(out, key, NULL);
}

/* What the client, or the MTA of it, said. */
static void put_facts(GString *out, const struct history_row *row)
{
    const struct {
        const char *key, *value;
    } rows[] = {
        {"mta", row->mta_version},
        {"mta_name", row->mta_name},
        {"reverse_name", row->reverse_name},
        {"client_name", row->client_name_macro},
        {"client_ptr", row->client_ptr},
        {"client_resolve", row->client_resolve},
        {"client_addr", row->client_addr},
        {"client_port", row->client_port},
        {"daemon_name", row->daemon_name},
        {"daemon_port", row->daemon_port},
        {"auth_authen", row->auth_authen},
        {"auth_type", row->auth_type},
        {"helo_auth_type", row->helo_auth_type},
        {"cipher", row->cipher},
        {"cipher_bits", row->cipher_bits},
        {"verify", row->verify},
        {"cert_subject", row->cert_subject},
        {"cert_issuer", row->cert_issuer},
        {"from_meant", row->sender_meant},
        {"mail_mailer", row->mail_mailer},
        {"mail_host", row->mail_host},
        {"mail_addr", row->mail_addr},
        {"header", row->header},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        json_string(out, rows[i].key, rows[i].value);
    json_bool(out, "has_address", row->has_address);
    json_bool(out, "without_smtp", row->without_smtp);
    json_bool(out, "untrusted", row->untrusted);
    json_bool(out, "submission", row->submission);
    json_bool(out, "login_in_clear", row->login_in_clear);
    json_bool(out, "smtputf8", row->smtputf8);
    json_bool(out, "sender_malformed", row->sender_malformed);
    json_bool(out, "nobody_to_tell", row->nobody_to_tell);
    json_bool(out, "saw_message", row->saw_message);
    json_integer(out, "announced_size", (gint64)row->announced_size);
    json_integer(out, "size", (gint64)row->size);
    json_bool(out, "header_cut", row->header_cut);
    put_known(out, "header_bytes", row->header_counted, (gint64)row->header_bytes);
    put_known(out, "header_lines", row->header_counted, (gint64)row->header_lines);
    put_known(out, "dnsbl_threshold", row->threshold != 0, row->threshold);
}

void history_json(const struct history_row *row, GString *out)
{
    g_autofree char *listener = history_row_listener(row);
    json_open(out, NULL, '{');
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(row->when / G_USEC_PER_SEC);
    g_autofree char *date = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : g_strdup("");
    g_autofree char *ts = g_strdup_printf("%s.%06dZ", date, (int)(row->when % G_USEC_PER_SEC));
    json_string(out, "ts", ts);
    json_integer(out, "v", LOGLINE_VERSION);
    json_integer(out, "id", row->id);
    json_string(out, "action", action_word(row->action));
    json_string(out, "stage", stage_name(row->stage));
    json_string(out, "check", row->check);
    json_string(out, "reply", row->reply);
    json_string(out, "entry", row->entry);
    json_string(out, "queue_id", row->queue_id);
    json_string(out, "client", row->client);
    json_string(out, "name", row->client_name);
    json_string(out, "helo", row->helo);
    json_string(out, "listener", listener);
    json_string(out, "sasl", row->login);
    json_string(out, "tls", row->tls_version);
    json_string(out, "from", row->sender && !*row->sender ? "<>" : row->sender);
    put_recipients(out, row);
    put_score(out, row);
    json_number(out, "ms", row->milliseconds, 1);
    json_string(out, "text", row->text);
    json_string(out, "mode", row->monitor ? "monitor" : "enforce");
    json_string(out, "permit", history_row_permit(row));
    json_open(out, "permits", '{');
    for (enum restriction_list_kind kind = 0; kind < LIST_COUNT; kind++)
        if (row->permits[kind])
            json_string(out, permits_list_word(kind), row->permits[kind]);
    json_close(out, '}');
    json_open(out, "permit_entries", '{');
    for (enum restriction_list_kind kind = 0; kind < LIST_COUNT; kind++)
        if (row->permit_entries[kind])
            json_string(out, permits_list_word(kind), row->permit_entries[kind]);
    json_close(out, '}');
    json_string(out, "session", row->session);
    json_open(out, "details", '{');
    for (guint i = 0; row->details && i < row->details->len; i++) {
        const struct history_detail *one = &g_array_index(row->details, struct history_detail, i);
        json_string(out, one->key, one->value);
    }
    json_close(out, '}');
    json_open(out, "entries", '[');
    for (guint i = 0; row->entries && i < row->entries->len; i++)
        json_string(out, NULL, g_array_index(row->entries, const char *, i));
    json_close(out, ']');
    json_bool(out, "entries_cut", row->entries_cut);
    put_asked(out, row->asked);
    put_dns(out, row);
    put_facts(out, row);
    json_close(out, '}');
}
