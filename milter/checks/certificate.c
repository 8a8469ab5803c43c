/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions that trust a client certificate which the MTA has verified.
 */
#include "restrictions.h"

enum check_result run_permit_tls_clientcerts(struct check *check)
{
    if (!check->facts->macros.cert_subject) /* as most */
        return CHECK_DUNNO;
    g_autoptr(GString) entry = g_string_new(NULL);
    switch (site_relay_certificate(check->site, check->facts, entry)) {
    case LOOKUP_HIT:
        if (entry->len > 0)
            check_rests_on(check, entry->str);
        return CHECK_PERMIT;
    case LOOKUP_MISS:
        return CHECK_DUNNO;
    default: {
        g_autofree char *tables = table_list_names(check->site->relay_clientcerts);
        g_autofree char *subject = facts_verified_subject(check->facts);
        return check_cannot_tell(check, "relay_clientcerts %s cannot be asked about \"%s\"", tables,
                                 subject ? subject : "");
    }
    }
}

enum check_result run_permit_tls_all_clientcerts(struct check *check)
{
    g_autofree char *subject = facts_verified_subject(check->facts);
    return subject ? CHECK_PERMIT : CHECK_DUNNO;
}
