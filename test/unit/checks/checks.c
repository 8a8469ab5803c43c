/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking restrictions.
 */
#include "checks.h"

#include <string.h>

#include "base/text.h"
#include "base/waiting.h"
#include "checks/dns_questions.h"
#include "checks/limit.h"
#include "checks/whose.h"
#include "mail/header.h"

/* Recipients of one message, at most. */
enum { RECIPIENTS_MAX = 8 };

static struct site make_site(struct problems *problems)
{
    const struct table_context context = {.problems = problems, .file = "test"};
    struct site site = {
        .mynetworks = match_list_open("192.0.2.0/24", MATCH_NETWORKS, &context),
        .local_domains = match_list_open("lab.test, .sub.test", MATCH_DOMAINS, &context),
        .login_domains = match_list_open("lab.test", MATCH_DOMAINS, &context),
        .origin = g_strdup("lab.test"),
        .recipient_delimiter = g_strdup("+"),
        .untrusted_listeners = text_split_list("onion", NULL),
        .submission_listeners = text_split_list("submission", NULL),
        .sasl_local_realms = text_split_list("lab.test", NULL),
        .auth_mechanisms = text_split_list("!LOGIN", NULL),
        .auth_min_ssf = 128,
        .max_visible_recipients = 3,
        .sender_login_maps = table_list_open(
            "inline:{bob@lab.test=bob, sales@lab.test=bob, carol@lab.test=carol}", true, &context),
        .relay_clientcerts = table_list_open("inline:{relay=yes}", true, &context),
        .dnsbl_weighted = dnsbl_set_new(),
        .dnsbl_zones = dnsbl_set_new(),
        .dnsbl_threshold = 1,
    };
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    return site;
}

static const char *get_macro(void *context, const char *name)
{
    const struct situation *in = context;
    const struct {
        const char *name, *value;
    } macros[] = {
        {"v", "Postfix 3.7.11"},
        {"{client_addr}", in->client  ? in->client
                          : in->local ? "127.0.0.1"
                                      : "203.0.113.9"},
        {"{client_name}", in->name},
        {"{client_ptr}", in->ptr ? in->ptr : in->name},
        {"{client_resolve}", in->local     ? NULL
                             : in->resolve ? in->resolve
                             : in->name    ? "OK"
                                           : "FAIL"},
        {"{client_port}", in->local ? "0" : "40000"},
        {"{daemon_name}", in->local      ? NULL
                          : in->listener ? in->listener
                                         : "smtp"},
        {"{daemon_port}", in->local ? "0" : "25"},
        {"{auth_authen}", in->login},
        {"{auth_type}", in->login ? (in->mechanism ? in->mechanism : "PLAIN") : NULL},
        {"{tls_version}", in->tls || in->subject ? "TLSv1.3" : NULL},
        {"{cipher_bits}", in->tls       ? in->tls
                          : in->subject ? "256"
                                        : NULL},
        {"{cert_subject}", in->subject},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(macros); i++)
        if (strcmp(macros[i].name, name) == 0)
            return macros[i].value;
    return NULL;
}

/* Facts as a session would have them when the list with the restriction is asked. */
static void tell(struct facts *facts, const struct situation *in, const struct site *site,
                 struct message_facts *message, struct header_list *headers)
{
    const struct macro_source macros = {.get = get_macro, .context = (void *)(uintptr_t)in};
    struct ipaddr address;
    g_assert_true(ipaddr_parse(get_macro((void *)(uintptr_t)in, "{client_addr}"), &address));
    const struct connection connection = {.host = "[client]", .address = &address};
    facts_init(facts);
    facts_connect(facts, &connection, &macros);
    site_judge_listener(site, facts);
    /* TLS and logins come behind a HELO. */
    bool greets = in->helo || in->tls || in->subject || in->login;
    if (greets)
        facts_helo(facts, in->helo ? in->helo : "client.example", &macros);
    const char *mail[] = {in->sender ? in->sender : "<>", in->smtputf8 ? "SMTPUTF8" : in->size,
                          NULL};
    const char *rcpt[] = {in->recipient, NULL};
    if (in->sender || in->login) {
        facts_mail(facts, mail, &macros);
        whose_sender(site, facts);
    }
    if (in->recipient) {
        facts_rcpt(facts, rcpt, &macros);
        whose_recipient(site, facts);
    }
    if (!in->header)
        return;
    g_auto(GStrv) lines = g_strsplit(in->header, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *colon = strchr(*line, ':');
        header_list_add(headers, *line, (size_t)(colon - *line), colon + 1, strlen(colon + 1));
    }
    static const char *recipients[RECIPIENTS_MAX];
    static unsigned profiles[RECIPIENTS_MAX];
    size_t count = in->profiles ? strlen(in->profiles) : in->recipient ? 1 : 0;
    g_assert_cmpuint(count, <=, RECIPIENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        recipients[i] = facts->recipient.text;
        profiles[i] = in->profiles ? (unsigned)g_ascii_digit_value(in->profiles[i]) : 0;
    }
    *message = (struct message_facts){
        .headers = headers,
        .body = in->body,
        .body_length = in->body ? strlen(in->body) : 0,
        .size = strlen(in->header) + (in->body ? strlen(in->body) : 0),
        .recipients = recipients,
        .meant =
            in->profiles ? recipients : (const char *const *)&facts->recipient_meant.address.text,
        .profiles = profiles,
        .recipient_count = count,
    };
    facts->message = message;
}

