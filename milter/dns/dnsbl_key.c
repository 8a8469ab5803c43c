/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys of DNS lists.
 */
#include "dns/dnsbl_key.h"

#include <glib.h>
#include <string.h>

#include "dns/dns_answer.h"
#include "mail/hostname.h"

char *dnsbl_key_for_address(const struct ipaddr *address)
{
    if (ipaddr_is_private(address) || ipaddr_is_loopback(address))
        return NULL;
    const uint8_t *b = address->bytes;
    if (address->family == IP_V4)
        return g_strdup_printf("%u.%u.%u.%u", b[3], b[2], b[1], b[0]);
    GString *key = g_string_sized_new(64);
    for (int i = 15; i >= 0; i--)
        g_string_append_printf(key, "%s%x.%x", i == 15 ? "" : ".", b[i] & 15u, b[i] >> 4);
    return g_string_free(key, FALSE);
}

char *dnsbl_key_for_domain(const char *domain)
{
    size_t length = strnlen(domain, DNS_NAME_MAX + 2);
    if (length > 0 && domain[length - 1] == '.')
        length--;
    if (length == 0 || length > DNS_NAME_MAX)
        return NULL;
    g_autofree char *bare = g_strndup(domain, length);
    struct ipaddr address;
    if (hostname_ends_in_number(bare) || ipaddr_parse(bare, &address))
        return NULL;
    g_autofree char *ascii = hostname_to_ascii(bare);
    if (!ascii || !hostname_valid(ascii) || !dns_name_valid(ascii))
        return NULL;
    return g_ascii_strdown(ascii, -1);
}

static bool is_provider(const char *domain, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(domain, ".", -1);
    return g_strv_contains((const char *const *)labels, name);
}

/* "googlemail.com" is "gmail.com" */
static char *fold_google(const char *domain)
{
    const char *prefix = "googlemail.";
    if (!g_str_has_prefix(domain, prefix))
        return g_strdup(domain);
    return g_strconcat("gmail.", domain + strlen(prefix), NULL);
}

static void cut_at(char *local, char tag)
{
    char *at = strchr(local, tag);
    if (at && at > local)
        *at = '\0';
}

char *dnsbl_canonical_email(const char *address)
{
    const char *at = strrchr(address, '@');
    if (!at || at == address)
        return NULL;
    g_autofree char *key = dnsbl_key_for_domain(at + 1);
    if (!key)
        return NULL;
    g_autofree char *domain = fold_google(key);
    g_autofree char *given = g_strndup(address, (gsize)(at - address));
    g_autofree char *local =
        g_utf8_validate(given, -1, NULL) ? g_utf8_strdown(given, -1) : g_ascii_strdown(given, -1);
    cut_at(local, '+');
    if (is_provider(domain, "yahoo") || is_provider(domain, "ymail"))
        cut_at(local, '-');
    if (is_provider(domain, "gmail")) {
        char *out = local;
        for (const char *p = local; *p; p++)
            if (*p != '.')
                *out++ = *p;
        *out = '\0';
    }
    return g_strconcat(local, "@", domain, NULL);
}

static char *base32(const guint8 *bytes, gsize length)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    GString *text = g_string_sized_new(length * 8 / 5 + 2);
    unsigned bits = 0, held = 0;
    for (gsize i = 0; i < length; i++) {
        held = (held << 8 | bytes[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            g_string_append_c(text, digits[held >> (bits - 5) & 31]);
    }
    if (bits > 0)
        g_string_append_c(text, digits[held << (5 - bits) & 31]);
    return g_string_free(text, FALSE);
}

char *dnsbl_key_for_email(const char *address, enum dnsbl_hash hash)
{
    static const GChecksumType types[] = {
        [DNSBL_SHA1] = G_CHECKSUM_SHA1,
        [DNSBL_SHA256] = G_CHECKSUM_SHA256,
        [DNSBL_MD5] = G_CHECKSUM_MD5,
    };
    g_autofree char *canonical = dnsbl_canonical_email(address);
    if (!canonical)
        return NULL;
    if (hash != DNSBL_SHA256)
        return g_compute_checksum_for_string(types[hash], canonical, -1);
    g_autoptr(GChecksum) checksum = g_checksum_new(types[hash]);
    guint8 bytes[32];
    gsize length = sizeof bytes;
    g_checksum_update(checksum, (const guchar *)canonical, -1);
    g_checksum_get_digest(checksum, bytes, &length);
    return base32(bytes, length);
}
