/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of the history for a terminal.
 */
#include "report/history_text.h"

#include <string.h>

#include "base/text.h"
#include "base/when.h"
#include "policy/event.h"

enum { COLUMNS = 80, INDENT = 13 };

/* Recipients, rules and lists that are shown; --json has all. */
enum { SHOWN_MAX = 20 };

/* A line "  LABEL      TEXT", TEXT escaped and broken at spaces, or where there are none. */
static void put(GString *out, const char *label, const char *text)
{
    g_string_append_printf(out, "  %-*s", INDENT - 2, label);
    text_wrap(out, text, INDENT, COLUMNS);
}

/* One line, however long the restriction's name is: people search for it. */
static void put_head(GString *out, const struct history_row *row)
{
    g_autofree char *date = when_text(row->when / G_USEC_PER_SEC, "%Y-%m-%d %H:%M:%S");
    const char *permit = history_row_permit(row);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s  %s at %s", date, action_word(row->action),
                           stage_name(row->stage));
    if (row->check)
        g_string_append_printf(text, " by %s", row->check);
    else if (permit)
        g_string_append_printf(text, ", permitted by %s", permit);
    else if (row->action == ACTION_ACCEPT)
        g_string_append(text, ": nothing was against it");
    if (row->monitor)
        g_string_append(text, row->check ? " (mode = monitor: it passed)" : " (mode = monitor)");
    g_autofree char *line = text_escape(text->str);
    g_string_append_printf(out, "%s\n", line);
}

static void put_client(GString *out, const struct history_row *row)
{
    g_autofree char *listener = history_row_listener(row);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s[%s]", row->client_name ? row->client_name : "unknown",
                           row->client ? row->client : "unknown");
    if (row->reverse_name && g_strcmp0(row->reverse_name, row->client_name) != 0)
        g_string_append_printf(text, ", PTR %s", row->reverse_name);
    if (row->helo)
        g_string_append_printf(text, ", HELO %s", row->helo);
    put(out, "client", text->str);
    g_string_truncate(text, 0);
    g_string_append_printf(text, "%s, %s%s%s", listener ? listener : "not told",
                           row->tls_version ? row->tls_version : "clear text",
                           row->cipher_bits ? ", bits " : "",
                           row->cipher_bits ? row->cipher_bits : "");
    if (row->cert_subject)
        g_string_append_printf(text, ", certificate %s", row->cert_subject);
    if (row->without_smtp)
        g_string_append(text, ", without SMTP");
    if (row->untrusted)
        g_string_append(text, ", untrusted");
    put(out, "listener", text->str);
    if (row->login) {
        g_autofree char *login = g_strdup_printf("%s%s%s", row->login, row->auth_type ? " by " : "",
                                                 row->auth_type ? row->auth_type : "");
        put(out, "login", login);
    }
}

static void put_envelope(GString *out, const struct history_row *row)
{
    if (row->sender) {
        bool rewritten = row->sender_meant && strcmp(row->sender_meant, row->sender) != 0;
        g_autofree char *sender =
            g_strdup_printf("<%s>%s%s%s", row->sender, rewritten ? " (" : "",
                            rewritten ? row->sender_meant : "", rewritten ? ")" : "");
        put(out, "from", sender);
    }
    for (guint i = 0; row->recipients && i < row->recipients->len; i++) {
        const struct history_recipient *one =
            &g_array_index(row->recipients, struct history_recipient, i);
        if (i == SHOWN_MAX) {
            g_autofree char *more = g_strdup_printf("and %u more", row->recipients->len - i);
            put(out, "", more);
            break;
        }
        bool told = one->reply && g_strcmp0(one->reply, row->reply) != 0;
        g_autofree char *line = g_strdup_printf(
            "<%s>%s%s%s%s", one->address ? one->address : "", told ? ": " : "",
            told ? (one->check ? one->check : "") : "", told ? ": " : "", told ? one->reply : "");
        put(out, i == 0 ? "to" : "", line);
    }
}

static void put_lists(GString *out, const struct history_row *row)
{
    unsigned shown = 0;
    for (guint i = 0; row->lists && i < row->lists->len && shown < SHOWN_MAX; i++) {
        const struct history_list *one = &g_array_index(row->lists, struct history_list, i);
        g_autofree char *line = NULL;
        const char *what = one->what ? one->what : one->query;
        if (one->verdict == DNSBL_LISTED && one->weighted)
            line = g_strdup_printf("%s lists %s: %s, weight %" G_GINT64_FORMAT, one->zone, what,
                                   one->codes ? one->codes : "", one->weight);
        else if (one->verdict == DNSBL_LISTED)
            line =
                g_strdup_printf("%s lists %s: %s", one->zone, what, one->codes ? one->codes : "");
        else if (one->verdict == DNSBL_UNKNOWN)
            line = g_strdup_printf("%s about %s: no answer (%s)", one->zone, what,
                                   dnsbl_reason_text(one->reason, one->kind));
        else if (one->verdict == DNSBL_NOT_ASKED)
            line = g_strdup_printf("%s about %s: not asked (%s)", one->zone, what,
                                   dnsbl_reason_text(one->reason, one->kind));
        else
            continue;
        put(out, shown++ == 0 ? "lists" : "", line);
    }
}

static void put_score(GString *out, const struct history_row *row)
{
    if (!row->scored)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%.1f of %.1f%s", row->score, row->required,
                           row->tagged ? ", tagged" : "");
    if (row->profile)
        g_string_append_printf(text, ", profile %s", row->profile);
    for (guint i = 0; row->rules && i < row->rules->len && i < SHOWN_MAX; i++) {
        const struct history_rule *one = &g_array_index(row->rules, struct history_rule, i);
        g_string_append_printf(text, "%s %s %.1f", i ? "," : ":", one->name, one->score);
    }
    put(out, "score", text->str);
}

void history_text(const struct history_row *row, GString *out)
{
    put_head(out, row);
    if (row->reply)
        put(out, "reply", row->reply);
    if (row->text)
        put(out, "why", row->text);
    if (row->entry)
        put(out, "table", row->entry);
    put_client(out, row);
    put_envelope(out, row);
    g_autoptr(GString) details = g_string_new(NULL);
    for (guint i = 0; row->details && i < row->details->len; i++) {
        const struct history_detail *one = &g_array_index(row->details, struct history_detail, i);
        g_string_append_printf(details, "%s%s=%s", i ? " " : "", one->key,
                               one->value ? one->value : "");
    }
    if (details->len > 0)
        put(out, "details", details->str);
    g_autoptr(GString) permits = g_string_new(NULL);
    for (enum restriction_list_kind kind = 0; kind < LIST_COUNT; kind++)
        if (row->permits[kind])
            g_string_append_printf(permits, "%s%s: %s%s%s%s", permits->len ? ", " : "",
                                   permits_list_word(kind), row->permits[kind],
                                   row->permit_entries[kind] ? " (" : "",
                                   row->permit_entries[kind] ? row->permit_entries[kind] : "",
                                   row->permit_entries[kind] ? ")" : "");
    if (permits->len > 0)
        put(out, "permits", permits->str);
    put_lists(out, row);
    put_score(out, row);
    g_autofree char *ids =
        g_strdup_printf("%s, session %s", row->queue_id ? row->queue_id : "none (no message yet)",
                        row->session ? row->session : "not known");
    put(out, "queue id", ids);
    g_string_append_c(out, '\n');
}
