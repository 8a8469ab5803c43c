/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Envelope addresses, host names, IP addresses: whatever comes in, what comes out keeps its
 * promises.
 */
#include <glib.h>
#include <string.h>

#include "base/ipaddr.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/hostname.h"

/* Whether a local part reads the same with and without quotes. */
static gboolean is_plain(const char *local)
{
    for (const unsigned char *p = (const unsigned char *)local; *p; p++)
        if (*p <= ' ' || *p == 0x7f || strchr("\"\\<>()[],;:@", *p))
            return FALSE;
    return TRUE;
}

static void check_address(const char *text)
{
    struct mail_address address;
    mail_address_parse(text, &address);
    g_autofree char *key = mail_address_key(&address);
    size_t length = strlen(address.domain);
    g_assert(strlen(address.text) <= MAIL_ADDRESS_MAX + 1);
    g_assert(length == 0 || address.domain[length - 1] != '.');
    g_assert(address.null == (address.text[0] == '\0'));
    if (strpbrk(address.local, "%!@"))
        g_assert(address.routed);
    /* What is sound and not routed means the same when its key is read again. */
    if (!address.malformed && !address.routed && !address.null && is_plain(address.local)) {
        struct mail_address again;
        mail_address_parse(key, &again);
        g_assert_cmpstr(again.domain, ==, address.domain);
        g_assert_cmpstr(again.local, ==, address.local);
        mail_address_clear(&again);
    }
    mail_address_clear(&address);
}

static void check_network(const char *text)
{
    struct ipnet net;
    struct ipaddr address, again;
    const char *why = NULL;
    char buffer[IPADDR_TEXT_MAX];
    if (ipnet_parse(text, &net, &why))
        g_assert(ipnet_contains(&net, &net.address));
    else
        g_assert_nonnull(why);
    if (!ipaddr_parse(text, &address))
        return;
    g_assert(ipaddr_parse(ipaddr_format(&address, buffer), &again));
    g_assert(ipaddr_equal(&address, &again));
}

static void check_texts(const char *text)
{
    g_autofree char *escaped = text_escape(text);
    g_autofree char *reply = text_reply_safe(text, 510);
    g_assert(g_utf8_validate(escaped, -1, NULL));
    g_assert(!strpbrk(escaped, "\r\n\t\x1b"));
    for (const char *p = reply; *p; p++)
        g_assert(*p >= ' ' && *p <= '~');
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    g_assert(words || why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ipaddr address;
    g_autofree char *text = g_strndup((const char *)data, size);
    check_address(text);
    check_network(text);
    check_texts(text);
    hostname_valid(text);
    hostname_valid_utf8(text);
    hostname_ends_in_number(text);
    hostname_address_literal(text, &address);
    return 0;
}
