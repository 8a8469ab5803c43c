/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking restrictions.
 */
#include "checks.h"

#include <string.h>

#include "base/text.h"
#include "checks/whose.h"
#include "mail/header.h"

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
    const char *mail[] = {in->sender ? in->sender : "<>", in->smtputf8 ? "SMTPUTF8" : NULL, NULL};
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
    *message = (struct message_facts){.headers = headers};
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
                         : result == CHECK_MORE        ? check->more
                                                       : "");
    if (effects->hold)
        g_string_append_printf(out, " hold: %s", effects->hold);
    for (guint i = 0; effects->prepend && i < effects->prepend->len; i++)
        g_string_append_printf(out, " prepend: %s", (const char *)effects->prepend->pdata[i]);
    if (effects->defer_if_permit)
        g_string_append_printf(out, " defer_if_permit: %s", effects->defer_if_permit);
    if (effects->defer_if_reject)
        g_string_append_printf(out, " defer_if_reject: %s", effects->defer_if_reject);
    for (guint i = 0; i < check->notes->len; i++) {
        const struct check_note *note = &g_array_index(check->notes, struct check_note, i);
        g_string_append_printf(out, " %s: %s", action_word(note->action), note->text);
    }
}

static void clear_note(void *data)
{
    struct check_note *note = data;
    g_free(note->text);
    g_free(note->entry);
}

static void ask(const struct check_row *row, const struct site *site, struct problems *problems)
{
    g_auto(GStrv) words = g_strsplit(row->restriction, " ", 2);
    const struct restriction *restriction = restriction_find(words[0]);
    g_assert_nonnull(restriction);
    struct check_argument argument = {0};
    if (words[1] && restriction->argument == ARGUMENT_HEADER_TABLE) {
        g_auto(GStrv) both = g_strsplit(words[1], " ", 2);
        argument.word = g_strdup(both[0]);
        g_free(words[1]);
        words[1] = g_strdup(both[1]);
    }
    const struct table_context context = {.problems = problems, .file = "test"};
    if (words[1])
        argument.tables = table_list_open(words[1], true, &context);
    if (problems_errors(problems) > 0)
        problems_print(problems, stderr);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    struct facts facts;
    struct message_facts message;
    struct header_list *headers = header_list_new();
    tell(&facts, &row->situation, site, &message, headers);
    struct check_effects effects = {0};
    struct wait_budget budget = {0};
    g_autoptr(GArray) notes = g_array_new(FALSE, FALSE, sizeof(struct check_note));
    g_array_set_clear_func(notes, clear_note);
    struct check check = {
        .name = restriction->name,
        .facts = &facts,
        .site = site,
        .argument = &argument,
        .budget = &budget,
        .list = LIST_RECIPIENT,
        .subject = "SUBJECT",
        .subject_class = "CLASS",
        .effects = &effects,
        .notes = notes,
    };
    g_autoptr(GString) says = g_string_new(NULL);
    describe(says, &check, restriction->run(&check));
    g_test_message("%s", row->restriction);
    g_assert_cmpstr(says->str, ==, row->says);
    g_free(check.reply);
    g_free(check.why);
    g_free(check.more);
    g_free(check.more_subject);
    g_free(check.entry);
    check_effects_clear(&effects);
    facts_clear(&facts);
    header_list_free(headers);
    table_list_free(argument.tables);
    g_free(argument.word);
}

void check_rows(const struct check_row *rows, size_t count)
{
    struct problems *problems = problems_new();
    struct site site = make_site(problems);
    for (size_t i = 0; i < count; i++)
        ask(&rows[i], &site, problems);
    site_clear(&site);
    problems_free(problems);
}
