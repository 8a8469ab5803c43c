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
    g_free(address->local);
    g_free(address->domain);
    *address = (struct mail_address){0};
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

/* Where the domain begins: behind the last @ that stands outside quotes; NULL if there is none.
 * *BAD_R tells that quotes or backslashes do not end. */
static const char *find_domain(const char *text, bool *bad_r)
{
    const char *at = NULL;
    bool quoted = false;
    *bad_r = false;
    for (const char *p = text; *p; p++) {
        if (*p == '\\') {
            if (p[1] == '\0') {
                *bad_r = true;
                return at;
            }
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '@' && !quoted) {
            at = p + 1;
        }
    }
    *bad_r = quoted;
    return at;
}

static char *unquote_local(const char *text, size_t length)
{
    if (!memchr(text, '"', length) && !memchr(text, '\\', length))
        return g_strndup(text, length);
    GString *out = g_string_sized_new(length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            continue;
        if (text[i] == '\\' && i + 1 < length)
            i++;
        g_string_append_c(out, text[i]);
    }
    return g_string_free(out, FALSE);
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
 * remains. The caller frees it. */
static char *read_leniently(const char *text)
{
    if (!strpbrk(text, "\\\"()[]<>:,; \t\r\n"))
        return g_strdup(text);
    GString *out = g_string_sized_new(strlen(text));
    bool quoted = false, literal = false;
    for (const char *p = text; *p;) {
        if (*p == '\\' && p[1]) {
            g_string_append_len(out, p, 2);
            p += 2;
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
            g_string_truncate(out, 0);
        else if (special && strchr(">,;", *p) && out->len > 0)
            break;
        else if (!special || !strchr(" \t\r\n>,;", *p))
            g_string_append_c(out, *p);
        p++;
    }
    if (out->len == 0)
        g_string_assign(out, text);
    return g_string_free(out, FALSE);
}

static bool split_address(struct mail_address *address)
{
    bool bad;
    g_autofree char *text = read_leniently(address->text);
    const char *domain = find_domain(text, &bad);
    size_t length = domain ? (size_t)(domain - text) - 1 : strlen(text);
    address->local = unquote_local(text, length);
    address->domain = domain ? mail_domain_fold(domain) : g_strdup("");
    address->routed = strpbrk(address->local, "%!@") != NULL;
    bool plain = strcmp(text, address->text) == 0;
    return !bad && plain && length > 0 && (!domain || !domain_malformed(address->domain));
}

void mail_address_parse(const char *path, struct mail_address *address_r)
{
    *address_r = (struct mail_address){0};
    size_t length = strnlen(path, MAIL_ADDRESS_MAX + 1);
    g_autofree char *copy = g_malloc(length + 1); /* g_strndup fills up to its limit with zeros */
    memcpy(copy, path, length);
    copy[length] = '\0';
    bool whole = strlen(copy) <= MAIL_ADDRESS_MAX;
    bool paired = strip_brackets(copy);
    address_r->text = g_strdup(skip_source_route(copy));
    if (address_r->text[0] == '\0') {
        address_r->null = true;
        address_r->local = g_strdup("");
        address_r->domain = g_strdup("");
        address_r->malformed = !paired;
        return;
    }
    bool sound = split_address(address_r);
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
