/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where hiredis comes without its TLS library.
 */
#include "redis_tls.h"

struct redis_tls *redis_tls_begin(redisContext *connection, const char *host,
                                  const struct store_redis_options *options, char **why_r)
{
    (void)connection, (void)host, (void)options;
    *why_r = g_strdup("gatepost was built without TLS to a Redis server");
    return NULL;
}

char *redis_tls_fault(const struct redis_tls *tls)
{
    (void)tls;
    return NULL;
}

void redis_tls_free(struct redis_tls *tls)
{
    (void)tls;
}
