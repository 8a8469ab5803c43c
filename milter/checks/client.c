/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions that trust an address. On an untrusted listener (an onion service, stunnel) the
 * address is the tunnel's, so none of them says anything.
 */
#include "restrictions.h"

enum check_result run_permit_mynetworks(struct check *check)
{
    g_autofree char *subject = NULL;
    switch (site_in_mynetworks(check->site, check->facts, NULL)) {
    case LOOKUP_HIT: {
        g_autoptr(GString) entry = g_string_new(NULL);
        site_in_mynetworks(check->site, check->facts, entry);
        if (entry->len > 0)
            check_rests_on(check, entry->str);
        return CHECK_PERMIT;
    }
    case LOOKUP_MISS:
        return CHECK_DUNNO;
    default:
        subject = facts_client_text(check->facts);
        return check_cannot_tell(check, "mynetworks cannot be asked about %s", subject);
    }
}

enum check_result run_permit_inet_interfaces(struct check *check)
{
    const struct site *site = check->site;
    if (check->facts->untrusted)
        return CHECK_DUNNO;
    for (size_t i = 0; i < site->interface_count; i++)
        if (ipaddr_equal(&site->interfaces[i], &check->facts->address))
            return CHECK_PERMIT;
    return CHECK_DUNNO;
}
