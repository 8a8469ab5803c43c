/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about what the header of a message says. All of it is what the sender likes it to
 * be: a refusal by it is safe, a permit by it is a door with a sign.
 */
#include "restrictions.h"

#include <string.h>

#include "mail/addrlist.h"
#include "mail/header.h"
#include "mail/mimeword.h"

/* Asks the tables for one address of a field; the first that is found decides. */
static enum lookup_status find_address(struct check *check, const char *text, GString *value)
{
    struct mail_address address;
    mail_address_parse(text, &address);
    enum lookup_status status = search_address(check->argument->tables, &address, SEARCH_ACCESS,
                                               check->site->recipient_delimiter, false, value);
    mail_address_clear(&address);
    return status;
}

/* The text of a field without its comments (RFC 5322 3.2.2), which may stand anywhere in it. */
static GString *without_comments(const char *text, size_t length)
{
    GString *out = g_string_sized_new(length);
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        bool escape = text[i] == '\\' && (quoted || depth > 0) && i + 1 < length;
        if (text[i] == '"' && depth == 0)
            quoted = !quoted;
        if (text[i] == '(' && !quoted)
            depth++;
        if (depth == 0)
            g_string_append_len(out, text + i, escape ? 2 : 1);
        if (text[i] == ')' && !quoted && depth > 0)
            depth--;
        i += escape;
    }
    return out;
}

/* Past the obsolete routes (RFC 5322 4.4: "@a,@b:") that TEXT, behind a "<", begins with. A colon
 * within a domain literal does not end one. */
static const char *skip_routes(const char *text)
{
    const char *p = text + strspn(text, " \t\r\n,");
    bool literal = false, route = *p == '@';
    for (; route && *p && !strchr("<>\"", *p); p++) {
        literal = *p == '[' || (literal && *p != ']');
        if (*p != ':' || literal)
            continue;
        text = p + 1;
        route = text[strspn(text, " \t\r\n,")] == '@';
    }
    return text;
}

/* A text that holds no comments without the routes in brackets. */
static GString *without_routes(const GString *text)
{
    GString *out = g_string_sized_new(text->len);
    bool quoted = false;
    for (const char *p = text->str; *p;) {
        char c = *p++;
        g_string_append_c(out, c);
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\' && *p)
            g_string_append_c(out, *p++);
        else if (!quoted && c == '<')
            p = skip_routes(p);
    }
    return out;
}

/* The same without routes, and without the white space that may stand around "@" and "." (RFC 5322
 * 4.4). */
static GString *plain_addresses(const char *text, size_t length)
{
    g_autoptr(GString) all = without_comments(text, length);
    g_autoptr(GString) bare = without_routes(all);
    GString *out = g_string_sized_new(bare->len);
    bool quoted = false;
    for (gsize i = 0; i < bare->len; i++) {
        gsize spaces = quoted ? 0 : strspn(bare->str + i, " \t\r\n");
        char next = bare->str[i + spaces], before = out->len > 0 ? out->str[out->len - 1] : ' ';
        if (spaces > 0 && (next == '@' || next == '.' || before == '@' || before == '.')) {
            i += spaces - 1;
            continue;
        }
        if (spaces > 0) {
            g_string_append_len(out, bare->str + i, (gssize)spaces);
            i += spaces - 1;
            continue;
        }
        if (bare->str[i] == '"')
            quoted = !quoted;
        g_string_append_c(out, bare->str[i]);
        if (quoted && bare->str[i] == '\\' && i + 1 < bare->len)
            g_string_append_c(out, bare->str[++i]);
    }
    return out;
}

static enum lookup_status find_in_text(struct check *check, const char *text, size_t length,
                                       GString *value, char **found_r)
{
    g_autoptr(GPtrArray) entries = addrlist_parse(text, length);
    for (guint i = 0; i < entries->len; i++) {
        const struct addrlist_entry *entry = entries->pdata[i];
        if (!entry->address)
            continue;
        enum lookup_status status = find_address(check, entry->address, value);
        if (status == LOOKUP_MISS)
            continue;
        *found_r = g_strdup(entry->address);
        return status;
    }
    return LOOKUP_MISS;
}