static void describe(GString *out, const struct check *check, enum check_result result)
{
    const struct check_effects *effects = check->effects;
    static const char *const words[] = {
        [CHECK_DUNNO] = "-", [CHECK_PERMIT] = "permit", [CHECK_CANNOT_TELL] = "cannot tell: ",
        [CHECK_REFUSE] = "", [CHECK_MORE] = "more: ",   [CHECK_WAIT] = "wait"};
    const char *no_permit = check->permit_reply ? check->permit_reply : "-";
    bool forbidden = result == CHECK_PERMIT && check->never_permits;
    g_string_append(out, forbidden ? no_permit : words[result]);
    g_string_append(out, result == CHECK_REFUSE        ? check->reply
                         : result == CHECK_CANNOT_TELL ? check->why
                                                       : "");
    for (guint i = 0; result == CHECK_MORE && i < check->more->len; i++) {
        const struct check_more *more = &g_array_index(check->more, struct check_more, i);
        g_string_append_printf(out, "%s%s of %s", i ? ", " : "", more->text, more->subject);
    }
    if (effects->hold)
        g_string_append_printf(out, " hold: %s", effects->hold);
    for (guint i = 0; effects->prepend && i < effects->prepend->len; i++)
        g_string_append_printf(out, " prepend: %s", (const char *)effects->prepend->pdata[i]);
    for (guint i = 0; effects->changes && i < effects->changes->len; i++) {
        const struct header_change *change = effects->changes->pdata[i];
        g_string_append_printf(out, " %s: %s %u", change->value ? "change" : "drop", change->name,
                               change->index);
        if (change->value)
            g_string_append_printf(out, " %s", change->value);
    }
    if (effects->defer_if_permit)
        g_string_append_printf(out, " defer_if_permit: %s", effects->defer_if_permit);
    if (effects->defer_if_reject)
        g_string_append_printf(out, " defer_if_reject: %s", effects->defer_if_reject);
    for (guint i = 0; i < check->notes->len; i++) {
        const struct check_note *note = &g_array_index(check->notes, struct check_note, i);
        g_string_append_printf(out, " %s: %s", action_word(note->action), note->text);
    }
}

static void describe_log(GString *out, const struct check_effects *effects)
{
    for (guint i = 0; effects->details && i < effects->details->len; i++) {
        const struct check_detail *detail = effects->details->pdata[i];
        g_string_append_printf(out, " %s=%s", detail->key, detail->value);
    }
    if (effects->charges && effects->charges->len > 0)
        g_string_append_printf(out, " charges: %u", effects->charges->len);
}

static void clear_note(void *data)
{
    struct check_note *note = data;
    g_free(note->text);
    g_free(note->entry);
}

