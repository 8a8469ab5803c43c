/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The check_*_access restrictions: which key is asked of the table, and what its result means
 * (access(5)). A table may turn restrictions on, never let a client do what no address could.
 */
#include "access_action.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "checks/whose.h"

/* What a result speaks of, and the code and words it has when it says nothing of its own. */
struct access_result {
    struct check *check;
    const char *value;   /* the whole */
    const char *text;    /* behind the word */
    const char *subject; /* "<SUBJECT>: " */
    const char *class;   /* "Client host" */
    unsigned code;       /* of a result that is one */
};

/* RFC 3463 codes about addresses mean nothing for others than that address; as Postfix maps them.
 */
static const char *fit_address_code(const char *dsn, const char *class)
{
    static const struct {
        const char *digit, *sender, *recipient;
    } rows[] = {
        {"1", "4.1.7", "4.1.1"}, {"2", "4.1.8", "4.1.2"}, {"3", "4.1.7", "4.1.3"},
        {"4", "4.1.7", "4.1.4"}, {"5", "4.1.0", "4.1.5"}, {"6", "4.1.7", "4.1.6"},
        {"7", "4.1.7", "4.1.3"}, {"8", "4.1.8", "4.1.2"},
    };
    if (strncmp(dsn + 1, ".1.", 3) != 0)
        return dsn;
    bool sender = strcmp(class, "Sender address") == 0;
    if (!sender && strcmp(class, "Recipient address") != 0)
        return "4.0.0";
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(dsn + 4, rows[i].digit) == 0)
            return sender ? rows[i].sender : rows[i].recipient;
    return "4.1.0";
}

/* The length of an enhanced status code (RFC 3463) at the beginning of TEXT; 0 if there is none. */
static size_t enhanced_code_length(const char *text)
{
    if (!strchr("245", text[0]) || text[0] == '\0' || text[1] != '.')
        return 0;
    size_t subject = strspn(text + 2, "0123456789");
    if (subject == 0 || subject > 3 || text[2 + subject] != '.')
        return 0;
    size_t detail = strspn(text + 3 + subject, "0123456789");
    size_t length = 3 + subject + detail;
    if (detail == 0 || detail > 3 || (text[length] && !g_ascii_isspace(text[length])))
        return 0;
    return length;
}

static char *result_reply(const struct access_result *result, unsigned code,
                          const char *default_dsn, const char *default_text)
{
    size_t length = enhanced_code_length(result->text);
    const char *text = result->text + length;
    text += strspn(text, " \t");
    g_autofree char *dsn = length ? g_strndup(result->text, length) : g_strdup(default_dsn);
    return check_format_reply(code, fit_address_code(dsn, result->class), "<%s>: %s rejected: %s",
                              result->subject, result->class, *text ? text : default_text);
}

char *access_plain_reply(const char *text, const char *otherwise)
{
    size_t length = enhanced_code_length(text);
    g_autofree char *dsn = length ? g_strndup(text, length) : g_strdup("5.7.1");
    text += length + strspn(text + length, " \t");
    return check_format_reply(dsn[0] == '4' ? 450 : 550, dsn, "%s", *text ? text : otherwise);
}

static enum check_result refuse(struct access_result *result, unsigned code, const char *dsn)
{
    g_free(result->check->reply);
    result->check->reply = result_reply(result, code, dsn, "Access denied");
    return CHECK_REFUSE;
}

enum check_result access_cannot_tell(struct check *check, const char *subject, const char *value,
                                     const char *fault)
{
    g_autofree char *tables = check->argument && check->argument->tables
                                  ? table_list_names(check->argument->tables)
                                  : NULL;
    if (!value)
        return check_cannot_tell(check, "%s, asked about \"%s\", %s", tables ? tables : "a table",
                                 subject ? subject : "", fault);
    return check_cannot_tell(check, "%s says \"%s\" of \"%s\": %s", tables ? tables : "a table",
                             value, subject ? subject : "", fault);
}

enum check_result access_tables_take_too_long(struct check *check, const struct table_list *tables)
{
    g_autofree char *names = table_list_names(tables);
    return check_cannot_tell(check, "%s takes too long for a header of so many fields", names);
}

