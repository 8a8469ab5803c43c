/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The texts of sources. A source yields pieces, one for each field or address; pieces that end in
 * a line end are joined as they are, others with a line end between them.
 */
#include "source.h"

#include <string.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/hostname.h"
#include "mail/mailboxes.h"
#include "mail/mimeword.h"

/* How many Received fields are asked for a recipient. */
#define RECEIVED_MAX 3

static void piece_free(gpointer data)
{
    g_string_free(data, TRUE);
}

static GPtrArray *pieces_new(void)
{
    return g_ptr_array_new_with_free_func(piece_free);
}

static const struct {
    const char *name;
    enum source_kind kind;
    bool exact; /* the case of the name matters */
} pseudo_fields[] = {
    {"ALL", SOURCE_ALL, true},
    {"MESSAGEID", SOURCE_MESSAGEID, true},
    {"ToCc", SOURCE_TOCC, false},
    {"EnvelopeFrom", SOURCE_ENVELOPE_FROM, false},
};

/* Pseudo-fields that SpamAssassin works out from the Received fields and its network settings. */
static bool is_relay_field(const char *name)
{
    static const char *const names[] = {"ALL-TRUSTED", "ALL-INTERNAL", "ALL-UNTRUSTED",
                                        "ALL-EXTERNAL", NULL};
    return g_strv_contains(names, name) || g_ascii_strncasecmp(name, "X-Spam-Relays-", 14) == 0;
}

static enum source_kind kind_of(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pseudo_fields); i++)
        if ((pseudo_fields[i].exact ? strcmp : g_ascii_strcasecmp)(name, pseudo_fields[i].name) ==
            0)
            return pseudo_fields[i].kind;
    return SOURCE_FIELD;
}

static enum source_status read_modifier(struct source *source, const char *word, const char **why_r)
{
    const struct {
        const char *word;
        bool *flag;
    } modifiers[] = {{"raw", &source->raw},
                     {"addr", &source->addr},
                     {"name", &source->display},
                     {"first", &source->first},
                     {"last", &source->last}};
    static const char *const others[] = {"host", "domain", "ip", "revip", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        if (strcmp(word, modifiers[i].word) == 0) {
            *modifiers[i].flag = true;
            return SOURCE_GOOD;
        }
    }
    bool known = g_strv_contains(others, word);
    *why_r = known ? "needs the list of top level domains" : "unknown modifier";
    return known ? SOURCE_SKIPPED : SOURCE_BAD;
}

static bool is_field_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("_.-", *p))
            return false;
    return *name;
}

/* Whether a field is one of those in which a spam filter leaves its verdict. SpamAssassin does not
 * see those that came with a message, but for ALL:raw. */
static bool is_verdict(const char *name)
{
    return (*name == 'X' || *name == 'x') && g_ascii_strncasecmp(name, "X-Spam-", 7) == 0;
}

enum source_status source_parse(const char *text, struct source *source_r, const char **why_r)
{
    enum source_status status = SOURCE_GOOD;
    memset(source_r, 0, sizeof *source_r);
    g_auto(GStrv) words = g_strsplit(text, ":", -1);
    source_r->name = g_strdup(words[0] ? words[0] : "");
    for (guint i = 1; words[0] && words[i] && status == SOURCE_GOOD; i++)
        if (words[i][0] || words[i + 1]) /* "Subject:" is Subject */
            status = read_modifier(source_r, words[i], why_r);
    if (status == SOURCE_GOOD && !is_field_name(source_r->name)) {
        *why_r = "is not the name of a header";
        status = SOURCE_BAD;
    } else if (status == SOURCE_GOOD && is_relay_field(source_r->name)) {
        *why_r = "needs SpamAssassin's view of the relays";
        status = SOURCE_SKIPPED;
    }
    source_r->kind = kind_of(source_r->name);
    source_r->verdict = is_verdict(source_r->name);
    source_r->key = header_key_of(source_r->name);
    if (status != SOURCE_GOOD)
        source_clear(source_r);
    return status;
}

