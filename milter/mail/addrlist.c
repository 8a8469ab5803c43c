/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tolerant reader of address lists. Entries are taken off the front one by one: a name and an
 * address in angle brackets, an address alone, or a name alone, each with a comment after it.
 * Where brackets are ambiguous ("<a@b>,<c@d>"), the longest content that leaves the rest readable
 * wins; the attempts are counted, so that no field costs more than its length allows.
 */
#include "mail/addrlist.h"

#include <stdbool.h>
#include <string.h>

#include "mail/mimeword.h"

/* Attempts at reading ambiguous brackets in one field. */
#define STEPS_MAX 20000

struct list_reader {
    const char *text;
    size_t length;
    unsigned steps;
};

/* A stretch of the text; begin > end: not there. */
struct span {
    size_t begin, end;
};

static const struct span nothing = {1, 0};

struct entry_spans {
    struct span phrase, angle, plain, comment;
};

static bool is_there(struct span span)
{
    return span.begin <= span.end;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_space(const struct list_reader *r, size_t pos)
{
    while (pos < r->length && is_space(r->text[pos]))
        pos++;
    return pos;
}

static bool is_at(const struct list_reader *r, size_t pos, char c)
{
    return pos < r->length && r->text[pos] == c;
}

/* End of the text that begins with the quote or parenthesis at POS and ends with CLOSE, backslashes
 * counting; 0 if it does not end. A comment that nests is none. */
static size_t enclosed_end(const struct list_reader *r, size_t pos, char close)
{
    for (pos++; pos < r->length; pos++) {
        char c = r->text[pos];
        if (c == close)
            return pos + 1;
        if (c == '(' && close == ')')
            return 0;
        if (c == '\\' && (++pos >= r->length || r->text[pos] == '\n'))
            return 0;
    }
    return 0;
}

/* End of the quoted and unquoted pieces of a display name at POS; POS if there is none. */
static size_t phrase_end(const struct list_reader *r, size_t pos)
{
    while (pos < r->length && r->text[pos] != ',' && r->text[pos] != ';' && r->text[pos] != '<') {
        if (r->text[pos] != '"') {
            pos++;
            continue;
        }
        size_t end = enclosed_end(r, pos, '"');
        if (end == 0)
            break;
        pos = end;
    }
    return pos;
}

/* What ends a local part or a domain. */
static bool is_special(char c)
{
    switch (c) {
    case '\0':
    case '<':
    case '>':
    case '(':
    case ')':
    case '[':
    case ']':
    case ',':
    case ':':
    case ';':
        return true;
    default:
        return is_space(c);
    }
}

static bool is_domain_char(char c)
{
    return c != '"' && !is_special(c);
}

static bool is_local_char(char c)
{
    return c != '@' && !is_special(c);
}

/* End of the domain at POS, a literal allowed; 0 if there is none. */
static size_t domain_end(const struct list_reader *r, size_t pos)
{
    size_t end = pos;
    while (end < r->length && is_domain_char(r->text[end]))
        end++;
    if (end > pos || !is_at(r, pos, '['))
        return end > pos ? end : 0;
    for (end = pos + 1; end < r->length && strchr("0123456789:.", r->text[end]); end++)
        if (!r->text[end])
            return 0;
    return end > pos + 1 && is_at(r, end, ']') ? end + 1 : 0;
}

/* End of the address local@domain at POS; 0 if there is none. */
static size_t address_end(const struct list_reader *r, size_t pos)
{
    size_t end = is_at(r, pos, '"') ? enclosed_end(r, pos, '"') : 0;
    if (end > 0 && is_at(r, end, '@') && domain_end(r, end + 1) > 0)
        return domain_end(r, end + 1);
    for (end = pos; end < r->length && is_local_char(r->text[end]);)
        end++;
    return end > pos && is_at(r, end, '@') ? domain_end(r, end + 1) : 0;
}

/* Whether an entry may end at POS: a comment, then a comma, a semicolon or the end of all. */
static bool read_tail(const struct list_reader *r, size_t pos, struct entry_spans *spans,
                      size_t *end_r)
{
    spans->comment = nothing;
    pos = skip_space(r, pos);
    if (is_at(r, pos, '(')) {
        size_t end = enclosed_end(r, pos, ')');
        if (end == 0)
            return false;
        spans->comment = (struct span){pos + 1, end - 1};
        pos = skip_space(r, end);
    }
    if (pos < r->length && r->text[pos] != ',' && r->text[pos] != ';')
        return false;
    *end_r = pos < r->length ? pos + 1 : pos;
    return true;
}

static size_t run_end(const struct list_reader *r, size_t pos)
{
    while (pos < r->length && !is_space(r->text[pos]))
        pos++;
    return pos;
}

/* Whether ">" follows POS after white space; *END_R is behind it. */
static bool closes_at(const struct list_reader *r, size_t pos, size_t *end_r)
{
    pos = skip_space(r, pos);
    *end_r = pos + 1;
    return is_at(r, pos, '>');
}

static bool read_repeats(struct list_reader *r, size_t pos, struct entry_spans *spans,
                         size_t *end_r);

/* Tries the ends FROM down to TO of a bracket's content until what follows can be read; returns
 * the one that does, or 0. */
static size_t try_ends(struct list_reader *r, size_t from, size_t to, struct entry_spans *spans,
                       size_t *end_r)
{
    for (size_t content = from; content >= to && content > 0; content--) {
        size_t after;
        if (!closes_at(r, content, &after))
            continue;
        if (r->steps == 0)
            return 0;
        r->steps--;
        if (read_repeats(r, after, spans, end_r))
            return content;
    }
    return 0;
}

/* Passes further brackets, which some programs write after the first, then the tail. */
static bool read_repeats(struct list_reader *r, size_t pos, struct entry_spans *spans,
                         size_t *end_r)
{
    size_t open = skip_space(r, pos);
    if (r->steps == 0)
        return false;
    r->steps--;
    if (is_at(r, open, '<')) {
        size_t begin = skip_space(r, open + 1), after;
        size_t quoted = is_at(r, begin, '"') ? enclosed_end(r, begin, '"') : 0;
        if (quoted > 0 && try_ends(r, run_end(r, quoted), quoted + 1, spans, end_r))
            return true;
        if (begin < r->length && try_ends(r, run_end(r, begin), begin + 1, spans, end_r))
            return true;
        if (closes_at(r, begin, &after) && read_repeats(r, after, spans, end_r))
            return true;
    }
    return read_tail(r, pos, spans, end_r);
}

/* Reads "<...>" at POS. */
static bool read_angle(struct list_reader *r, size_t pos, struct entry_spans *spans, size_t *end_r)
{
    if (!is_at(r, pos, '<'))
        return false;
    size_t begin = skip_space(r, pos + 1), stop = begin, after;
    while (stop < r->length && r->text[stop] != '>' && r->text[stop] != '@')
        stop++;
    size_t content = try_ends(r, run_end(r, stop), stop + 1, spans, end_r);
    if (content == 0 && is_at(r, stop, '>') && stop > begin) {
        size_t last = stop;
        while (last > begin && is_space(r->text[last - 1]))
            last--;
        content = read_repeats(r, stop + 1, spans, end_r) ? last : 0;
    }
    if (content == 0 && closes_at(r, begin, &after) && read_repeats(r, after, spans, end_r))
        content = begin;
    spans->angle = (struct span){begin, content};
    return content > 0;
}

/* Reads one entry at POS; *END_R is where the next begins. */
static bool read_entry(struct list_reader *r, size_t pos, struct entry_spans *spans, size_t *end_r)
{
    *spans = (struct entry_spans){nothing, nothing, nothing, nothing};
    pos = skip_space(r, pos);
    size_t phrase = phrase_end(r, pos);
    if (phrase > pos && read_angle(r, phrase, spans, end_r)) {
        spans->phrase = (struct span){pos, phrase};
        return true;
    }
    if (read_angle(r, pos, spans, end_r))
        return true;
    spans->angle = nothing;
    size_t address = address_end(r, pos);
    if (address > 0 && read_tail(r, address, spans, end_r)) {
        spans->plain = (struct span){pos, address};
        return true;
    }
    if (phrase > pos && read_tail(r, phrase, spans, end_r)) {
        spans->phrase = (struct span){pos, phrase};
        return true;
    }
    return false;
}

/* Whether the whole TEXT is one address. */
static bool is_address(const char *text, size_t length)
{
    struct list_reader r = {text, length, STEPS_MAX};
    size_t end = address_end(&r, 0);
    return end > 0 && (end == length || (end == length - 1 && text[end] == '\n'));
}

/* Whether what looks like an address is none after all: a lone quote, an empty quoted name. */
static bool is_plausible(const char *address)
{
    const char *quote = strchr(address, '"');
    return !(quote && !strchr(quote + 1, '"')) && !g_str_has_prefix(address, "\"\"@");
}

static bool is_label(const char *label, bool underscore_allowed)
{
    size_t length = strlen(label);
    if (length < 1 || length > 63 || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' &&
            !(label[i] == '_' && underscore_allowed))
            return false;
    return true;
}

/* Whether HOST is a name of at least two labels. */
static bool is_fqdn(const char *host)
{
    size_t length = strlen(host);
    while (length > 0 && host[length - 1] == '.')
        length--;
    if (length > 253)
        return false;
    g_autofree char *name = g_strndup(host, length);
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    guint count = g_strv_length(labels);
    for (guint i = 0; i < count; i++)
        if (!is_label(labels[i], i + 2 < count))
            return false;
    return count >= 2;
}

/* Whether the name is in fact an address whose domain could exist. */
static bool is_bare_address(const char *name)
{
    if (!is_address(name, strlen(name)) || !is_plausible(name))
        return false;
    g_autofree char *host = g_strdup(strchr(name, '@') + 1);
    char *second = strchr(host, '@');
    if (second)
        *second = '\0';
    return is_fqdn(host);
}

/* Appends the text without its comments. */
static void append_without_comments(const char *text, size_t length, GString *out)
{
    struct list_reader r = {text, length, 0};
    for (size_t i = 0; i < length; i++) {
        size_t end = text[i] == '(' ? enclosed_end(&r, i, ')') : 0;
        if (end > 0)
            i = end - 1;
        else
            g_string_append_c(out, text[i]);
    }
}

/* Appends the inside of a quoted string, its backslashes resolved. */
static void append_unquoted(const char *text, size_t length, GString *out)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\\' || (i + 1 < length && text[i + 1] == '\\'))
            g_string_append_c(out, text[i]);
}

