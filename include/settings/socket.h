/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The address of a listening socket as gatepost.conf writes it: unix:PATH, inet:PORT@HOST,
 * inet6:PORT@HOST. It is read here, and not by libmilter, which takes port 99999 for 34463 and
 * tells of a bad path when it is too late.
 *
 * Threads: pure.
 */
#ifndef SETTINGS_SOCKET_H
#define SETTINGS_SOCKET_H

#include <stdbool.h>

#define SOCKET_PATH_MAX 107 /* sockaddr_un.sun_path without its NUL */
#define SOCKET_HOST_MAX 255

enum socket_kind { SOCKET_UNIX, SOCKET_INET, SOCKET_INET6 };

struct socket_address {
    enum socket_kind kind;
    char path[SOCKET_PATH_MAX + 1]; /* SOCKET_UNIX */
    char host[SOCKET_HOST_MAX + 1]; /* others: an address without brackets, or a host name */
    unsigned port;                  /* 1..65535 */
};

/* Reads TEXT; false with *WHY_R (static text, a remedy) if it is no such address. */
bool socket_parse(const char *text, struct socket_address *address_r, const char **why_r);

/* Whether PATH can be a socket's: absolute, neither a folder nor too long. NULL, or what is wrong
 * with it. */
const char *socket_path_fault(const char *path);

#endif