struct source source_of_field(const char *name)
{
    return (struct source){.name = (char *)(uintptr_t)name,
                           .kind = kind_of(name),
                           .verdict = is_verdict(name),
                           .key = header_key_of(name)};
}

void source_clear(struct source *source)
{
    g_clear_pointer(&source->name, g_free);
}

char *source_key(const struct source *source)
{
    g_autofree char *name =
        source->kind == SOURCE_FIELD ? g_ascii_strdown(source->name, -1) : g_strdup("");
    return g_strdup_printf("%d %s%s%s%s%s%s", source->kind, name, source->raw ? ":r" : "",
                           source->addr ? ":a" : "", source->display ? ":n" : "",
                           source->first ? ":f" : "", source->last ? ":l" : "");
}

static const struct header *first_field(const struct source *source,
                                        const struct ruleset_message *message)
{
    return header_list_find(message->headers, source->name, &source->key);
}

/* The value as SpamAssassin keeps it, with its line end, cut where it is too long. */
static size_t kept_length(const struct header *field)
{
    return MIN(field->value_length, SOURCE_VALUE_MAX);
}

static void append_raw(const struct header *field, GString *out)
{
    text_append(out, field->value, kept_length(field));
    if (field->value_length < SOURCE_VALUE_MAX)
        g_string_append_c(out, '\n');
}

static void append_decoded(const struct header *field, GString *out)
{
    mimeword_decode_field(field->name, field->value, kept_length(field), out);
    g_string_append_c(out, '\n');
}

static void add_raw(GPtrArray *pieces, const struct header *field)
{
    GString *piece = g_string_sized_new(kept_length(field) + 2);
    append_raw(field, piece);
    g_ptr_array_add(pieces, piece);
}

static void add_decoded(GPtrArray *pieces, const struct header *field)
{
    GString *piece = g_string_sized_new(kept_length(field) + 2);
    append_decoded(field, piece);
    g_ptr_array_add(pieces, piece);
}

/* Makes each fold and the white space after it one space. */
static void unfold_raw(GString *piece)
{
    size_t to = 0;
    for (size_t i = 0; i < piece->len; i++) {
        if (piece->str[i] != '\n' || !g_ascii_isspace(piece->str[i + 1])) {
            piece->str[to++] = piece->str[i];
            continue;
        }
        if (to > 0 && piece->str[to - 1] == '\r')
            to--;
        while (i + 1 < piece->len && g_ascii_isspace(piece->str[i + 1]))
            i++;
        piece->str[to++] = ' ';
    }
    g_string_truncate(piece, to);
}

/* Adds all fields called NAME as SpamAssassin gives them to its pseudo-fields. */
static void add_fields(GPtrArray *pieces, const struct ruleset_message *message, const char *name,
                       bool raw)
{
    const struct header *field = header_list_first(message->headers, name);
    for (; field; field = field->next_same) {
        if (!raw) {
            add_decoded(pieces, field);
            continue;
        }
        add_raw(pieces, field);
        unfold_raw(pieces->pdata[pieces->len - 1]);
    }
}

/* A field's own pieces: addresses and names are taken out of the raw value. */
static void add_field(GPtrArray *pieces, const struct source *source,
                      const struct ruleset_message *message)
{
    const struct header *field = first_field(source, message);
    bool raw = source->raw || source->addr || source->display;
    for (; field; field = field->next_same)
        (raw ? add_raw : add_decoded)(pieces, field);
}

static void append_line(const struct header *field, GString *out)
{
    text_append(out, field->name, field->name_length);
    text_append(out, ": ", 2);
    append_decoded(field, out);
}

/* Where the line of a field stands in a text; without length: it does not count. */
struct stretch {
    size_t begin, length;
};

/* Keeps the lines that count when all together are too long: SpamAssassin takes the fields name
 * by name, in the order in which the names first occur, until it comes to the limit. */
