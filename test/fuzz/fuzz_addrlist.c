/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Address lists from a stranger: every address holds exactly one "@" and came from the value.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/addrlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) entries = addrlist_parse((const char *)data, size);
    if (entries->len > size + 1)
        abort();
    for (guint i = 0; i < entries->len; i++) {
        const struct addrlist_entry *entry = entries->pdata[i];
        g_free(addrlist_display_name(entry));
        const char *at = entry->address ? strchr(entry->address, '@') : NULL;
        if (entry->address && (!at || strchr(at + 1, '@')))
            abort();
    }
    return 0;
}