static enum check_result act_permit(struct access_result *result)
{
    (void)result;
    return CHECK_PERMIT;
}

static enum check_result act_dunno(struct access_result *result)
{
    (void)result;
    return CHECK_DUNNO;
}

static enum check_result act_reject(struct access_result *result)
{
    return refuse(result, 554, "5.7.1");
}

static enum check_result act_defer(struct access_result *result)
{
    return refuse(result, 450, "4.7.1");
}

static enum check_result act_code(struct access_result *result)
{
    return refuse(result, result->code, result->code < 500 ? "4.7.1" : "5.7.1");
}

static enum check_result act_defer_if_permit(struct access_result *result)
{
    return check_take_deferral(result->check,
                               result_reply(result, 450, "4.7.1", "Service unavailable"));
}

static enum check_result act_defer_if_reject(struct access_result *result)
{
    struct check_effects *effects = result->check->effects;
    if (!effects->defer_if_reject)
        effects->defer_if_reject = result_reply(result, 450, "4.7.1", "Service unavailable");
    return CHECK_DUNNO;
}

static enum check_result act_hold(struct access_result *result)
{
    struct check_effects *effects = result->check->effects;
    if (!effects->hold)
        effects->hold = g_strdup_printf("<%s>: %s %s", result->subject, result->class,
                                        *result->text ? result->text : "triggers HOLD action");
    return CHECK_DUNNO;
}

static enum check_result note(struct access_result *result, enum action action)
{
    struct check_note entry = {
        .action = action,
        .text = g_strdup_printf("<%s>: %s %s", result->subject, result->class, result->text)};
    g_array_append_val(result->check->notes, entry);
    return CHECK_DUNNO;
}

static enum check_result act_warn(struct access_result *result)
{
    return note(result, ACTION_WARN);
}

static enum check_result act_info(struct access_result *result)
{
    return note(result, ACTION_INFO);
}

/* Bytes of a line (RFC 5322 2.1.1). */
enum { HEADER_LINE_MAX = 998 };

/* TEXT as one line of a header: a table may put into it what a stranger sent ($1), and that must
 * not begin a field of its own. */
char *access_header_line(const char *text)
{
    size_t length = strnlen(text, HEADER_LINE_MAX + 1);
    if (length > HEADER_LINE_MAX)
        for (length = HEADER_LINE_MAX; length > 0 && (text[length] & 0xc0) == 0x80;)
            length--;
    char *line = g_strndup(text, length);
    for (char *p = line; *p; p++)
        if (g_ascii_iscntrl(*p) && *p != '\t')
            *p = '?';
    return line;
}

static enum check_result act_prepend(struct access_result *result)
{
    check_effects_prepend(result->check->effects, access_header_line(result->text));
    return CHECK_DUNNO;
}

static enum check_result act_forbidden(struct access_result *result)
{
    return access_cannot_tell(result->check, result->subject, result->value,
                              "which gatepost does not do");
}