static void choose_lines(GString *all, const struct stretch *lines,
                         const struct ruleset_message *message)
{
    size_t count = header_list_count(message->headers), size = 0, to = 0;
    g_autofree bool *kept = g_new0(bool, count + 1);
    for (size_t i = 0; i < count && size <= SOURCE_HEADER_MAX; i++) {
        const struct header *field = header_list_get(message->headers, i);
        if (lines[i].length == 0 || field != header_list_first(message->headers, field->name))
            continue;
        for (; field && size <= SOURCE_HEADER_MAX; field = field->next_same) {
            size += lines[field->index].length;
            kept[field->index] = size <= SOURCE_HEADER_MAX;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!kept[i])
            continue;
        memmove(all->str + to, all->str + lines[i].begin, lines[i].length);
        to += lines[i].length;
    }
    g_string_truncate(all, to);
}

/* ALL: every field as a line. */
static void append_all(const struct ruleset_message *message, GString *out)
{
    size_t count = header_list_count(message->headers);
    g_autofree struct stretch *lines = g_new0(struct stretch, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct header *field = header_list_get(message->headers, i);
        lines[i].begin = out->len;
        if (!is_verdict(field->name))
            append_line(field, out);
        lines[i].length = out->len - lines[i].begin;
    }
    if (out->len > SOURCE_HEADER_MAX)
        choose_lines(out, lines, message);
}

/* ALL:raw: every field as it came. */
static void append_all_raw(const struct ruleset_message *message, GString *out)
{
    size_t count = header_list_count(message->headers);
    for (size_t i = 0; i < count; i++) {
        const struct header *field = header_list_get(message->headers, i);
        text_append(out, field->name, field->name_length);
        g_string_append_c(out, ':');
        text_append(out, field->value, field->value_length);
        g_string_append_c(out, '\n');
    }
}

static const char *const id_fields[] = {"X-Message-Id", "Resent-Message-Id",
                                        "X-Original-Message-ID", "Message-Id"};

static void gather(GPtrArray *pieces, const struct source *source,
                   const struct ruleset_message *message)
{
    switch (source->kind) {
    case SOURCE_FIELD:
        add_field(pieces, source, message);
        break;
    case SOURCE_ALL:
        g_assert_not_reached(); /* append_all */
    case SOURCE_TOCC:
        add_fields(pieces, message, "To", source->raw);
        add_fields(pieces, message, "Cc", source->raw);
        break;
    case SOURCE_MESSAGEID:
        for (size_t i = 0; i < G_N_ELEMENTS(id_fields); i++)
            add_fields(pieces, message, id_fields[i], source->raw);
        break;
    case SOURCE_ENVELOPE_FROM:
        if (message->envelope_sender)
            g_ptr_array_add(pieces, g_string_new(message->envelope_sender));
        break;
    }
}

/* Adds the addresses, or the names, in one piece. */
static void add_entries(GPtrArray *pieces, const struct source *source, const GString *text)
{
    g_autoptr(GPtrArray) entries = addrlist_parse(text->str, text->len);
    for (guint i = 0; i < entries->len; i++) {
        const struct addrlist_entry *entry = entries->pdata[i];
        g_autofree char *decoded = NULL;
        const char *part = source->addr ? entry->address : entry->name;
        if (!part)
            continue;
        if (!source->addr && !source->raw)
            part = decoded = addrlist_display_name(entry);
        g_ptr_array_add(pieces, g_string_new(part));
    }
}

/* Keeps the first or the last piece, then takes out addresses or names. */
static GPtrArray *refine(GPtrArray *pieces, const struct source *source)
{
    if (source->first && pieces->len > 1)
        g_ptr_array_remove_range(pieces, 1, pieces->len - 1);
    else if (source->last && pieces->len > 1)
        g_ptr_array_remove_range(pieces, 0, pieces->len - 1);
    if (!source->addr && !source->display)
        return pieces;
    GPtrArray *refined = pieces_new();
    for (guint i = 0; i < pieces->len; i++)
        add_entries(refined, source, pieces->pdata[i]);
    g_ptr_array_unref(pieces);
    return refined;
}

static bool ends_line(const GString *text)
{
    return text->len > 0 && text->str[text->len - 1] == '\n';
}

/* Whether the message cannot have it; saves the work for the many fields that are not there. */
static bool is_absent(const struct source *source, const struct ruleset_message *message)
{
    return source->kind == SOURCE_FIELD && (source->verdict || !first_field(source, message));
}

