/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal by libsystemd.
 */
#include "journal.h"

#include <string.h>
#include <unistd.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

bool journal_is_built_in(void)
{
    return true;
}

bool journal_is_there(void)
{
    return access("/run/systemd/journal/socket", F_OK) == 0;
}

void journal_send(const GPtrArray *fields)
{
    g_autofree struct iovec *parts = g_new(struct iovec, fields->len);
    for (guint i = 0; i < fields->len; i++) {
        parts[i].iov_base = fields->pdata[i];
        parts[i].iov_len = strlen(fields->pdata[i]);
    }
    /* A journal that is gone is nothing that could be told anywhere. */
    (void)sd_journal_sendv(parts, (int)fields->len);
}
