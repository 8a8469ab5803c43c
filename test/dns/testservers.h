/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS servers for tests: Debian's rbldnsd with the lists of packaging/rbldnsd, and badserver.py for
 * what an honest server cannot do. Both on loopback ports above 10000.
 */
#ifndef TEST_DNS_TESTSERVERS_H
#define TEST_DNS_TESTSERVERS_H

#include <stdbool.h>

struct test_server;

/* NULL, after g_test_skip with the reason, if the program is missing. */
struct test_server *test_badserver_start(void);

/* ZONES: "zone:type:file ..." as rbldnsd takes them, NULL-terminated; files relative to FOLDER. */
struct test_server *test_rbldnsd_start(const char *folder, const char *const *zones);

/* rbldnsd reads its files again; returns when it has. */
void test_rbldnsd_reload(struct test_server *server);

/* Ends the process; accepts NULL. */
void test_server_stop(struct test_server *server);

/* "127.0.0.1:PORT", as dns_servers takes it. */
const char *test_server_address(const struct test_server *server);

/* The folder packaging/rbldnsd of the source tree. */
const char *test_lists_folder(void);

#endif
