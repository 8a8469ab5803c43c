/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a Redis or Valkey server says of itself (INFO).
 */
#ifndef STORE_REDIS_INFO_H
#define STORE_REDIS_INFO_H

/* Why the server whose INFO this is cannot keep the counters (too old, a cluster, a replica); NULL:
 * it can. To be freed. */
char *redis_info_fault(const char *info);

/* A warning: its eviction policy drops counters. NULL: it drops none. To be freed. */
char *redis_info_warning(const char *info);

#endif
