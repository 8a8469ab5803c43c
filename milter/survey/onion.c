/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Onion addresses and SRV records.
 */
#include "onion.h"

#include <string.h>

#include "tls_facts.h"

enum { NAME_LENGTH = 56, ADDRESS_BYTES = 35, KEY_BYTES = 32, VERSION = 3, SMTP_PORT = 25 };

/* Base 32 (RFC 4648 6) of exactly as many bytes as an address has. */
static bool decode(const char *name, uint8_t bytes[ADDRESS_BYTES])
{
    uint32_t bits = 0;
    unsigned have = 0, at = 0;
    for (unsigned i = 0; i < NAME_LENGTH; i++) {
        char c = g_ascii_tolower(name[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')))
            return false;
        bits = bits << 5 | (uint32_t)(c >= 'a' ? c - 'a' : c - '2' + 26);
        have += 5;
        if (have >= 8) {
            have -= 8;
            bytes[at++] = (uint8_t)(bits >> have);
        }
    }
    return true;
}

bool onion_address_valid(const char *host, const char **why_r)
{
    static const char prefix[] = ".onion checksum";
    uint8_t bytes[ADDRESS_BYTES], input[sizeof prefix - 1 + KEY_BYTES + 1], digest[32];
    const char *dot = strchr(host, '.');
    *why_r = "not the name of an onion service";
    if (!dot || g_ascii_strcasecmp(dot, ".onion") != 0)
        return false;
    if (dot - host == 16)
        *why_r = "an onion service of version 2, which Tor no longer has";
    if (dot - host != NAME_LENGTH || !decode(host, bytes))
        return false;
    *why_r = "an onion address of another version";
    if (bytes[ADDRESS_BYTES - 1] != VERSION)
        return false;
    memcpy(input, prefix, sizeof prefix - 1);
    memcpy(input + sizeof prefix - 1, bytes, KEY_BYTES);
    input[sizeof input - 1] = VERSION;
    *why_r = "an onion address whose checksum is wrong";
    return tls_sha3_256(input, sizeof input, digest) && memcmp(digest, bytes + KEY_BYTES, 2) == 0;
}

bool onion_service_valid(const char *service)
{
    size_t length = strlen(service);
    for (const char *p = service; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("-_", *p))
            return false;
    return length > 0 && length <= 64;
}

void onion_choose(const struct dns_answer *answer, const char *service,
                  struct onion_choice *choice_r)
{
    *choice_r = (struct onion_choice){.remarks = g_string_new(NULL)};
    for (size_t i = 0; i < answer->count; i++) {
        const struct dns_srv *srv = &answer->srv[i];
        const char *why;
        bool valid = onion_address_valid(srv->target, &why);
        if (valid && srv->port == 0) {
            valid = false;
            why = "port 0";
        }
        if (valid && choice_r->next_hop) {
            g_string_append_printf(choice_r->remarks, "# also, priority %u: %s:%u\n", srv->priority,
                                   srv->target, srv->port);
        } else if (valid) {
            g_autofree char *port =
                srv->port == SMTP_PORT ? g_strdup("") : g_strdup_printf(":%u", srv->port);
            choice_r->next_hop = g_strdup_printf("%s:[%s]%s", service, srv->target, port);
        } else {
            g_string_append_printf(choice_r->remarks, "# not used: %s: %s\n",
                                   *srv->target ? srv->target : ".", why);
        }
    }
}

void onion_choice_clear(struct onion_choice *choice)
{
    g_free(choice->next_hop);
    g_string_free(choice->remarks, TRUE);
    *choice = (struct onion_choice){0};
}

char *onion_old_line(const char *map, const char *domain)
{
    size_t length = strlen(domain);
    for (const char *line = map; *line;) {
        size_t whole = strcspn(line, "\n");
        whole += line[whole] == '\n';
        if (g_ascii_strncasecmp(line, domain, length) == 0 && g_ascii_isspace(line[length]))
            return line[whole - 1] == '\n' ? g_strndup(line, whole)
                                           : g_strdup_printf("%.*s\n", (int)whole, line);
        line += whole;
    }
    return NULL;
}
