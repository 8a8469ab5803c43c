/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions that look at nothing, or at the encryption of the session alone.
 */
#include "restrictions.h"

enum check_result run_permit(struct check *check)
{
    (void)check;
    return CHECK_PERMIT;
}

enum check_result run_reject(struct check *check)
{
    return check_refuse(check, 554, "5.7.1", "<%s>: %s rejected: Access denied", check->subject,
                        check->subject_class);
}

enum check_result run_defer(struct check *check)
{
    return check_refuse(check, 450, "4.3.2", "<%s>: %s rejected: Try again later", check->subject,
                        check->subject_class);
}

enum check_result run_defer_if_permit(struct check *check)
{
    return check_defer_if_permit(check, 450, "4.7.0",
                                 "<%s>: %s rejected: defer_if_permit requested", check->subject,
                                 check->subject_class);
}

enum check_result run_defer_if_reject(struct check *check)
{
    if (!check->effects->defer_if_reject)
        check->effects->defer_if_reject =
            check_format_reply(450, "4.7.0", "<%s>: %s rejected: defer_if_reject requested",
                               check->subject, check->subject_class);
    return CHECK_DUNNO;
}

enum check_result run_reject_plaintext_session(struct check *check)
{
    if (check->facts->macros.tls_version)
        return CHECK_DUNNO;
    return check_refuse(check, 450, "4.7.1", "Session encryption is required");
}
