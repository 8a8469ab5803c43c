/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Searches in the history.
 */
#include "read_history.h"

#include <string.h>
#include <sysexits.h>

#include "answer_line.h"
#include "checks/whose.h"
#include "history/history_reader.h"
#include "history/history_writer.h"
#include "mail/address.h"
#include "policy/event.h"

enum {
    LAST_ROWS = 50,
    SEARCH_ROWS = 100,
    SEARCH_MICROSECONDS = 2 * G_USEC_PER_SEC,
    RECIPIENTS_SHOWN = 20,
};

struct finding {
    const struct snapshot *snapshot; /* NULL: without facts */
    GPtrArray *rows;                 /* of char *: lines of one row each */
};

static void put_fact(GString *out, const char *key, const char *value)
{
    if (value && *value)
        PUT_ANSWER(out, "fact", key, value);
}

/* A list may be named by a secret. */
static char *shown_zone(const struct snapshot *snapshot, const char *zone)
{
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++) {
        bool failed;
        char *shown = site_shown_list(&policy->site, zone, &failed);
        if (shown || failed)
            return shown ? shown : g_strdup("a DNS list");
    }
    return g_strdup(zone);
}

static char *list_words(const struct snapshot *snapshot, const struct history_list *list)
{
    g_autofree char *zone = shown_zone(snapshot, list->zone ? list->zone : "");
    const char *what = list->what ? list->what : "";
    switch (list->verdict) {
    case DNSBL_LISTED:
        return g_strdup_printf("%s lists %s: %s, weight %" G_GINT64_FORMAT, zone, what,
                               list->codes ? list->codes : "", list->weight);
    case DNSBL_UNKNOWN:
        return g_strdup_printf("%s about %s: no answer", zone, what);
    case DNSBL_NOT_ASKED:
        return g_strdup_printf("%s about %s: not asked, it was set aside", zone, what);
    default:
        return NULL;
    }
}

static void put_recipients(GString *out, const struct history_row *row)
{
    for (guint i = 0; row->recipients && i < MIN(row->recipients->len, RECIPIENTS_SHOWN); i++) {
        const struct history_recipient *one =
            &g_array_index(row->recipients, struct history_recipient, i);
        g_autofree char *words = g_strdup_printf("<%s> %s%s%s", one->address ? one->address : "",
                                                 action_word(one->action), one->check ? " by " : "",
                                                 one->check ? one->check : "");
        put_fact(out, i == 0 ? "recipients" : "", words);
    }
}

static void put_facts(GString *out, const struct snapshot *snapshot, const struct history_row *row)
{
    g_autofree char *listener = history_row_listener(row);
    g_autofree char *score =
        row->scored ? g_strdup_printf("%.1f of %.1f", row->score, row->required) : NULL;
    const struct {
        const char *key, *value;
    } facts[] = {
        {"permitted by", history_row_permit(row)},
        {"table entry", row->entry},
        {"PTR", row->reverse_name},
        {"HELO", row->helo},
        {"listener", listener},
        {"TLS", row->tls_version},
        {"cipher bits", row->cipher_bits},
        {"mechanism", row->auth_type},
        {"certificate", row->cert_subject},
        {"sender, as the MTA has it", row->sender_meant},
        {"MTA", row->mta_version},
        {"score", score},
        {"profile", row->profile},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++)
        put_fact(out, facts[i].key, facts[i].value);
    put_recipients(out, row);
    for (guint i = 0; row->rules && i < row->rules->len; i++) {
        const struct history_rule *rule = &g_array_index(row->rules, struct history_rule, i);
        g_autofree char *words = g_strdup_printf("%s %.1f", rule->name, rule->score);
        put_fact(out, i == 0 ? "rules" : "", words);
    }
    for (guint i = 0; row->lists && i < row->lists->len; i++) {
        g_autofree char *words =
            list_words(snapshot, &g_array_index(row->lists, struct history_list, i));
        put_fact(out, "DNS list", words);
    }
    for (guint i = 0; row->details && i < row->details->len; i++) {
        const struct history_detail *one = &g_array_index(row->details, struct history_detail, i);
        put_fact(out, one->key, one->value);
    }
}

