/* SPDX-License-Identifier: BSD-2-Clause
 *
 * INFO: lines "NAME:VALUE".
 */
#include "redis_info.h"

#include <glib.h>
#include <string.h>

enum { VERSION_MIN = 6 };

/* To be freed; "" without such a line. */
static char *value_of(const char *info, const char *name)
{
    g_autofree char *line = g_strdup_printf("\n%s:", name);
    const char *found = strstr(info, line);
    if (!found)
        return g_strdup("");
    found += strlen(line);
    return g_strndup(found, strcspn(found, "\r\n"));
}

char *redis_info_fault(const char *info)
{
    g_autofree char *version = value_of(info, "redis_version");
    g_autofree char *role = value_of(info, "role");
    g_autofree char *cluster = value_of(info, "cluster_enabled");
    if (g_ascii_strtoull(version, NULL, 10) < VERSION_MIN)
        return g_strdup_printf("it is Redis %s; 6 or later is needed", version);
    if (strcmp(cluster, "1") == 0)
        return g_strdup("it is a cluster, which gatepost does not speak to");
    if (strcmp(role, "master") != 0)
        return g_strdup("it is a replica, which takes no writes");
    return NULL;
}

char *redis_info_warning(const char *info)
{
    g_autofree char *policy = value_of(info, "maxmemory_policy");
    if (*policy == '\0' || strcmp(policy, "noeviction") == 0)
        return NULL;
    return g_strdup_printf("maxmemory_policy is %s: when its memory is full the server will forget "
                           "counters; set it to noeviction",
                           policy);
}
