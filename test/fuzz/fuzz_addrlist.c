/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Address lists from a stranger: every address holds exactly one "@" and came from the value. Who
 * reads for restrictions passes over no "@" in silence, and loses no address between commas.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/addrlist.h"
#include "mail/mailboxes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(const struct mailboxes *mailboxes, const char *address)
{
    for (guint i = 0; i < mailboxes->addresses->len; i++)
        if (strcmp(mailboxes->addresses->pdata[i], address) == 0)
            return true;
    return false;
}

/* Hides an address at the first comma: it may not get lost there. */
static void check_forged(const char *data, size_t size)
{
    static const char forged[] = ",forged@example.org,";
    const char *comma = memchr(data, ',', size);
    if (!comma)
        return;
    size_t before = (size_t)(comma - data);
    struct mailboxes mailboxes;
    g_autoptr(GString) value = g_string_new_len(data, (gssize)size);
    g_string_insert_len(value, (gssize)before, forged, sizeof forged - 1);
    mailboxes_read(value->str, value->len, &mailboxes);
    /* In a comment or a quoted string of a field that is all right it is none. */
    bool hidden = memchr(data, '(', before) || memchr(data, '"', before) ||
                  memchr(data, '<', before) || memchr(data, '[', before);
    if (!hidden && !mailboxes.truncated && !has(&mailboxes, "forged@example.org"))
        abort();
    mailboxes_clear(&mailboxes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    g_autoptr(GPtrArray) entries = addrlist_parse(text, size);
    struct mailboxes mailboxes;
    mailboxes_read(text, size, &mailboxes);
    if (entries->len > size + 1 || mailboxes.addresses->len > 5 * size)
        abort();
    for (guint i = 0; i < entries->len; i++) {
        const struct addrlist_entry *entry = entries->pdata[i];
        g_free(addrlist_display_name(entry));
        const char *at = entry->address ? strchr(entry->address, '@') : NULL;
        if (entry->address && (!at || strchr(at + 1, '@')))
            abort();
    }
    for (guint i = 0; i < mailboxes.addresses->len; i++)
        if (!strchr(mailboxes.addresses->pdata[i], '@') ||
            strpbrk(mailboxes.addresses->pdata[i], "\r\n"))
            abort();
    /* Of "<@route:boss>" the bare word remains. */
    bool silent = mailboxes.addresses->len == 0 && mailboxes.bare->len == 0 &&
                  !mailboxes.malformed && !mailboxes.truncated;
    if (silent && !mailboxes.group && memchr(text, '@', size) && !memchr(text, '(', size) &&
        !memchr(text, '"', size) && !memchr(text, '=', size))
        abort();
    mailboxes_clear(&mailboxes);
    check_forged(text, size);
    return 0;
}
