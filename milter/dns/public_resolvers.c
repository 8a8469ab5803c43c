/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public resolvers, and who refuses them.
 */
#include "dns/public_resolvers.h"

#include <glib.h>
#include <string.h>

const char *public_resolver(const char *server)
{
    static const char *const rows[] = {
        "8.8.8.8",
        "8.8.4.4",
        "1.1.1.1",
        "1.0.0.1",
        "9.9.9.9",
        "149.112.112.112",
        "208.67.222.222",
        "208.67.220.220",
        "2001:4860:4860::8888",
        "2001:4860:4860::8844",
        "2606:4700:4700::1111",
        "2606:4700:4700::1001",
        "2620:fe::fe",
    };
    const char *address = *server == '[' ? server + 1 : server;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t length = strlen(rows[i]);
        if (strncmp(address, rows[i], length) == 0 &&
            (address[length] == '\0' || strchr(":]", address[length])))
            return rows[i];
    }
    return NULL;
}

bool public_resolver_is_refused(const char *zone)
{
    /* not spamhaus.net: who asks there is known by a key, whatever resolver he has */
    static const char *const operators[] = {"spamhaus.org", "abuseat.org", "uribl.com",
                                            "surbl.org",    "dnswl.org",   "barracudacentral.org"};
    size_t length = strlen(zone);
    for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
        size_t own = strlen(operators[i]);
        if (length >= own && g_ascii_strcasecmp(zone + length - own, operators[i]) == 0 &&
            (length == own || zone[length - own - 1] == '.'))
            return true;
    }
    return false;
}

const char *public_resolver_keyed(const char *zone)
{
    enum { KEY_MIN = 16 };
    if (strcspn(zone, ".") < KEY_MIN)
        return NULL;
    if (g_str_has_suffix(zone, ".dq.spamhaus.net"))
        return "spamhaus.net";
    return g_str_has_suffix(zone, ".mail.abusix.zone") ? "abusix.zone" : NULL;
}
