/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The limits of a policy: made and freed.
 */
#include <string.h>

#include "checks/limit.h"

static void limit_free(void *data)
{
    struct limit *limit = data;
    g_free(limit->name);
    g_free(limit->window_text);
    g_free(limit->window_key);
    g_clear_pointer(&limit->parts, g_array_unref);
    table_list_free(limit->overrides);
    g_free(limit);
}

struct limit_site *limit_site_new(void)
{
    struct limit_site *site = g_new0(struct limit_site, 1);
    site->limits = g_ptr_array_new_with_free_func(limit_free);
    return site;
}

void limit_site_free(struct limit_site *site)
{
    if (!site)
        return;
    g_ptr_array_unref(site->limits);
    calendar_free(site->calendar);
    g_free(site->notice_address);
    g_free(site);
}

const struct limit *limit_find(const struct limit_site *site, const char *name)
{
    for (guint i = 0; site && i < site->limits->len; i++) {
        const struct limit *limit = site->limits->pdata[i];
        if (strcmp(limit->name, name) == 0)
            return limit;
    }
    return NULL;
}
