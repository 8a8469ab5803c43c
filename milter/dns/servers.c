/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_servers: addresses with or without a port.
 */
#include "servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dns/resolver.h"

enum { DNS_PORT = 53 };

static bool read_port(const char *text, unsigned *port_r)
{
    if (!text_is_number(text) || strlen(text) > 5)
        return false;
    *port_r = (unsigned)strtoul(text, NULL, 10);
    return *port_r > 0 && *port_r <= 65535;
}

/* "[ADDRESS]" or "[ADDRESS]:PORT" */
static bool read_bracketed(const char *word, struct dns_server *server)
{
    const char *end = strchr(word, ']');
    if (!end)
        return false;
    g_autofree char *address = g_strndup(word + 1, (gsize)(end - word - 1));
    if (!ipaddr_parse(address, &server->address))
        return false;
    return end[1] == '\0' || (end[1] == ':' && read_port(end + 2, &server->port));
}

static bool read_server(const char *word, struct dns_server *server)
{
    *server = (struct dns_server){.port = DNS_PORT};
    if (word[0] == '[')
        return read_bracketed(word, server);
    if (ipaddr_parse(word, &server->address))
        return true;
    const char *colon = strrchr(word, ':');
    if (!colon)
        return false;
    g_autofree char *address = g_strndup(word, (gsize)(colon - word));
    return ipaddr_parse(address, &server->address) && server->address.family == IP_V4 &&
           read_port(colon + 1, &server->port);
}

GArray *dns_servers_parse(const char *text, struct problems *problems, const char *file,
                          unsigned line)
{
    const char *why = NULL;
    unsigned before = problems_errors(problems);
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    if (!words) {
        problems_error(problems, file, line, "list of DNS servers: %s", why);
        return NULL;
    }
    g_autoptr(GArray) servers = g_array_new(FALSE, FALSE, sizeof(struct dns_server));
    for (unsigned i = 0; i < words->len; i++) {
        struct dns_server server;
        if (read_server(words->pdata[i], &server))
            g_array_append_val(servers, server);
        else
            problems_error(problems, file, line,
                           "\"%s\" is no DNS server: write ADDRESS, ADDRESS:PORT or "
                           "[ADDRESS]:PORT",
                           (const char *)words->pdata[i]);
    }
    if (servers->len > RESOLVER_SERVERS_MAX)
        problems_error(problems, file, line, "more than %d DNS servers", RESOLVER_SERVERS_MAX);
    return problems_errors(problems) > before ? NULL : g_steal_pointer(&servers);
}

char *resolver_system_servers(void)
{
    enum { LINES_MAX = 1000 };
    char line[1024];
    bool named = false;
    FILE *file = fopen("/etc/resolv.conf", "re");
    if (!file)
        return NULL;
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < LINES_MAX && fgets(line, sizeof line, file); i++) {
        g_strstrip(line);
        bool server = g_str_has_prefix(line, "nameserver");
        if (server || g_str_has_prefix(line, "options"))
            g_string_append_printf(text, "%s\n", line);
        named |= server;
    }
    fclose(file);
    return g_string_free(text, !named);
}

bool resolver_servers_valid(const char *servers, struct problems *problems, const char *file,
                            unsigned line)
{
    g_autoptr(GArray) list = dns_servers_parse(servers ? servers : "", problems, file, line);
    return list != NULL;
}