const char *access_need_header(const char *text)
{
    size_t name = strcspn(text, ": \t");
    for (size_t i = 0; i < name; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return "a header name is printable ASCII";
    if (name >= HEADER_LINE_MAX) /* its colon would be cut off with what is too long */
        return "a header name is shorter than a line may be";
    return name > 0 && text[name] == ':' ? NULL
                                         : "what stands behind the word must be \"Header: value\"";
}

static const struct access_action actions[] = {
    {"OK", act_permit, NULL, false},
    {"RELAY", act_permit, NULL, false},
    {"DUNNO", act_dunno, NULL, false},
    {"REJECT", act_reject, NULL, false},
    {"DEFER", act_defer, NULL, false},
    {"DEFER_IF_PERMIT", act_defer_if_permit, NULL, false},
    {"DEFER_IF_REJECT", act_defer_if_reject, NULL, false},
    {"HOLD", act_hold, NULL, false},
    {"WARN", act_warn, NULL, false},
    {"INFO", act_info, NULL, false},
    {"PREPEND", act_prepend, access_need_header, false},
    {"DISCARD", act_forbidden, NULL, true},
    {"FILTER", act_forbidden, NULL, true},
    {"REDIRECT", act_forbidden, NULL, true},
    {"BCC", act_forbidden, NULL, true},
};

static const struct access_action action_number = {"OK", act_permit, NULL, false};
static const struct access_action action_code = {"code", act_code, NULL, false};

const struct access_action *access_action_of(const char *value, const char **text_r,
                                             unsigned *code_r)
{
    size_t length = strcspn(value, " \t");
    const char *text = value + length + strspn(value + length, " \t");
    *text_r = text;
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
        if (strlen(actions[i].word) == length &&
            g_ascii_strncasecmp(actions[i].word, value, length) == 0)
            return &actions[i];
    if (text_is_number(value))
        return &action_number;
    bool is_code = length == 3 && *text && strchr("45", value[0]) && g_ascii_isdigit(value[1]) &&
                   g_ascii_isdigit(value[2]);
    if (is_code)
        *code_r = (unsigned)strtoul(value, NULL, 10);
    return is_code ? &action_code : NULL;
}

static void clear_more(void *data)
{
    struct check_more *more = data;
    g_free(more->text);
    g_free(more->subject);
    g_free(more->entry);
}

/* Restrictions, behind those that the table gave for other addresses. */
static enum check_result add_more(struct check *check, const access_answer *answer,
                                  const char *subject, const char *class)
{
    const char *text = answer->value->str;
    if (!check->more) {
        check->more = g_array_new(FALSE, FALSE, sizeof(struct check_more));
        g_array_set_clear_func(check->more, clear_more);
    }
    for (guint i = 0; i < check->more->len; i++)
        if (strcmp(g_array_index(check->more, struct check_more, i).text, text) == 0)
            return CHECK_MORE;
    if (check->more->len >= CHECK_MORE_MAX)
        return access_cannot_tell(check, subject, text, "it names too many lists of restrictions");
    struct check_more more = {.text = g_strdup(text),
                              .subject = g_strdup(subject),
                              .class = class,
                              .entry = g_strdup(answer->entry->str)};
    g_array_append_val(check->more, more);
    return CHECK_MORE;
}

/* Carries out what a table said of SUBJECT. */
static enum check_result act(struct check *check, const access_answer *answer, const char *subject,
                             const char *class)
{
    const char *value = answer->value->str;
    struct access_result result = {
        .check = check, .value = value, .subject = subject, .class = class};
    const struct access_action *action = access_action_of(value, &result.text, &result.code);
    if (!action)
        return add_more(check, answer, subject, class);
    if (action->fault && action->fault(result.text))
        return access_cannot_tell(check, subject, value, action->fault(result.text));
    return action->run(&result);
}

enum check_result access_conclude(struct check *check, enum lookup_status status,
                                  const access_answer *answer, const char *subject,
                                  const char *class)
{
    enum check_result result;
    bool weaker;
    switch (status) {
    case LOOKUP_HIT:
        result = act(check, answer, subject, class);
        /* of one field's addresses, what was said of another may count for more */
        weaker = result == CHECK_DUNNO || (result == CHECK_PERMIT && check->more);
        if (!weaker || !check->entry)
            check_rests_on(check, answer->entry->str);
        else
            check_effects_entry(check->effects, answer->entry->str);
        return result;
    case LOOKUP_MISS:
        return CHECK_DUNNO;
    default:
        return access_cannot_tell(check, subject, NULL, "cannot be asked");
    }
}

void access_answer_clear(access_answer *answer)
{
    g_string_free(answer->value, TRUE);
    g_string_free(answer->entry, TRUE);
}

/* A permit that must not be: the fact it rests on is whatever the client likes it to be. */
static enum check_result forbid_permit(struct check *check, enum check_result result)
{
    check->never_permits = true;
    return result;
}

enum check_result run_check_client_access(struct check *check)
{
    const struct facts *facts = check->facts;
    if (facts->untrusted)
        return CHECK_DUNNO;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    g_autofree char *subject = facts_client_text(facts);
    enum lookup_status status = search_client(check->argument->tables, facts->client_name,
                                              &facts->address, answer.value, answer.entry);
    return access_conclude(check, status, &answer, subject, "Client host");
}

enum check_result run_check_reverse_client_hostname_access(struct check *check)
{
    const struct facts *facts = check->facts;
    if (facts->untrusted)
        return CHECK_DUNNO;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    enum lookup_status status = search_client(check->argument->tables, facts->reverse_name,
                                              &facts->address, answer.value, answer.entry);
    /* As in Postfix: whoever writes the PTR record would let himself in. */
    check->permit_reply = "451 4.3.5 Server configuration error";
    return forbid_permit(check, access_conclude(check, status, &answer, facts->reverse_name,
                                                "Unverified Client host"));
}

enum check_result run_check_helo_access(struct check *check)
{
    const char *helo = check->facts->helo;
    if (!helo)
        return CHECK_DUNNO;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    enum lookup_status status =
        search_domain(check->argument->tables, helo, answer.value, answer.entry);
    return access_conclude(check, status, &answer, helo, "Helo command");
}

/* What the tables say of an address of the envelope. */
struct address_question {
    struct check *check;
    const char *typed, *class;
    enum check_result result;
};

bool access_is_final(enum check_result result)
{
    return result == CHECK_REFUSE || result == CHECK_CANNOT_TELL;
}

enum check_result access_stronger(enum check_result one, enum check_result other)
{
    static const enum check_result order[] = {CHECK_REFUSE, CHECK_CANNOT_TELL, CHECK_MORE,
                                              CHECK_PERMIT};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        if (one == order[i] || other == order[i])
            return order[i];
    return CHECK_DUNNO;
}

static bool ask_address(void *data, const struct mail_address *address)
{
    struct address_question *question = data;
    struct check *check = question->check;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    enum lookup_status status =
        search_address(check->argument->tables, address, SEARCH_ACCESS,
                       check->site->recipient_delimiter, false, answer.value, answer.entry);
    question->result =
        access_stronger(access_conclude(check, status, &answer, question->typed, question->class),
                        question->result);
    return !access_is_final(question->result);
}

/* No permit may rest on what is not understood wholly. */
static enum check_result check_address(struct check *check, const struct mail_address *typed,
                                       const struct meant_address *meant, const char *class)
{
    struct address_question question = {
        .check = check, .typed = typed->text, .class = class, .result = CHECK_DUNNO};
    const struct mail_address *address = &meant->address;
    if (meant->untold)
        return check_cannot_tell(check, "a table of login_domains cannot be asked");
    whose_each(check->site, meant, ask_address, &question);
    bool doubtful = address->malformed || (!address->null && !*address->domain);
    return doubtful ? forbid_permit(check, question.result) : question.result;
}

enum check_result run_check_sender_access(struct check *check)
{
    if (!check->facts->in_message)
        return CHECK_DUNNO;
    return check_address(check, &check->facts->sender, &check->facts->sender_meant,
                         "Sender address");
}

enum check_result run_check_recipient_access(struct check *check)
{
    const struct mail_address *recipient = &check->facts->recipient;
    if (!check->facts->has_recipient)
        return CHECK_DUNNO;
    enum check_result result =
        check_address(check, recipient, &check->facts->recipient_meant, "Recipient address");
    /* What looks like one address may be delivered to another. */
    return recipient->routed || recipient->malformed ? forbid_permit(check, result) : result;
}

enum check_result run_check_sasl_access(struct check *check)
{
    g_autofree char *login = site_login(check->site, check->facts);
    if (!login)
        return CHECK_DUNNO;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    enum lookup_status status =
        table_list_find(check->argument->tables, login, answer.value, answer.entry);
    enum check_result result = access_conclude(check, status, &answer, login, "SASL login name");
    return site_authenticated(check->site, check->facts) ? result : forbid_permit(check, result);
}

enum check_result run_check_ccert_access(struct check *check)
{
    g_autofree char *subject = facts_verified_subject(check->facts);
    if (!subject)
        return CHECK_DUNNO;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    enum lookup_status status =
        table_list_find(check->argument->tables, subject, answer.value, answer.entry);
    return access_conclude(check, status, &answer, subject, "Client certificate");
}
