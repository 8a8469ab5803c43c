/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What greylisting knows strangers by.
 */
#include <libpsl.h>
#include <string.h>

#include "base/text.h"
#include "checks/greylist.h"

/* Whether TEXT holds the octets in this order, whatever stands between them as long as it is no
 * digit and one byte: 1-2-3-4, 1.2.3.4, 1x2x3x4; or nothing, of three digits each. */
static bool holds_octets(const char *text, const unsigned octets[4])
{
    char padded[13], hex[9];
    g_snprintf(padded, sizeof padded, "%03u%03u%03u%03u", octets[0], octets[1], octets[2],
               octets[3]);
    g_snprintf(hex, sizeof hex, "%02x%02x%02x%02x", octets[0], octets[1], octets[2], octets[3]);
    if (strstr(text, padded) || strstr(text, hex))
        return true;
    for (const char *start = text; *start; start++) {
        const char *p = start;
        unsigned found = 0;
        if (!g_ascii_isdigit(*start) || (start > text && g_ascii_isdigit(start[-1])))
            continue;
        for (; found < 4 && g_ascii_isdigit(*p); found++) {
            char *end;
            if (g_ascii_strtoull(p, &end, 10) != octets[found])
                break;
            p = end;
            if (found < 3 && *p && !g_ascii_isdigit(*p))
                p++;
        }
        if (found == 4)
            return true;
    }
    return false;
}

/* The hexadecimal digits of the text, without what stands between them. */
static bool holds_hex(const char *text, const char *hex)
{
    g_autoptr(GString) digits = g_string_new(NULL);
    for (const char *p = text; *p; p++)
        if (*p != '-' && *p != '.' && *p != '_')
            g_string_append_c(digits, *p);
    return strstr(digits->str, hex) != NULL;
}

bool greylist_name_holds_address(const char *name, const struct ipaddr *address)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    const uint8_t *bytes = address->bytes;
    if (address->family == IP_V4) {
        const unsigned octets[4] = {bytes[0], bytes[1], bytes[2], bytes[3]};
        const unsigned reversed[4] = {bytes[3], bytes[2], bytes[1], bytes[0]};
        return holds_octets(lower, octets) || holds_octets(lower, reversed);
    }
    /* of an IPv6 address the half that tells hosts apart, unless it is hardly more than a number */
    char half[17], reversed[33], groups[64];
    for (size_t i = 0; i < 8; i++)
        g_snprintf(half + 2 * i, 3, "%02x", bytes[8 + i]);
    for (size_t i = 0; i < 16; i++)
        g_snprintf(reversed + 2 * i, 3, "%x%x", bytes[15 - i] & 15u, bytes[15 - i] >> 4);
    g_snprintf(groups, sizeof groups, "%x-%x-%x-%x", bytes[8] << 8 | bytes[9],
               bytes[10] << 8 | bytes[11], bytes[12] << 8 | bytes[13], bytes[14] << 8 | bytes[15]);
    bool telling = bytes[8] || bytes[9] || bytes[10] || bytes[11];
    return holds_hex(lower, reversed) ||
           (telling && (holds_hex(lower, half) || strstr(lower, groups)));
}

char *greylist_network(const struct ipaddr *address)
{
    char text[IPADDR_TEXT_MAX];
    struct ipaddr network = *address;
    if (address->family == IP_V6)
        memset(network.bytes + 8, 0, 8);
    else
        network.bytes[3] = 0;
    return g_strdup_printf("%s/%d", ipaddr_format(&network, text),
                           address->family == IP_V6 ? 64 : 24);
}

static bool is_public_suffix(const char *domain)
{
    const psl_ctx_t *list = psl_builtin();
    return list ? psl_is_public_suffix(list, domain) : strchr(domain, '.') == NULL;
}

char *greylist_group(const char *name, const struct ipaddr *address)
{
    g_autofree char *lower = name ? g_ascii_strdown(name, -1) : NULL;
    const char *dot = lower ? strchr(lower, '.') : NULL;
    if (!dot || dot[1] == '\0' || is_public_suffix(dot + 1) ||
        greylist_name_holds_address(lower, address))
        return greylist_network(address);
    return g_strdup(dot + 1);
}

/* The local part without extension, in lower case. */
static GString *bare_local(const struct mail_address *address, const char *recipient_delimiter)
{
    GString *local = g_string_new(NULL);
    g_autofree char *valid = g_utf8_make_valid(address->local, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);
    g_string_assign(local, lower);
    for (size_t i = 1; i < local->len; i++)
        if (local->str[i] == '+' ||
            (recipient_delimiter && strchr(recipient_delimiter, local->str[i])))
            g_string_truncate(local, i);
    return local;
}

static char *whole(GString *local, const struct mail_address *address)
{
    g_autofree char *text = g_strdup_printf("%s@%s", local->str, address->domain);
    for (char *p = text; *p; p++)
        if (*p == '|')
            *p = '/';
    g_string_free(local, TRUE);
    return text_escape(text);
}

char *greylist_fold_address(const struct mail_address *address, const char *recipient_delimiter)
{
    return whole(bare_local(address, recipient_delimiter), address);
}

char *greylist_fold_sender(const struct mail_address *sender, const char *recipient_delimiter)
{
    /* BATV (prvs=TAG=local, btv1==TAG==local) and SRS (srs0=HASH=TIME=domain=local): how many words
     * in front change from day to day */
    static const struct {
        const char *prefix, *separator;
        unsigned words;
    } tags[] = {{"prvs=", "=", 1}, {"btv1==", "==", 1}, {"srs0=", "=", 2}, {"srs1=", "=", 1}};
    GString *local = bare_local(sender, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++) {
        if (!g_str_has_prefix(local->str, tags[i].prefix))
            continue;
        const char *rest = local->str + strlen(tags[i].prefix);
        for (unsigned word = 0; rest && word < tags[i].words; word++) {
            rest = strstr(rest, tags[i].separator);
            rest = rest ? rest + strlen(tags[i].separator) : NULL;
        }
        if (rest)
            g_string_erase(local, 0, rest - local->str);
    }
    for (size_t i = 1; i < local->len; i++)
        if (recipient_delimiter && *recipient_delimiter &&
            strchr(recipient_delimiter, local->str[i]))
            g_string_truncate(local, i);
    /* numbers become one sign; so does what looks like the hexadecimal number of a message */
    GString *folded = g_string_new(NULL);
    for (const char *p = local->str; *p;) {
        size_t hex = strspn(p, "0123456789abcdef"), digits = strspn(p, "0123456789");
        bool is_word = p == local->str || !g_ascii_isalnum(p[-1]);
        size_t length =
            hex >= 8 && is_word && !g_ascii_isalnum(p[hex]) && strcspn(p, "0123456789") < hex
                ? hex
                : digits;
        if (length > 0)
            g_string_append_c(folded, '#');
        else
            g_string_append_c(folded, *p);
        p += length > 0 ? length : 1;
    }
    g_string_free(local, TRUE);
    return whole(folded, sender);
}