static void put_decision(GString *out, const struct history_row *row)
{
    const struct history_recipient *last =
        row->recipients && row->recipients->len > 0
            ? &g_array_index(row->recipients, struct history_recipient, row->recipients->len - 1)
            : NULL;
    g_autofree char *more =
        row->recipients && row->recipients->len > 1 && last->address
            ? g_strdup_printf("%s and %u more", last->address, row->recipients->len - 1)
            : NULL;
    const char *to = more ? more : last ? last->address : NULL;
    g_autofree char *when = g_strdup_printf("%" G_GINT64_FORMAT, row->when);
    const char *check = row->check ? row->check : history_row_permit(row);
#define TEXT(text) ((text) ? (text) : "")
    PUT_ANSWER(out, "decision", when, action_word(row->action), stage_name(row->stage), TEXT(check),
               TEXT(row->reply), TEXT(row->client), TEXT(row->client_name),
               row->sender && *row->sender == '\0' ? "<>" : TEXT(row->sender), TEXT(to),
               TEXT(row->login), TEXT(row->session), TEXT(row->queue_id),
               row->monitor ? "monitor" : "", TEXT(row->text));
#undef TEXT
}

static bool take_row(void *data, const struct history_row *row)
{
    struct finding *finding = data;
    GString *lines = g_string_new(NULL);
    put_decision(lines, row);
    if (finding->snapshot)
        put_facts(lines, finding->snapshot, row);
    g_ptr_array_add(finding->rows, g_string_free(lines, FALSE));
    return true;
}

/* REVERSED: the newest were asked for first, and are wanted last. */
static int search(const char *path, const struct history_search *search,
                  const struct snapshot *snapshot, bool reversed, GString *out)
{
    g_autofree char *why = NULL;
    struct finding finding = {snapshot, g_ptr_array_new_with_free_func(g_free)};
    if (!path) {
        g_string_append(out, "no history is kept\n");
        g_ptr_array_unref(finding.rows);
        return EX_UNAVAILABLE;
    }
    struct history_reader *reader = history_reader_open(path, &why);
    bool found = reader && history_search(reader, search, take_row, &finding, &why);
    history_reader_close(reader);
    /* one more than is told was looked for, to say whether there are more */
    bool more = reversed && finding.rows->len == search->rows_max;
    if (more)
        g_ptr_array_set_size(finding.rows, (gint)search->rows_max - 1);
    for (guint i = 0; i < finding.rows->len; i++)
        g_string_append(out, finding.rows->pdata[reversed ? finding.rows->len - 1 - i : i]);
    /* time that is up is no failure of what was found */
    bool failed = !found && finding.rows->len == 0;
    if (failed)
        g_string_append_printf(out, "%s\n", why);
    else if (more)
        PUT_ANSWER(out, "more", "These are the newest only, there are more.");
    else if (reversed && !found)
        PUT_ANSWER(out, "more", "Not all was looked through in the time that there is.");
    g_ptr_array_unref(finding.rows);
    return failed ? EX_UNAVAILABLE : EX_OK;
}

int read_history_last(const char *path, GString *out)
{
    const struct history_search last = {.key = {.kind = HISTORY_ANY},
                                        .newest_first = true,
                                        .rows_max = LAST_ROWS,
                                        .microseconds = SEARCH_MICROSECONDS};
    return search(path, &last, NULL, false, out);
}

/* As trace has it, by the lists in force: the login that is ADDRESS's local part alone; for g_free.
 */
static char *login_of(const struct snapshot *snapshot, const char *address)
{
    struct mail_address parsed;
    const struct policy *policy;
    mail_address_parse(address, &parsed);
    g_autofree char *domain = mail_domain_fold(parsed.domain);
    bool owns = false;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++)
        owns |= whose_login_domain(&policy->site, domain) != LOOKUP_MISS;
    char *login = owns && *parsed.local ? g_strdup(parsed.local) : NULL;
    mail_address_clear(&parsed);
    return login;
}

int read_history_search(const char *path, const char *word, const struct snapshot *snapshot,
                        GString *out)
{
    struct history_search all = {
        .newest_first = true, .rows_max = SEARCH_ROWS + 1, .microseconds = SEARCH_MICROSECONDS};
    g_autofree char *text = word ? g_uri_unescape_string(word, NULL) : NULL;
    if (!text || !history_key_parse(text, &all.key)) {
        g_string_append(out, "usage: search ADDRESS|DOMAIN|IP|LOGIN|QUEUE-ID|SESSION\n");
        return EX_USAGE;
    }
    const struct history_options options = history_options_from(snapshot_settings(snapshot));
    g_autofree char *login =
        all.key.kind == HISTORY_ADDRESS ? login_of(snapshot, all.key.text) : NULL;
    all.key.delimiters = options.delimiters;
    all.key.login = login;
    return search(path, &all, snapshot, true, out);
}
