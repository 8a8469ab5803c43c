/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Persons in texts.
 */
#include "history/history_person.h"

#include <string.h>

#include "history_fold.h"
#include "history_record.h"
#include "mail/address.h"
#include "mail/mimeword.h"

struct history_person {
    char *local;  /* folded, quotes resolved */
    char *domain; /* as history_fold_domain has it */
    char *delimiters;
    char *own;   /* those of them by which the address is no extension itself, but may have some */
    char *login; /* NULL: a login without a domain is nobody's */
};

static char *own_delimiters(const char *local, const char *delimiters)
{
    GString *own = g_string_new(NULL);
    for (; delimiters && *delimiters; delimiters++) {
        const char delimiter[] = {*delimiters, '\0'};
        g_autofree char *bare = mail_local_bare(local, delimiter);
        if (!bare)
            g_string_append_c(own, *delimiters);
    }
    return g_string_free(own, FALSE);
}

struct history_person *history_person_new(const char *address, const char *delimiters,
                                          bool bare_login)
{
    struct mail_address parsed;
    mail_address_parse(address, &parsed);
    struct history_person *person = NULL;
    if (*parsed.local && *parsed.domain) {
        person = g_new0(struct history_person, 1);
        person->local = history_fold_local(parsed.local, strlen(parsed.local));
        person->domain = history_fold_domain(parsed.domain, strlen(parsed.domain));
        person->delimiters = g_strdup(delimiters ? delimiters : "");
        person->own = own_delimiters(parsed.local, delimiters);
        person->login = bare_login ? g_strdup(parsed.local) : NULL;
    }
    mail_address_clear(&parsed);
    return person;
}

const char *history_person_delimiters(const struct history_person *person)
{
    return person->delimiters;
}

void history_person_free(struct history_person *person)
{
    if (!person)
        return;
    g_free(person->local);
    g_free(person->domain);
    g_free(person->delimiters);
    g_free(person->own);
    g_free(person->login);
    g_free(person);
}

/* ---- domains ---- */

/* The bytes of a domain's character or dot at AT; 0: a domain ends here. */
static size_t domain_step(const char *at, const char *end)
{
    if (at >= end)
        return 0;
    if ((unsigned char)*at < 0x80)
        return g_ascii_isalnum(*at) || *at == '-' || *at == '.';
    gunichar letter = g_utf8_get_char_validated(at, end - at);
    bool dot = letter == 0x3002 || letter == 0xff0e || letter == 0xff61; /* RFC 3490 3.1 */
    bool good = letter != (gunichar)-1 && letter != (gunichar)-2 &&
                (dot || g_unichar_isalnum(letter) || g_unichar_ismark(letter));
    return good ? (size_t)(g_utf8_next_char(at) - at) : 0;
}

/* Whether the domain that begins at AT is the person's; a literal in brackets as well. */
static bool domain_begins(const struct history_person *person, const char *at, const char *end)
{
    const char *after = at;
    if (at < end && *at == '[') {
        after = memchr(at, ']', (size_t)(end - at));
        after = after ? after + 1 : at;
    } else {
        for (size_t step; (step = domain_step(after, end)) > 0;)
            after += step;
        while (after > at && after[-1] == '.') /* a sentence may end behind it */
            after--;
    }
    if (after == at)
        return false;
    g_autofree char *domain = history_fold_domain(at, (size_t)(after - at));
    return strcmp(domain, person->domain) == 0;
}

/* ---- local parts ---- */

/* Whether FOLDED, as history_fold_local has it, is the person's local part. */
static enum history_named compare_folded(const struct history_person *person, const char *folded)
{
    size_t wanted = strlen(person->local);
    if (strncmp(folded, person->local, wanted) != 0)
        return HISTORY_NAMED_NOT;
    if (folded[wanted] == '\0')
        return HISTORY_NAMED;
    g_autofree char *bare = mail_local_bare(folded, person->own);
    return bare && strcmp(bare, person->local) == 0 ? HISTORY_NAMED_EXTENSION : HISTORY_NAMED_NOT;
}

static enum history_named compare_local(const struct history_person *person, const char *local,
                                        size_t length)
{
    g_autofree char *folded = history_fold_local(local, length);
    return compare_folded(person, folded);
}