/* Whether the text is just the values of one field's occurrences. */
static bool is_plain(const struct source *source)
{
    return source->kind == SOURCE_FIELD && !source->addr && !source->display && !source->first &&
           !source->last;
}

/* The first value decides how all are joined: one that was cut has no line end. */
static void append_values(const struct source *source, const struct ruleset_message *message,
                          GString *out)
{
    const struct header *first = first_field(source, message);
    bool lines = true;
    for (const struct header *field = first; field; field = field->next_same) {
        if (!lines)
            g_string_append_c(out, '\n');
        if (source->raw)
            append_raw(field, out);
        else
            append_decoded(field, out);
        lines = field == first ? ends_line(out) : lines;
    }
}

static size_t size_of_all(const struct header *field)
{
    size_t size = 0;
    for (; field; field = field->next_same)
        size += kept_length(field) + 1;
    return size;
}

static size_t fields_size(const struct ruleset_message *message, const char *name)
{
    return size_of_all(header_list_first(message->headers, name));
}

size_t source_size(const struct source *source, const struct ruleset_message *message)
{
    size_t size = 0;
    switch (source->kind) {
    case SOURCE_FIELD:
        return source->verdict ? 0 : size_of_all(first_field(source, message));
    case SOURCE_ALL:
        return header_list_bytes(message->headers);
    case SOURCE_TOCC:
        return fields_size(message, "To") + fields_size(message, "Cc");
    case SOURCE_MESSAGEID:
        for (size_t i = 0; i < G_N_ELEMENTS(id_fields); i++)
            size += fields_size(message, id_fields[i]);
        return size;
    default:
        return message->envelope_sender ? strlen(message->envelope_sender) + 1 : 0;
    }
}

bool source_text(const struct source *source, const struct ruleset_message *message, GString *out)
{
    g_string_truncate(out, 0);
    if (is_absent(source, message))
        return false;
    if (is_plain(source)) {
        append_values(source, message, out);
        return true;
    }
    if (source->kind == SOURCE_ALL) {
        (source->raw ? append_all_raw : append_all)(message, out);
        return out->len > 0;
    }
    GPtrArray *pieces = pieces_new();
    gather(pieces, source, message);
    pieces = refine(pieces, source);
    bool lines = pieces->len > 0 && ends_line(pieces->pdata[0]);
    for (guint i = 0; i < pieces->len; i++) {
        const GString *piece = pieces->pdata[i];
        if (i > 0 && !lines)
            g_string_append_c(out, '\n');
        g_string_append_len(out, piece->str, (gssize)piece->len);
    }
    bool found = pieces->len > 0;
    g_ptr_array_unref(pieces);
    return found;
}

/* Makes runs of dots one: a list with "a@b.example" means "a@b..example" too. */
static void squeeze_dots(char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++)
        if (*p != '.' || to == text || to[-1] != '.')
            *to++ = *p;
    *to = '\0';
}

static void add_addresses(GPtrArray *addresses, const struct ruleset_message *message,
                          const char *field, bool first)
{
    struct source source = source_of_field(field);
    source.addr = true;
    source.first = first;
    GPtrArray *pieces = pieces_new();
    gather(pieces, &source, message);
    pieces = refine(pieces, &source);
    for (guint i = 0; i < pieces->len; i++) {
        const GString *piece = pieces->pdata[i];
        char *address = g_ascii_strdown(piece->str, -1);
        squeeze_dots(address);
        g_ptr_array_add(addresses, address);
    }
    g_ptr_array_unref(pieces);
}

/* The recipient that an MTA noted in a Received field, " for <user@domain>;"; NULL: none. */
static char *received_recipient(const char *text)
{
    const char *begin = strstr(text, " for ");
    if (!begin)
        return NULL;
    begin += strlen(" for ");
    begin += *begin == '<';
    g_autofree char *word = g_strndup(begin, strcspn(begin, " \t\r\n\f\v"));
    char *at = strrchr(word, '@'), *end = at && at[1] ? strchr(at + 2, ';') : NULL;
    if (!end || at == word)
        return NULL;
    *end = '\0';
    if (end[-1] == '>')
        end[-1] = '\0';
    return strchr(at, '.') && hostname_valid(at + 1) ? g_ascii_strdown(word, -1) : NULL;
}