/* The display name of the pieces at SPAN. */
static char *phrase_text(const struct list_reader *r, struct span span)
{
    GString *out = g_string_new(NULL);
    for (size_t pos = span.begin; pos < span.end;) {
        size_t end = pos;
        if (r->text[pos] == '"' && (end = enclosed_end(r, pos, '"')) > 0) {
            append_unquoted(r->text + pos + 1, end - pos - 2, out);
        } else {
            for (end = pos + (r->text[pos] == '"'); end < span.end && r->text[end] != '"';)
                end++;
            append_without_comments(r->text + pos, end - pos, out);
        }
        pos = end;
    }
    return g_string_free(out, FALSE);
}

static char *span_text(const struct list_reader *r, struct span span)
{
    return is_there(span) ? g_strndup(r->text + span.begin, span.end - span.begin) : NULL;
}

/* Cuts an address at its second "@". */
static void cut_address(char *address)
{
    char *at = strchr(address, '@');
    char *second = at ? strchr(at + 1, '@') : NULL;
    if (second)
        *second = '\0';
}

static char *angle_address(const struct list_reader *r, struct span span)
{
    GString *out = g_string_new(NULL);
    append_without_comments(r->text + span.begin, span.end - span.begin, out);
    bool good = is_address(out->str, out->len);
    return g_string_free(out, !good);
}

