/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_header_access header_checks TABLE: a table as Postfix's header_checks(5) has it. It is
 * asked about each field of the header as it stands, name and colon included, with its own actions;
 * what would take mail elsewhere or throw it away is not among them.
 */
#include "restrictions.h"

#include <string.h>

#include "base/effort.h"
#include "mail/header.h"

/* Longest piece of a field that a note in the log shows. */
enum { SHOWN_MAX = 200 };

struct change {
    const char *name;
    unsigned index; /* among the fields of that name, from 1 */
    char *value;    /* NULL: the field goes */
};

/* A field that the table knows, and what is done about it. */
struct found {
    struct check *check;
    const struct header *field;
    const char *line; /* the whole field */
    const char *text; /* behind the action's word */
    GArray *changes;  /* of struct change */
};

static enum check_result act_dunno(struct found *found)
{
    (void)found;
    return CHECK_DUNNO;
}

/* What ends the table's part in this message. */
static enum check_result act_pass(struct found *found)
{
    (void)found;
    return CHECK_PERMIT;
}

static enum check_result act_reject(struct found *found)
{
    g_free(found->check->reply);
    found->check->reply = access_plain_reply(found->text, "message content rejected");
    return CHECK_REFUSE;
}

static enum check_result act_hold(struct found *found)
{
    struct check_effects *effects = found->check->effects;
    if (!effects->hold)
        effects->hold = g_strdup_printf("header %.*s: %s", SHOWN_MAX, found->line,
                                        *found->text ? found->text : "triggers HOLD action");
    return CHECK_DUNNO;
}

static enum check_result note(struct found *found, enum action action)
{
    struct check_note entry = {
        .action = action,
        .text = g_strdup_printf("header %.*s: %s", SHOWN_MAX, found->line, found->text)};
    g_array_append_val(found->check->notes, entry);
    return CHECK_DUNNO;
}

static enum check_result act_warn(struct found *found)
{
    return note(found, ACTION_WARN);
}

static enum check_result act_info(struct found *found)
{
    return note(found, ACTION_INFO);
}

static enum check_result act_prepend(struct found *found)
{
    check_effects_prepend(found->check->effects, access_header_line(found->text));
    return CHECK_DUNNO;
}

static unsigned index_of(const struct found *found)
{
    unsigned index = 1;
    const struct header *same =
        header_list_first(found->check->facts->message->headers, found->field->name);
    for (; same && same != found->field; same = same->next_same)
        index++;
    return index;
}

static enum check_result act_ignore(struct found *found)
{
    struct change change = {found->field->name, index_of(found), NULL};
    g_array_append_val(found->changes, change);
    return CHECK_DUNNO;
}

static enum check_result act_strip(struct found *found)
{
    note(found, ACTION_INFO);
    return act_ignore(found);
}

/* A milter changes the value of a field, not its name: another name goes on top. */
static enum check_result act_replace(struct found *found)
{
    g_autofree char *line = access_header_line(found->text);
    size_t name = strcspn(line, ": \t");
    bool same = name == found->field->name_length &&
                g_ascii_strncasecmp(line, found->field->name, name) == 0;
    if (!same)
        check_effects_prepend(found->check->effects, g_strdup(line));
    const char *value = strchr(line, ':') + 1;
    struct change change = {found->field->name, index_of(found),
                            same ? g_strdup(value + strspn(value, " \t")) : NULL};
    g_array_append_val(found->changes, change);
    return CHECK_DUNNO;
}

static const struct header_action {
    const char *word;
    enum check_result (*run)(struct found *found); /* NULL: not served */
    bool needs_header;
} actions[] = {
    {"REJECT", act_reject, false},  {"WARN", act_warn, false},      {"INFO", act_info, false},
    {"HOLD", act_hold, false},      {"DUNNO", act_dunno, false},    {"OK", act_dunno, false},
    {"PASS", act_pass, false},      {"IGNORE", act_ignore, false},  {"STRIP", act_strip, false},
    {"PREPEND", act_prepend, true}, {"REPLACE", act_replace, true}, {"DISCARD", NULL, false},
    {"FILTER", NULL, false},        {"REDIRECT", NULL, false},      {"BCC", NULL, false},
};

