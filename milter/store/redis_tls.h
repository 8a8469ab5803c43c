/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TLS to a Redis or Valkey server (rediss://). The server's certificate must be signed by an
 * authority that is trusted, and name the host as the settings write it; hiredis itself looks at no
 * name. TLS 1.2 is the least. Without libhiredis_ssl, redis_no_tls.c says that there is none.
 *
 * Threads: a connection's belongs to who reads the connection.
 */
#ifndef STORE_REDIS_TLS_H
#define STORE_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "store/store.h"

struct redis_tls; /* of one connection */

/* Begins TLS on CONNECTION, which is about to be made to HOST, a name or an address without
 * brackets; nothing that is sent leaves before the server has shown who it is. Reads the files of
 * OPTIONS, each time. NULL with *WHY_R (owned by the caller): a file is of no use, or a connection
 * that blocks has failed. The caller frees what it returns, after or before CONNECTION. */
struct redis_tls *redis_tls_begin(redisContext *connection, const char *host,
                                  const struct store_redis_options *options, char **why_r);

/* What is wrong with the certificate that the server has shown, owned by the caller; NULL: nothing,
 * or it has shown none yet. */
char *redis_tls_fault(const struct redis_tls *tls);

void redis_tls_free(struct redis_tls *tls); /* accepts NULL */

#endif
