/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about where a recipient is: here, or elsewhere.
 */
#include "restrictions.h"

static const char unset_text[] = "local_domains is not set, so nobody knows what is local";
#define error_text "local_domains cannot be asked about <%s>"

enum check_result run_permit_auth_destination(struct check *check)
{
    if (!check->facts->has_recipient)
        return CHECK_DUNNO;
    switch (site_destination(check->site, &check->facts->recipient)) {
    case DESTINATION_LOCAL:
        return CHECK_PERMIT;
    case DESTINATION_UNKNOWN:
        return check_cannot_tell(check, error_text, check->facts->recipient.text);
    default:
        return CHECK_DUNNO;
    }
}

static enum check_result refuse_relay(struct check *check, unsigned code, const char *dsn,
                                      const char *text)
{
    if (!check->facts->has_recipient)
        return CHECK_DUNNO;
    switch (site_destination(check->site, &check->facts->recipient)) {
    case DESTINATION_LOCAL:
        return CHECK_DUNNO;
    case DESTINATION_UNSET:
        return check_cannot_tell(check, "%s", unset_text);
    case DESTINATION_UNKNOWN:
        return check_cannot_tell(check, error_text, check->facts->recipient.text);
    default:
        return check_refuse(check, code, dsn, "<%s>: %s", check->facts->recipient.text, text);
    }
}

enum check_result run_reject_unauth_destination(struct check *check)
{
    /* Whose login counts is not helped by being told to log in. */
    const char *text = site_authenticated(check->site, check->facts)
                           ? "Relaying denied"
                           : "Relaying denied; authenticate first";
    return refuse_relay(check, 550, "5.7.1", text);
}

enum check_result run_defer_unauth_destination(struct check *check)
{
    return refuse_relay(check, 454, "4.7.1", "Relay access denied");
}