static const struct header_action *find_action(const char *value, const char **text_r)
{
    size_t length = strcspn(value, " \t");
    *text_r = value + length + strspn(value + length, " \t");
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
        if (strlen(actions[i].word) == length &&
            g_ascii_strncasecmp(actions[i].word, value, length) == 0)
            return &actions[i];
    return NULL;
}

char *header_checks_fault(const char *value, bool *forbidden_r)
{
    const char *text, *fault = NULL;
    const struct header_action *action = find_action(value, &text);
    *forbidden_r = action && !action->run;
    if (*forbidden_r)
        return g_strdup_printf("%s: gatepost never throws mail away nor sends it elsewhere; use "
                               "REJECT or HOLD, or leave this line to the MTA",
                               action->word);
    if (!action)
        return g_strdup_printf("\"%s\" is no action of header_checks(5)", value);
    if (action->needs_header)
        fault = access_need_header(text);
    return g_strdup(fault);
}

static enum check_result act(struct found *found, const char *value)
{
    bool forbidden;
    g_autofree char *fault = header_checks_fault(value, &forbidden);
    if (fault)
        return check_cannot_tell(found->check, "%s says \"%s\" of header \"%.*s\": %s",
                                 table_name(table_list_get(found->check->argument->tables, 0)),
                                 value, SHOWN_MAX, found->line, fault);
    return find_action(value, &found->text)->run(found);
}

/* The field as Postfix shows it to a table: folds are line ends. A NUL must hide nothing. */
static GString *whole_line(const struct header *field)
{
    GString *line = g_string_sized_new(field->name_length + field->value_length + 2);
    g_string_append_len(line, field->name, (gssize)field->name_length);
    g_string_append_c(line, ':');
    g_string_append_len(line, field->value, (gssize)field->value_length);
    for (gsize i = 0; i < line->len; i++)
        if (line->str[i] == '\0')
            line->str[i] = ' ';
    return line;
}

static enum check_result ask_about(struct check *check, const struct header *field, GArray *changes)
{
    g_autoptr(GString) line = whole_line(field), value = g_string_new(NULL);
    g_autoptr(GString) entry = g_string_new(NULL);
    struct found found = {.check = check, .field = field, .line = line->str, .changes = changes};
    switch (table_list_find(check->argument->tables, line->str, value, entry)) {
    case LOOKUP_HIT:
        check_rests_on(check, entry->str);
        return act(&found, value->str);
    case LOOKUP_MISS:
        return CHECK_DUNNO;
    default:
        return check_cannot_tell(check, "%s, asked about header \"%.*s\", cannot be asked",
                                 table_name(table_list_get(check->argument->tables, 0)), SHOWN_MAX,
                                 line->str);
    }
}

/* Changes are made from the last field to the first: an MTA counts anew after each. */
static void make_changes(struct check *check, GArray *changes)
{
    for (guint i = changes->len; i-- > 0;) {
        struct change *change = &g_array_index(changes, struct change, i);
        check_effects_change(check->effects, change->name, change->index, change->value);
        g_free(change->value);
    }
}

enum check_result run_header_checks(struct check *check)
{
    const struct header_list *headers = check->facts->message->headers;
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(struct change));
    enum check_result result = CHECK_DUNNO;
    struct effort effort = effort_begin();
    for (size_t i = 0; i < header_list_count(headers) && result == CHECK_DUNNO; i++) {
        const struct header *field = header_list_get(headers, i);
        result = effort_is_spent(&effort, TABLE_WORK_MAX)
                     ? access_tables_take_too_long(check, check->argument->tables)
                     : ask_about(check, field, changes);
    }
    make_changes(check, changes);
    return result == CHECK_PERMIT ? CHECK_DUNNO : result;
}

bool header_checks_line(const char *pattern, const char *header)
{
    static const char *const plain[] = {"subject",  "from",     "to",        "cc",
                                        "bcc",      "date",     "sender",    "received",
                                        "comments", "keywords", "precedence"};
    const char *p = pattern + (*pattern == '^');
    p += strspn(p, "(?:");
    size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    const char *end = p + length + strspn(p + length, ")\\s* ");
    g_autofree char *name = g_ascii_strdown(p, (gssize)length);
    bool known = g_ascii_strcasecmp(name, header) == 0 || memchr(name, '-', length);
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        known |= strcmp(name, plain[i]) == 0;
    return length > 0 && known && (*end == ':' || *end == '|');
}