/* Whether a byte may stand in a local part without quotes. */
static bool is_local_byte(char byte)
{
    return g_ascii_isalnum(byte) || (unsigned char)byte >= 0x80 ||
           (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", byte));
}

/* Whether what stands behind it may be an address of its own: fields and links have "key=address"
 * and the like, routes "host!address"; PARTS: tags in front of the parts of an address as well. */
static bool is_border(char byte, bool parts)
{
    return !is_local_byte(byte) || strchr("!%&'/=?`{|}", byte) || (parts && strchr("+-", byte));
}

/* SRS: "SRS0=hash=day=domain=local", before what stands behind its "@". */
static bool is_srs(const struct history_person *person, const char *begin, const char *end)
{
    g_autofree char *run = g_strndup(begin, (gsize)(end - begin));
    char *local = strrchr(run, '=');
    if (!local || g_ascii_strncasecmp(run, "SRS", 3) != 0)
        return false;
    *local++ = '\0';
    char *domain = strrchr(run, '=');
    return domain && domain_begins(person, domain + 1, domain + 1 + strlen(domain + 1)) &&
           compare_local(person, local, strlen(local)) != HISTORY_NAMED_NOT;
}

/* The local part that ends before AT, in quotes. */
static enum history_named quoted_before(const struct history_person *person, const char *begin,
                                        const char *at)
{
    const char *quote = at - 1; /* goes back until the one before it opens */
    g_autoptr(GString) local = g_string_new(NULL);
    if (at - begin > MAIL_ADDRESS_MAX) /* a header may be full of quotes */
        begin = at - MAIL_ADDRESS_MAX;
    while (quote > begin && (quote[-1] != '"' || (quote - 1 > begin && quote[-2] == '\\')))
        quote--;
    for (const char *byte = quote > begin ? quote : at; byte < at - 1; byte++) {
        if (*byte == '\\' && byte + 1 < at - 1)
            byte++;
        g_string_append_c(local, *byte);
    }
    return compare_local(person, local->str, local->len);
}

/* The local part that ends before AT; PARTS: it is a part of another address. */
static enum history_named local_before(const struct history_person *person, const char *begin,
                                       const char *at, bool parts)
{
    enum history_named named = HISTORY_NAMED_NOT;
    if (at > begin && at[-1] == '"')
        return quoted_before(person, begin, at);
    const char *run = at;
    while (run > begin && is_local_byte(run[-1]) && at - run < MAIL_ADDRESS_MAX)
        run--;
    /* Once for all borders: a stranger may send nothing but borders. */
    g_autofree char *folded = history_fold_local(run, (size_t)(at - run));
    for (const char *start = folded; *start; start++) {
        if (*start != *person->local)
            continue;
        /* o'brien is not brien */
        bool in_word = start > folded + 1 && start[-1] == '\'' && !is_border(start[-2], parts);
        if (start == folded || (is_border(start[-1], parts) && !in_word))
            named = MAX(named, compare_folded(person, start));
    }
    return named;
}

static enum history_named names_person(const struct history_person *person, const char *text,
                                       size_t length)
{
    enum history_named named = HISTORY_NAMED_NOT;
    const char *end = text + length;
    for (const char *at = text; at < end && named != HISTORY_NAMED; at++) {
        /* "local=domain" of VERP, "local%domain" of a route */
        bool parts = *at == '=' || *at == '%';
        if (*at != '@' && !parts)
            continue;
        if (domain_begins(person, at + 1, end))
            named = MAX(named, local_before(person, text, at, parts));
        const char *run = at;
        while (*at == '@' && run > text && is_local_byte(run[-1]) && at - run < MAIL_ADDRESS_MAX)
            run--;
        if (run < at && is_srs(person, run, at))
            named = HISTORY_NAMED;
    }
    return named;
}

/* ---- texts ---- */

static char *percent_decoded(const char *text, size_t length, size_t *length_r)
{
    GString *out = g_string_sized_new(length + 1);
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? g_ascii_xdigit_value(text[i + 1]) : -1;
        int low = high >= 0 ? g_ascii_xdigit_value(text[i + 2]) : -1;
        g_string_append_c(out, low >= 0 ? (char)(high * 16 + low) : text[i]);
        i += low >= 0 ? 2 : 0;
    }
    *length_r = out->len;
    return g_string_free(out, FALSE);
}

enum history_named history_person_in_text(const struct history_person *person, const char *text,
                                          size_t length)
{
    enum history_named named = names_person(person, text, length);
    if (named == HISTORY_NAMED || !memchr(text, '%', length))
        return named;
    size_t decoded_length;
    g_autofree char *decoded = percent_decoded(text, length, &decoded_length);
    return MAX(named, names_person(person, decoded, decoded_length));
}

/* Unfolded, with the white space of folds and without; then with its encoded words decoded. */
static enum history_named in_header(const struct history_person *person, const char *header)
{
    g_autoptr(GString) spaced = g_string_new(NULL), joined = g_string_new(NULL),
                       decoded = g_string_new(NULL);
    for (const char *at = header; *at;) {
        size_t white = *at == '\n' ? strspn(at + 1, " \t") : 0;
        g_string_append_c(spaced, white > 0 ? ' ' : *at);
        if (white == 0)
            g_string_append_c(joined, *at);
        at += 1 + white;
    }
    mimeword_decode(spaced->str, spaced->len, decoded);
    enum history_named named = history_person_in_text(person, joined->str, joined->len);
    return MAX(named, history_person_in_text(person, decoded->str, decoded->len));
}

struct looking {
    const struct history_person *person;
    enum history_named named;
};

static bool look(void *data, const char *text)
{
    struct looking *looking = data;
    looking->named =
        MAX(looking->named, history_person_in_text(looking->person, text, strlen(text)));
    return looking->named != HISTORY_NAMED;
}

enum history_named history_person_in_row(const struct history_person *person,
                                         const struct history_row *row)
{
    const char *const logins[] = {row->login, row->auth_authen};
    struct looking looking = {.person = person};
    for (size_t i = 0; i < G_N_ELEMENTS(logins); i++)
        if (person->login && logins[i] && g_ascii_strcasecmp(logins[i], person->login) == 0)
            return HISTORY_NAMED;
    if (history_record_each_text(row, look, &looking) && row->header)
        looking.named = MAX(looking.named, in_header(person, row->header));
    return looking.named;
}