static void read_argument(struct check_argument *argument, const struct restriction *restriction,
                          const char *text, struct site *site, struct problems *problems)
{
    const struct table_context context = {.problems = problems, .file = "test"};
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    switch (restriction->argument) {
    case ARGUMENT_HEADER_TABLE:
        argument->word = g_strdup(words[0]);
        argument->tables = table_list_open(words[1], true, &context);
        break;
    case ARGUMENT_ZONE:
        argument->zone = dnsbl_set_count(site->dnsbl_zones);
        dnsbl_set_add_zone(site->dnsbl_zones,
                           restriction->zone_places & DNSBL_CLIENT ? DNSBL_ADDRESS : DNSBL_NAME,
                           restriction->zone_places, text, problems, "test", 1);
        break;
    case ARGUMENT_LIMIT:
        argument->limit = limit_find(site->limits, text);
        g_assert_nonnull(argument->limit);
        break;
    default:
        argument->tables = table_list_open(text, true, &context);
    }
    if (problems_errors(problems) > 0)
        problems_print(problems, stderr);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
}

static void warn_once(void *data, const char *key, const char *text)
{
    (void)key;
    struct check_note note = {.action = ACTION_WARN, .text = g_strdup(text)};
    g_array_append_val((GArray *)data, note);
}

/* Asked again and again while it waits, as a session does it. */
static enum check_result answer(const struct restriction *restriction, struct check *check,
                                struct wait_budget *budget, struct waiting *waiting)
{
    enum check_result result;
    while ((result = restriction->run(check)) == CHECK_WAIT) {
        wait_budget_begin(budget, check->waits_for);
        waiting_sleep(waiting, wait_budget_deadline(budget));
    }
    return result;
}

static void ask(const struct surroundings *in, const struct check_row *row, struct site *site,
                struct problems *problems)
{
    g_auto(GStrv) words = g_strsplit(row->restriction, " ", 2);
    const struct restriction *restriction = restriction_find(words[0]);
    g_assert_nonnull(restriction);
    struct check_argument argument = {0};
    if (words[1])
        read_argument(&argument, restriction, words[1], site, problems);
    struct facts facts;
    struct message_facts message;
    struct header_list *headers = header_list_new();
    tell(&facts, &row->situation, site, &message, headers);
    struct check_effects effects = {0};
    struct check_errand errand = {0};
    struct waiting waiting;
    struct wait_budget budget = {0};
    waiting_init(&waiting);
    wait_budget_set(&budget, WAIT_DNS, G_TIME_SPAN_MINUTE);
    wait_budget_set(&budget, WAIT_STORE, G_TIME_SPAN_MINUTE);
    struct dns_questions *questions =
        in->resolver ? dns_questions_new(site, in->resolver, in->lists, &budget, waiting.waker)
                     : NULL;
    g_autoptr(GArray) notes = g_array_new(FALSE, FALSE, sizeof(struct check_note));
    g_array_set_clear_func(notes, clear_note);
    struct check check = {
        .name = restriction->name,
        .facts = &facts,
        .site = site,
        .argument = &argument,
        .budget = &budget,
        .waker = waiting.waker,
        .errand = &errand,
        .store = in->store,
        .memory = in->memory,
        .warner = {.warn_once = warn_once, .data = notes},
        .dns_questions = questions,
        .list = facts.message && !facts.has_recipient ? LIST_MESSAGE : LIST_RECIPIENT,
        .subject = "SUBJECT",
        .subject_class = "CLASS",
        .effects = &effects,
        .notes = notes,
    };
    g_autoptr(GString) says = g_string_new(NULL);
    describe(says, &check, answer(restriction, &check, &budget, &waiting));
    if (in->furnish)
        describe_log(says, &effects);
    g_test_message("%s", row->restriction);
    g_assert_cmpstr(says->str, ==, row->says);
    g_free(check.reply);
    g_free(check.why);
    g_clear_pointer(&check.more, g_array_unref);
    g_free(check.entry);
    check_errand_clear(&errand);
    check_effects_clear(&effects);
    dns_questions_free(questions);
    waiting_clear(&waiting);
    facts_clear(&facts);
    header_list_free(headers);
    table_list_free(argument.tables);
    g_free(argument.word);
}

void check_rows_in(const struct surroundings *surroundings, const struct check_row *rows,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct problems *problems = problems_new();
        struct site site = make_site(problems);
        if (surroundings->furnish)
            surroundings->furnish(&site);
        ask(surroundings, &rows[i], &site, problems);
        site_clear(&site);
        problems_free(problems);
    }
}

void check_rows(const struct check_row *rows, size_t count)
{
    check_rows_in(&(struct surroundings){0}, rows, count);
}
