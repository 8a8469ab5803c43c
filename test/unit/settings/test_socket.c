/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib.h>
#include <string.h>

#include "settings/socket.h"

static void test_good(void)
{
    static const struct {
        const char *text;
        enum socket_kind kind;
        const char *place;
        unsigned port;
    } rows[] = {
        {"unix:/run/gatepost/milter.sock", SOCKET_UNIX, "/run/gatepost/milter.sock", 0},
        {"inet:8891@127.0.0.1", SOCKET_INET, "127.0.0.1", 8891},
        {"inet:1@[127.0.0.1]", SOCKET_INET, "127.0.0.1", 1},
        {"inet:65535@localhost", SOCKET_INET, "localhost", 65535},
        {"inet6:8891@::1", SOCKET_INET6, "::1", 8891},
        {"inet6:8891@[::]", SOCKET_INET6, "::", 8891},
        {"inet6:8891@mail.example.org", SOCKET_INET6, "mail.example.org", 8891},
        {"inet6:8891@::ffff:127.0.0.1", SOCKET_INET6, "::ffff:127.0.0.1", 8891},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct socket_address address;
        g_assert_true(socket_parse(rows[i].text, &address, NULL));
        g_assert_cmpint(address.kind, ==, rows[i].kind);
        g_assert_cmpstr(address.kind == SOCKET_UNIX ? address.path : address.host, ==,
                        rows[i].place);
        g_assert_cmpuint(address.port, ==, rows[i].port);
    }
}

static void test_bad(void)
{
    static const char *const rows[][2] = {
        {"", "write unix:PATH, inet:PORT@HOST or inet6:PORT@HOST"},
        {"/run/x", "write unix:PATH, inet:PORT@HOST or inet6:PORT@HOST"},
        {"local:/run/x", "write unix:PATH, inet:PORT@HOST or inet6:PORT@HOST"},
        {"unix:", "the path must be absolute"},
        {"unix:run/x", "the path must be absolute"},
        {"unix:/run/", "the path must name a file, not a folder"},
        {"inet:8891", "write PORT@HOST; the host says on which address to listen"},
        {"inet:@localhost", "the port must be a number from 1 to 65535"},
        {"inet:0@localhost", "the port must be a number from 1 to 65535"},
        {"inet:65536@localhost", "the port must be a number from 1 to 65535"},
        {"inet:99999@localhost", "the port must be a number from 1 to 65535"},
        {"inet:4294967297@localhost", "the port must be a number from 1 to 65535"},
        {"inet:-1@localhost", "the port must be a number from 1 to 65535"},
        {"inet:+80@localhost", "the port must be a number from 1 to 65535"},
        {"inet:smtp@localhost", "the port must be a number from 1 to 65535"},
        {"inet:80@", "write the host's name or address after the @"},
        {"inet:80@[]", "write the host's name or address after the @"},
        {"inet:80@a@b", "the host is neither a name nor an address"},
        {"inet:80@*", "the host is neither a name nor an address"},
        {"inet:80@127.0.0.256", "the host is neither a name nor an address"},
        {"inet6:80@IPv6:::1", "the host is neither a name nor an address"},
        {"inet:80@::1", "an IPv6 address needs inet6:"},
        {"inet6:80@127.0.0.1", "an IPv4 address needs inet:"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct socket_address address;
        const char *why = NULL;
        g_assert_false(socket_parse(rows[i][0], &address, &why));
        g_assert_cmpstr(why, ==, rows[i][1]);
    }
}

static void test_longest_path(void)
{
    char text[5 + SOCKET_PATH_MAX + 2];
    struct socket_address address;
    const char *why;
    memset(text, 'x', sizeof text);
    memcpy(text, "unix:/", 6);
    text[5 + SOCKET_PATH_MAX] = '\0';
    g_assert_true(socket_parse(text, &address, NULL));
    g_assert_cmpuint(strlen(address.path), ==, 107);
    text[5 + SOCKET_PATH_MAX] = 'x';
    text[5 + SOCKET_PATH_MAX + 1] = '\0';
    g_assert_false(socket_parse(text, &address, &why));
    g_assert_cmpstr(why, ==, "the path is longer than the 107 bytes that a socket's may have");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/socket/good", test_good);
    g_test_add_func("/socket/bad", test_bad);
    g_test_add_func("/socket/longest_path", test_longest_path);
    return g_test_run();
}