/* Whether NAME says nothing that the address does not. */
static bool name_is_redundant(const char *name, const char *address)
{
    return !*name || (address && strcmp(name, address) == 0);
}

static struct addrlist_entry *entry_new(const struct list_reader *r,
                                        const struct entry_spans *spans)
{
    struct addrlist_entry *entry = g_new0(struct addrlist_entry, 1);
    entry->address =
        is_there(spans->angle) ? angle_address(r, spans->angle) : span_text(r, spans->plain);
    if (entry->address && !is_plausible(entry->address))
        g_clear_pointer(&entry->address, g_free);
    if (is_there(spans->phrase))
        entry->name = phrase_text(r, spans->phrase);
    if (entry->name && !entry->address && is_bare_address(entry->name))
        entry->address = g_steal_pointer(&entry->name);
    else if (entry->name && name_is_redundant(entry->name, entry->address))
        g_clear_pointer(&entry->name, g_free);
    if (!entry->name)
        entry->name = span_text(r, spans->comment);
    if (entry->address)
        cut_address(entry->address);
    return entry;
}

static void entry_free(gpointer data)
{
    struct addrlist_entry *entry = data;
    g_free(entry->address);
    g_free(entry->name);
    g_free(entry);
}

/* In a field that cannot be read further, addresses in brackets still count. */
static void read_rest(const struct list_reader *r, size_t pos, GPtrArray *entries)
{
    for (; pos < r->length && entries->len < ADDRLIST_MAX; pos++) {
        size_t end = r->text[pos] == '<' ? address_end(r, pos + 1) : 0;
        if (end == 0 || !is_at(r, end, '>'))
            continue;
        struct addrlist_entry *entry = g_new0(struct addrlist_entry, 1);
        entry->address = g_strndup(r->text + pos + 1, end - pos - 1);
        pos = end;
        if (!is_plausible(entry->address)) {
            entry_free(entry);
            continue;
        }
        cut_address(entry->address);
        g_ptr_array_add(entries, entry);
    }
}

