/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Envelope addresses. Whoever can make this parser and the MTA disagree about the domain of an
 * address can relay, so what is not understood is marked, never guessed at.
 */
#include "mail/address.h"

#include <glib.h>
#include <string.h>

void mail_address_clear(struct mail_address *address)
{
    g_free(address->text);
    *address = (struct mail_address){0};
}

/* One block of memory, as every message has several addresses. */
void mail_address_set(struct mail_address *address, const char *text, const char *local,
                      const char *domain)
{
    size_t local_size = strlen(local) + 1, domain_size = strlen(domain) + 1;
    size_t text_size = text ? strlen(text) + 1 : local_size + domain_size;
    char *block = g_malloc(text_size + local_size + domain_size);
    if (text) {
        memcpy(block, text, text_size);
    } else {
        memcpy(block, local, local_size);
        if (*domain) {
            block[local_size - 1] = '@';
            memcpy(block + local_size, domain, domain_size);
        }
    }
    char *local_copy = memcpy(block + text_size, local, local_size);
    char *domain_copy = memcpy(local_copy + local_size, domain, domain_size);
    g_free(address->text);
    address->text = block;
    address->local = local_copy;
    address->domain = domain_copy;
}

bool mail_domain_is_folded(const char *domain)
{
    const char *p = domain;
    while ((unsigned char)*p < 0x80 && *p && !(*p >= 'A' && *p <= 'Z'))
        p++;
    return !*p && (p == domain || p[-1] != '.');
}

char *mail_domain_fold(const char *domain)
{
    size_t length = strlen(domain);
    while (length > 0 && domain[length - 1] == '.')
        length--;
    size_t ascii = 0;
    while (ascii < length && (unsigned char)domain[ascii] < 0x80)
        ascii++;
    if (ascii == length)
        return g_ascii_strdown(domain, (gssize)length);
    if (g_utf8_validate(domain, (gssize)length, NULL) && !g_str_is_ascii(domain))
        return g_utf8_casefold(domain, (gssize)length);
    return g_ascii_strdown(domain, (gssize)length);
}

/* Past "@a,@b:" if PATH begins with a source route. */
static const char *skip_source_route(const char *path)
{
    while (*path == '@') {
        const char *colon = strchr(path, ':');
        /* The colon of an IPv6 literal in the route does not end it. */
        while (colon && memchr(path, '[', (size_t)(colon - path)) &&
               !memchr(path, ']', (size_t)(colon - path)))
            colon = strchr(colon + 1, ':');
        if (!colon)
            return path;
        path = colon + 1;
    }
    return path;
}

/* The last @ that stands outside quotes; NULL if there is none. *BAD_R tells that quotes or
 * backslashes do not end. */
static char *find_at(char *text, bool *bad_r)
{
    char *at = NULL;
    bool quoted = false;
    *bad_r = false;
    for (char *p = text; *p; p++) {
        if (*p == '\\') {
            if (p[1] == '\0') {
                *bad_r = true;
                return at;
            }
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '@' && !quoted) {
            at = p;
        }
    }
    *bad_r = quoted;
    return at;
}

/* Takes quotes and backslashes away, in place. */
static void unquote_local(char *text)
{
    char *out = text;
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            continue;
        if (*p == '\\' && p[1])
            p++;
        *out++ = *p;
    }
    *out = '\0';
}

static bool has_control_or_space(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return true;
    return false;
}

static bool domain_malformed(const char *domain)
{
    size_t length = strlen(domain);
    if (length == 0 || length > 255 || has_control_or_space(domain))
        return true;
    if (domain[0] == '[')
        return domain[length - 1] != ']' || strcspn(domain, "]") != length - 1;
    return domain[0] == '.' || strpbrk(domain, "<>()\"\\,;:[]%!") || strstr(domain, "..");
}

bool mail_address_is_sound(const char *local, const char *domain)
{
    return *local && !domain_malformed(domain);
}

/* Takes "<" and ">" and white space off both ends, in place; false if only one bracket is there. */
static bool strip_brackets(char *text)
{
    g_strstrip(text);
    size_t length = strlen(text);
    bool opens = text[0] == '<';
    bool closes = length > (opens ? 1u : 0u) && text[length - 1] == '>';
    if (closes)
        text[length - 1] = '\0';
    if (opens)
        memmove(text, text + 1, strlen(text));
    g_strstrip(text);
    return opens == closes;
}

