/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Without libcurl no policy can be fetched, and what a domain demands is not known.
 */
#include "sts_fetch.h"

void sts_fetch_start(void)
{
}

bool sts_can_download(void)
{
    return false;
}

GString *sts_download(const char *domain, const char *addresses, const char *ca_file, char **why_r)
{
    (void)domain, (void)addresses, (void)ca_file;
    *why_r = g_strdup("built without libcurl");
    return NULL;
}