/* Adds the recipients noted in the topmost Received fields. */
static void add_received(GPtrArray *addresses, const struct ruleset_message *message)
{
    const struct header *field = header_list_first(message->headers, "Received");
    for (int i = 0; field && i < RECEIVED_MAX; i++, field = field->next_same) {
        g_autoptr(GString) text = g_string_new(NULL);
        append_decoded(field, text);
        char *address = received_recipient(text->str);
        if (address)
            g_ptr_array_add(addresses, address);
    }
}

static GPtrArray *gather_addresses(const struct ruleset_message *message, const char *const *resent,
                                   const char *const *fields)
{
    GPtrArray *addresses = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; resent[i]; i++)
        add_addresses(addresses, message, resent[i], true);
    if (addresses->len > 0)
        return addresses;
    for (size_t i = 0; fields[i]; i++)
        add_addresses(addresses, message, fields[i], false);
    return addresses;
}

static const char *const resent_from[] = {"Resent-From", NULL};
static const char *const from_fields[] = {
    "From", "Envelope-Sender", "Resent-Sender", "X-Envelope-From", "EnvelopeFrom", NULL};
static const char *const resent_to[] = {"Resent-To", "Resent-Cc", NULL};
static const char *const to_fields[] = {"To",
                                        "Apparently-To",
                                        "Delivered-To",
                                        "Envelope-Recipients",
                                        "Apparently-Resent-To",
                                        "X-Envelope-To",
                                        "Envelope-To",
                                        "X-Delivered-To",
                                        "X-Original-To",
                                        "X-Rcpt-To",
                                        "X-Real-To",
                                        "Cc",
                                        NULL};

size_t source_addresses_size(const struct ruleset_message *message)
{
    const char *const *const lists[] = {resent_from, from_fields, resent_to, to_fields};
    size_t size = 0;
    for (size_t list = 0; list < G_N_ELEMENTS(lists); list++)
        for (size_t i = 0; lists[list][i]; i++)
            size += fields_size(message, lists[list][i]);
    return size;
}

GPtrArray *source_from_addresses(const struct ruleset_message *message)
{
    return gather_addresses(message, resent_from, from_fields);
}

/* Adds what any reader may take for an address in the fields called NAME. */
static void add_readings(GPtrArray *addresses, const struct ruleset_message *message,
                         const char *name)
{
    const struct header *field = header_list_first(message->headers, name);
    for (; field; field = field->next_same) {
        struct mailboxes mailboxes;
        mailboxes_read(field->value, field->value_length, &mailboxes);
        for (guint i = 0; i < mailboxes.addresses->len; i++) {
            struct mail_address address;
            mail_address_parse(mailboxes.addresses->pdata[i], &address);
            g_autofree char *unquoted = mail_address_key(&address);
            g_ptr_array_add(addresses, g_ascii_strdown(unquoted, -1));
            squeeze_dots(addresses->pdata[addresses->len - 1]);
            mail_address_clear(&address);
        }
        mailboxes_clear(&mailboxes);
    }
}

GPtrArray *source_from_readings(const struct ruleset_message *message)
{
    GPtrArray *addresses = source_from_addresses(message);
    g_autoptr(GPtrArray) resent = g_ptr_array_new_with_free_func(g_free);
    add_addresses(resent, message, resent_from[0], true);
    const char *const *fields = resent->len > 0 ? resent_from : from_fields;
    for (size_t i = 0; fields[i]; i++)
        add_readings(addresses, message, fields[i]);
    return addresses;
}

GPtrArray *source_to_addresses(const struct ruleset_message *message)
{
    GPtrArray *addresses = gather_addresses(message, resent_to, to_fields);
    if (!header_list_first(message->headers, resent_to[0]) &&
        !header_list_first(message->headers, resent_to[1]))
        add_received(addresses, message);
    return addresses;
}