/* The value without white space at its end, pairs of backslashes and the name of a group; without
 * NUL too, which an MTA lets nobody see (Sendmail drops it, Postfix cuts there). */
static GString *prepare(const char *value, size_t length)
{
    GString *out = g_string_sized_new(length + 1);
    while (length > 0 && is_space(value[length - 1]))
        length--;
    for (size_t i = 0; i < length; i++) {
        if (value[i] == '\\' && i + 1 < length && value[i + 1] == '\\')
            i++;
        else if (value[i] != '\0')
            g_string_append_c(out, value[i]);
    }
    size_t colon = 0;
    size_t plain = strcspn(out->str, "\"()<>");
    for (size_t i = 0; i < plain; i++)
        if (out->str[i] == ':')
            colon = i;
    if (colon == 0)
        return out;
    g_string_erase(out, 0, (gssize)colon + 1);
    struct list_reader r = {out->str, out->len, 0};
    g_string_erase(out, 0, (gssize)skip_space(&r, 0));
    if (out->len > 0 && out->str[0] == ';')
        g_string_truncate(out, 0);
    return out;
}

/* Whether brackets without white space between them, "<a@b>,<c@d>", were read as one. */
static bool is_run(const struct list_reader *r, struct span angle)
{
    return is_there(angle) && memchr(r->text + angle.begin, '>', angle.end - angle.begin);
}

/* Adds what such brackets hold. */
static void read_run(const struct list_reader *r, struct span angle, GPtrArray *entries)
{
    g_autofree char *text =
        g_strdup_printf("<%.*s>", (int)(angle.end - angle.begin), r->text + angle.begin);
    struct list_reader run = {text, strlen(text), 0};
    guint before = entries->len;
    read_rest(&run, 0, entries);
    struct addrlist_entry *own = entries->pdata[before - 1];
    if (own->address || entries->len == before)
        return;
    struct addrlist_entry *first = entries->pdata[before];
    own->address = g_steal_pointer(&first->address);
    g_ptr_array_remove_index(entries, before);
}

/* Reads all entries, those within runs of brackets too if RUNS; returns whether there was a run. */
static bool read_entries(struct list_reader *r, bool runs, GPtrArray *entries)
{
    struct entry_spans spans;
    size_t pos = 0, end;
    bool met = false;
    while (pos < r->length && entries->len < ADDRLIST_MAX && read_entry(r, pos, &spans, &end)) {
        g_ptr_array_add(entries, entry_new(r, &spans));
        bool run = is_run(r, spans.angle);
        if (run && runs)
            read_run(r, spans.angle, entries);
        met |= run;
        pos = end;
    }
    read_rest(r, pos, entries);
    return met;
}

/* SpamAssassin has its second reader, Email::Address::XS, look into runs of brackets where the
 * first one finds fewer entries than there are commas between. */
GPtrArray *addrlist_parse(const char *value, size_t length)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    g_autoptr(GString) text = prepare(value, length);
    struct list_reader r = {text->str, text->len, STEPS_MAX};
    size_t expected = 1;
    for (size_t i = 0; i < length; i++)
        expected += value[i] == ',';
    if (skip_space(&r, 0) == r.length)
        return entries;
    if (read_entries(&r, false, entries) && entries->len < expected) {
        g_ptr_array_set_size(entries, 0);
        r.steps = STEPS_MAX;
        read_entries(&r, true, entries);
    }
    return entries;
}

/* Makes each run of white space one space and drops it at the ends. */
static void squeeze_space(GString *text)
{
    size_t to = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (!is_space(text->str[i]))
            text->str[to++] = text->str[i];
        else if (to > 0 && text->str[to - 1] != ' ')
            text->str[to++] = ' ';
    }
    if (to > 0 && text->str[to - 1] == ' ')
        to--;
    g_string_truncate(text, to);
}

char *addrlist_display_name(const struct addrlist_entry *entry)
{
    GString *out = g_string_new(NULL);
    if (!entry->name)
        return g_string_free(out, FALSE);
    mimeword_decode_name(entry->name, strlen(entry->name), out);
    squeeze_space(out);
    if (out->len >= 2 && out->str[0] == '\'' && out->str[out->len - 1] == '\'') {
        g_string_truncate(out, out->len - 1);
        g_string_erase(out, 0, 1);
    }
    return g_string_free(out, FALSE);
}