/* Past the comment that begins at P (RFC 5322 3.2.2; they nest). */
static const char *skip_comment(const char *p)
{
    unsigned depth = 0;
    for (; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0)
            return p + 1;
    }
    return p;
}

/* What an MTA that is lenient reads in TEXT, where only an address should stand: comments and white
 * space are dropped, of "Bob <bob@lab.test>, x" the part in brackets counts. TEXT itself if nothing
 * remains. OUT has room for as much as TEXT. */
static void read_leniently(const char *text, char *out)
{
    char *end = out;
    bool quoted = false, literal = false;
    for (const char *p = text; *p;) {
        if (*p == '\\' && p[1]) {
            *end++ = *p++;
            *end++ = *p++;
            continue;
        }
        quoted ^= *p == '"';
        literal = !quoted && (literal ? *p != ']' : *p == '[');
        bool special = !quoted && !literal;
        if (special && *p == '(') {
            p = skip_comment(p);
            continue;
        }
        if (special && strchr("<:", *p))
            end = out;
        else if (special && strchr(">,;", *p) && end > out)
            break;
        else if (!special || !strchr(" \t\r\n>,;", *p))
            *end++ = *p;
        p++;
    }
    *end = '\0';
    if (end == out)
        strcpy(out, text);
}

/* Fills *ADDRESS from TEXT, which is not empty; false: it is no sound address. */
static bool split_address(const char *text, struct mail_address *address)
{
    char read[MAIL_ADDRESS_MAX + 2];
    bool bad, plain = true;
    if (strpbrk(text, "\\\"()[]<>:,; \t\r\n")) {
        read_leniently(text, read);
        plain = strcmp(read, text) == 0;
    } else {
        strcpy(read, text);
    }
    char *at = find_at(read, &bad);
    const char *domain = at ? at + 1 : "";
    if (at)
        *at = '\0';
    bool local_is_there = *read;
    unquote_local(read);
    g_autofree char *folded = mail_domain_is_folded(domain) ? NULL : mail_domain_fold(domain);
    mail_address_set(address, text, read, folded ? folded : domain);
    address->routed = strpbrk(address->local, "%!@") != NULL;
    /* one trailing dot belongs to a name (RFC 1034 3.1), two are a mistake */
    bool dots = g_str_has_suffix(domain, "..");
    return !bad && plain && local_is_there && (!at || !(dots || domain_malformed(address->domain)));
}

void mail_address_parse(const char *path, struct mail_address *address_r)
{
    *address_r = (struct mail_address){0};
    char copy[MAIL_ADDRESS_MAX + 2];
    size_t length = strnlen(path, MAIL_ADDRESS_MAX + 1);
    memcpy(copy, path, length);
    copy[length] = '\0';
    bool whole = length <= MAIL_ADDRESS_MAX;
    bool paired = strip_brackets(copy);
    const char *text = skip_source_route(copy);
    if (!*text) {
        address_r->null = true;
        mail_address_set(address_r, "", "", "");
        address_r->malformed = !paired;
        return;
    }
    bool sound = split_address(text, address_r);
    address_r->malformed = !(whole && paired && sound);
}

char *mail_address_key(const struct mail_address *address)
{
    if (!address->domain || address->domain[0] == '\0')
        return g_strdup(address->local ? address->local : "");
    return g_strconcat(address->local, "@", address->domain, NULL);
}

static bool never_split(const char *local, const char *delimiter)
{
    static const char *const reserved[] = {"postmaster", "mailer-daemon", "double-bounce"};
    for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++)
        if (g_ascii_strcasecmp(local, reserved[i]) == 0)
            return true;
    static const char request[] = "-request";
    size_t length = strlen(local), tail = sizeof request - 1;
    if (!strchr(delimiter, '-'))
        return false;
    return g_ascii_strncasecmp(local, "owner-", 6) == 0 ||
           (length > tail && g_ascii_strcasecmp(local + length - tail, request) == 0);
}

char *mail_local_bare(const char *local, const char *delimiter)
{
    if (!delimiter || *delimiter == '\0' || never_split(local, delimiter))
        return NULL;
    size_t length = strcspn(local, delimiter);
    return length > 0 && local[length] ? g_strndup(local, length) : NULL;
}
