/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Socket addresses of gatepost.conf.
 */
#include "settings/socket.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mail/hostname.h"

const char *socket_path_fault(const char *path)
{
    if (path[0] != '/')
        return "the path must be absolute";
    if (path[strlen(path) - 1] == '/')
        return "the path must name a file, not a folder";
    if (strlen(path) > SOCKET_PATH_MAX)
        return "the path is longer than the 107 bytes that a socket's may have";
    return NULL;
}

static const char *read_path(const char *text, struct socket_address *address)
{
    const char *fault = socket_path_fault(text);
    if (!fault)
        strcpy(address->path, text);
    return fault;
}

static const char *read_port(const char *text, const char *at, struct socket_address *address)
{
    char digits[6];
    size_t length = (size_t)(at - text);
    if (length == 0 || length >= sizeof digits)
        return "the port must be a number from 1 to 65535";
    memcpy(digits, text, length);
    digits[length] = '\0';
    address->port = (unsigned)strtoul(digits, NULL, 10);
    if (!text_is_number(digits) || address->port < 1 || address->port > 65535)
        return "the port must be a number from 1 to 65535";
    return NULL;
}

static const char *read_host(const char *text, struct socket_address *address)
{
    size_t length = strlen(text);
    if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length > SOCKET_HOST_MAX)
        return "write the host's name or address after the @";
    memcpy(address->host, text, length);
    address->host[length] = '\0';
    unsigned char bytes[16];
    if (inet_pton(AF_INET, address->host, bytes) == 1)
        return address->kind == SOCKET_INET ? NULL : "an IPv4 address needs inet:";
    if (inet_pton(AF_INET6, address->host, bytes) == 1)
        return address->kind == SOCKET_INET6 ? NULL : "an IPv6 address needs inet6:";
    return hostname_valid(address->host) ? NULL : "the host is neither a name nor an address";
}

static const char *read_inet(const char *text, struct socket_address *address)
{
    const char *at = strchr(text, '@');
    if (!at)
        return "write PORT@HOST; the host says on which address to listen";
    const char *fault = read_port(text, at, address);
    return fault ? fault : read_host(at + 1, address);
}

bool socket_parse(const char *text, struct socket_address *address_r, const char **why_r)
{
    static const struct {
        const char *prefix;
        enum socket_kind kind;
        const char *(*read)(const char *text, struct socket_address *address);
    } kinds[] = {
        {"unix:", SOCKET_UNIX, read_path},
        {"inet:", SOCKET_INET, read_inet},
        {"inet6:", SOCKET_INET6, read_inet},
    };
    const char *fault = "write unix:PATH, inet:PORT@HOST or inet6:PORT@HOST";
    *address_r = (struct socket_address){0};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, length) != 0)
            continue;
        address_r->kind = kinds[i].kind;
        fault = kinds[i].read(text + length, address_r);
    }
    if (fault && why_r)
        *why_r = fault;
    return !fault;
}
