/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about what the header of a message says. All of it is what the sender likes it to
 * be: a refusal by it is safe, a permit by it is a door with a sign.
 */
#include "restrictions.h"

#include <string.h>

#include "base/effort.h"
#include "mail/header.h"
#include "mail/mailboxes.h"
#include "mail/mimeword.h"

/* Asks the tables for one address of a field; the first that is found decides. */
static enum lookup_status find_address(struct check *check, const char *text, access_answer *answer)
{
    struct mail_address address;
    mail_address_parse(text, &address);
    enum lookup_status status =
        search_address(check->argument->tables, &address, SEARCH_ACCESS,
                       check->site->recipient_delimiter, false, answer->value, answer->entry);
    mail_address_clear(&address);
    return status;
}

/* Asks for every address that a reader may find in the field. */
static enum lookup_status find_any_address(struct check *check, const struct header *header,
                                           struct effort *effort, access_answer *answer)
{
    struct mailboxes mailboxes;
    enum lookup_status status = LOOKUP_MISS;
    mailboxes_read(header->value, header->value_length, &mailboxes);
    for (guint i = 0; i < mailboxes.addresses->len && status == LOOKUP_MISS &&
                      !effort_is_spent(effort, TABLE_WORK_MAX);
         i++)
        status = find_address(check, mailboxes.addresses->pdata[i], answer);
    mailboxes_clear(&mailboxes);
    return status;
}

/* "<WHO>: From address rejected: cannot be read": nobody can say whose the message claims to be. */
static enum check_result refuse_unreadable(struct check *check, const struct header *header,
                                           const struct mailboxes *mailboxes, const char *class)
{
    enum { SHOWN_MAX = 100 };
    const char *first = mailboxes->addresses->len > 0 ? mailboxes->addresses->pdata[0] : NULL;
    g_autofree char *text = g_strndup(first ? first : header->value, SHOWN_MAX);
    return check_refuse(check, 553, "5.7.1", "<%s>: %s rejected: cannot be read", g_strstrip(text),
                        class);
}

enum check_result check_too_many_addresses(struct check *check)
{
    return check_refuse(check, 552, "5.3.4", "More addresses in one field than can be checked");
}

/* Asks for each address of one field From:. That one is permitted permits no other. */
static enum check_result check_from_field(struct check *check, const struct header *header,
                                          struct effort *effort)
{
    static const char class[] = "From address";
    struct mailboxes mailboxes;
    enum check_result result = CHECK_DUNNO;
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    mailboxes_read(header->value, header->value_length, &mailboxes);
    const GPtrArray *lists[] = {mailboxes.addresses,
                                mailboxes.addresses->len > 0 ? NULL : mailboxes.bare};
    for (size_t list = 0; list < G_N_ELEMENTS(lists); list++)
        for (guint i = 0; lists[list] && i < lists[list]->len && !access_is_final(result); i++) {
            const char *address = lists[list]->pdata[i];
            if (effort_is_spent(effort, TABLE_WORK_MAX)) {
                result = access_tables_take_too_long(check, check->argument->tables);
                break;
            }
            enum lookup_status status = find_address(check, address, &answer);
            if (status == LOOKUP_MISS)
                continue;
            result =
                access_stronger(access_conclude(check, status, &answer, address, class), result);
        }
    bool alone = header == header_list_first(check->facts->message->headers, "From");
    bool nobody = mailboxes.group && mailboxes.bare->len == 0;
    bool unreadable = mailboxes.malformed || !alone || (mailboxes.addresses->len == 0 && !nobody);
    if (!access_is_final(result) && mailboxes.truncated)
        result = check_too_many_addresses(check);
    else if (!access_is_final(result) && unreadable)
        result = refuse_unreadable(check, header, &mailboxes, class);
    mailboxes_clear(&mailboxes);
    return result;
}

enum check_result run_check_from_access(struct check *check)
{
    if (!check->facts->message)
        return CHECK_DUNNO;
    enum check_result result = CHECK_DUNNO;
    struct effort effort = effort_begin();
    const struct header *header = header_list_first(check->facts->message->headers, "From");
    for (; header && !access_is_final(result); header = header->next_same)
        result = access_stronger(check_from_field(check, header, &effort), result);
    return result;
}

