/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Spellings.
 */
#include "history_fold.h"

#include <string.h>

#include "mail/address.h"
#include "mail/hostname.h"

char *history_fold_local(const char *local, size_t length)
{
    size_t ascii = 0;
    while (ascii < length && (local[ascii] & 0x80) == 0)
        ascii++;
    if (ascii == length) /* as most are: nothing to compose */
        return g_ascii_strdown(local, (gssize)length);
    GString *out = g_string_sized_new(length + 1);
    for (const char *end = local + length, *bad; local < end; local = bad) {
        g_utf8_validate(local, end - local, &bad);
        g_autofree char *folded = g_utf8_casefold(local, bad - local);
        g_autofree char *composed = g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);
        g_string_append(out, composed);
        if (bad < end)
            g_string_append_c(out, *bad++);
    }
    return g_string_free(out, FALSE);
}

char *history_fold_domain(const char *domain, size_t length)
{
    g_autofree char *copy = g_strndup(domain, length);
    g_autofree char *folded = mail_domain_fold(copy);
    g_autofree char *ascii = hostname_to_ascii(folded);
    return g_ascii_strdown(ascii ? ascii : folded, -1);
}

char *history_fold(const char *text)
{
    size_t length = strlen(text);
    bool plain = length == 0 || text[length - 1] != '.';
    for (const char *at = text; plain && *at; at++)
        plain = (*at & 0x80) == 0 && *at != '"' && *at != '\\';
    if (plain)
        return NULL;
    if (!strchr(text, '@'))
        return history_fold_domain(text, length);
    struct mail_address address;
    mail_address_parse(text, &address);
    g_autofree char *local = history_fold_local(address.local, strlen(address.local));
    g_autofree char *domain = history_fold_domain(address.domain, strlen(address.domain));
    mail_address_clear(&address);
    return g_strconcat(local, "@", domain, NULL);
}