/* Addresses are taken as rules take them, then as the standard does: no comment hides one. */
static enum lookup_status find_any_address(struct check *check, const struct header *header,
                                           GString *value, char **found_r)
{
    size_t length = header->value_length;
    enum lookup_status status = find_in_text(check, header->value, length, value, found_r);
    if (status != LOOKUP_MISS)
        return status;
    g_autoptr(GString) plain = plain_addresses(header->value, length);
    return find_in_text(check, plain->str, plain->len, value, found_r);
}

/* Tables are asked for text that ends at a NUL: one in an encoded word must hide nothing. */
static void replace_nuls(GString *text)
{
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\0')
            text->str[i] = ' ';
}

enum check_result run_check_from_access(struct check *check)
{
    if (!check->facts->message)
        return CHECK_DUNNO;
    g_autoptr(GString) value = g_string_new(NULL);
    g_autofree char *found = NULL;
    enum lookup_status status = LOOKUP_MISS;
    const struct header *header = header_list_first(check->facts->message->headers, "From");
    for (; header && status == LOOKUP_MISS; header = header->next_same)
        status = find_any_address(check, header, value, &found);
    return access_conclude(check, status, value, found, "From address");
}

/* A field as a reader sees it, then the addresses in it. */
static enum lookup_status find_field(struct check *check, const struct header *header,
                                     GString *value)
{
    g_autoptr(GString) text = g_string_new(NULL);
    mimeword_decode_field(header->name, header->value, header->value_length, text);
    replace_nuls(text);
    enum lookup_status status = table_list_find(check->argument->tables, text->str, value);
    g_autofree char *found = NULL;
    return status == LOOKUP_MISS ? find_any_address(check, header, value, &found) : status;
}

enum check_result run_check_header_access(struct check *check)
{
    if (!check->facts->message)
        return CHECK_DUNNO;
    const char *name = check->argument->word;
    g_autoptr(GString) value = g_string_new(NULL);
    enum lookup_status status = LOOKUP_MISS;
    const struct header *header = header_list_first(check->facts->message->headers, name);
    for (; header && status == LOOKUP_MISS; header = header->next_same)
        status = find_field(check, header, value);
    return access_conclude(check, status, value, name, "Header field");
}

static enum check_result check_owners_in(struct check *check, const char *text, size_t length,
                                         const char *class)
{
    enum check_result result = CHECK_DUNNO;
    g_autoptr(GPtrArray) entries = addrlist_parse(text, length);
    for (guint i = 0; i < entries->len && result == CHECK_DUNNO; i++) {
        const struct addrlist_entry *entry = entries->pdata[i];
        struct mail_address address;
        mail_address_parse(entry->address ? entry->address : "", &address);
        result = check_owner(check, &address, class, false);
        mail_address_clear(&address);
    }
    /* What stands behind so many was not read. */
    if (result == CHECK_DUNNO && check->site->sender_login_maps && entries->len >= ADDRLIST_MAX)
        return check_refuse(check, 552, "5.3.4", "More addresses in one field than can be checked");
    return result;
}

/* Both ways of reading a field, as for tables: a reader's program may take either. */
static enum check_result check_owners(struct check *check, const char *name, const char *class)
{
    const struct header *header = header_list_first(check->facts->message->headers, name);
    enum check_result result = CHECK_DUNNO;
    for (; header && result == CHECK_DUNNO; header = header->next_same) {
        size_t length = header->value_length;
        g_autoptr(GString) plain = plain_addresses(header->value, length);
        result = check_owners_in(check, plain->str, plain->len, class);
        /* A login must not be refused for a comment that looks like an address. */
        if (result == CHECK_DUNNO && !facts_has_login(check->facts))
            result = check_owners_in(check, header->value, length, class);
    }
    return result;
}

enum check_result run_reject_from_login_mismatch(struct check *check)
{
    if (!check->facts->message)
        return CHECK_DUNNO;
    enum check_result result = check_owners(check, "From", "From address");
    return result != CHECK_DUNNO ? result : check_owners(check, "Sender", "Sender address");
}