/* A field as a reader sees it, then the addresses in it. */
static enum lookup_status find_field(struct check *check, const struct header *header,
                                     struct effort *effort, access_answer *answer)
{
    g_autoptr(GString) text = g_string_new(NULL);
    mimeword_decode_field(header->name, header->value, header->value_length, text);
    /* Tables are asked for text that ends at a NUL: one in an encoded word must hide nothing. */
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\0')
            text->str[i] = ' ';
    enum lookup_status status =
        table_list_find(check->argument->tables, text->str, answer->value, answer->entry);
    return status == LOOKUP_MISS ? find_any_address(check, header, effort, answer) : status;
}

enum check_result run_check_header_access(struct check *check)
{
    if (!check->facts->message)
        return CHECK_DUNNO;
    const char *name = check->argument->word;
    if (strcmp(name, HEADER_CHECKS) == 0)
        return run_header_checks(check);
    g_auto(access_answer) answer = {g_string_new(NULL), g_string_new(NULL)};
    enum lookup_status status = LOOKUP_MISS;
    struct effort effort = effort_begin();
    const struct header *header = header_list_first(check->facts->message->headers, name);
    for (; header && status == LOOKUP_MISS; header = header->next_same) {
        status = find_field(check, header, &effort, &answer);
        if (status == LOOKUP_MISS && effort_is_spent(&effort, TABLE_WORK_MAX))
            return access_tables_take_too_long(check, check->argument->tables);
    }
    return access_conclude(check, status, &answer, name, "Header field");
}

static enum check_result check_text_owner(struct check *check, const char *text, const char *class,
                                          bool allow_unknown)
{
    struct mail_address address;
    mail_address_parse(text, &address);
    enum check_result result = check_owner(check, &address, class, allow_unknown);
    mail_address_clear(&address);
    return result;
}

/* Whether it cannot be read whose a field is. Words alone are an address that an MTA completes, of
 * nobody who has not logged in; a group without members is nobody's, hence no login's. */
static bool is_unreadable(const struct check *check, const struct mailboxes *mailboxes, bool from)
{
    bool login = facts_has_login(check->facts);
    if (mailboxes->malformed || mailboxes->addresses->len > 0)
        return mailboxes->malformed;
    if (mailboxes->bare->len > 0)
        return !login;
    return mailboxes->group ? login : from;
}

/* Words beside addresses that are all right are a name ("Doe, John <john@lab.test>"), unless what
 * an MTA would make of them is another's address. */
static enum check_result judge_owners(struct check *check, const struct mailboxes *mailboxes,
                                      const char *class, struct effort *effort)
{
    enum check_result result = CHECK_DUNNO;
    bool named = mailboxes->addresses->len > 0;
    const GPtrArray *lists[] = {mailboxes->addresses, mailboxes->bare};
    for (size_t list = 0; list < G_N_ELEMENTS(lists); list++)
        for (guint i = 0; i < lists[list]->len && result == CHECK_DUNNO; i++)
            result = effort_is_spent(effort, TABLE_WORK_MAX)
                         ? access_tables_take_too_long(check, check->site->sender_login_maps)
                         : check_text_owner(check, lists[list]->pdata[i], class, list && named);
    return result;
}

/* Whose all fields called NAME are. There may be one (RFC 5322 3.6): of several, readers show the
 * first, the last or all. */
static enum check_result check_owners(struct check *check, const char *name, const char *class,
                                      struct effort *effort)
{
    const struct header *first = header_list_first(check->facts->message->headers, name);
    enum check_result result = CHECK_DUNNO;
    for (const struct header *header = first; header && result == CHECK_DUNNO;
         header = header->next_same) {
        struct mailboxes mailboxes;
        mailboxes_read(header->value, header->value_length, &mailboxes);
        bool unreadable = is_unreadable(check, &mailboxes, strcmp(name, "From") == 0);
        if (mailboxes.truncated)
            result = check_too_many_addresses(check);
        else if (!unreadable)
            result = judge_owners(check, &mailboxes, class, effort);
        if (result == CHECK_DUNNO && (unreadable || header != first))
            result = refuse_unreadable(check, header, &mailboxes, class);
        mailboxes_clear(&mailboxes);
    }
    return result;
}

enum check_result run_reject_from_login_mismatch(struct check *check)
{
    if (!check->facts->message || !check->site->sender_login_maps)
        return CHECK_DUNNO;
    struct effort effort = effort_begin();
    enum check_result result = check_owners(check, "From", "From address", &effort);
    return result != CHECK_DUNNO ? result
                                 : check_owners(check, "Sender", "Sender address", &effort);
}
