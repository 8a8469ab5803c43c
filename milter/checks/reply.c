/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies: one place where they are put together and made safe. RFC 5321 4.2, RFC 3463.
 */
#include "restrictions.h"

#include <string.h>

#include "base/text.h"

G_GNUC_PRINTF(3, 0)
static char *format_reply(unsigned code, const char *dsn, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    g_autofree char *raw = g_strdup_printf("%03u %s %s", code, dsn, text);
    char *reply = text_reply_safe(raw, REPLY_MAX);
    if (strlen(reply) > 4)
        reply[4] = reply[0];
    return reply;
}

char *check_format_reply(unsigned code, const char *dsn, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *reply = format_reply(code, dsn, format, args);
    va_end(args);
    return reply;
}

enum check_result check_refuse(struct check *check, unsigned code, const char *dsn,
                               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(check->reply);
    check->reply = format_reply(code, dsn, format, args);
    va_end(args);
    return CHECK_REFUSE;
}

enum check_result check_take_deferral(struct check *check, char *reply)
{
    char **place = check->warn_only ? &check->reply : &check->effects->defer_if_permit;
    if (check->warn_only)
        g_clear_pointer(place, g_free);
    if (*place)
        g_free(reply);
    else
        *place = reply;
    return check->warn_only ? CHECK_REFUSE : CHECK_DUNNO;
}

enum check_result check_defer_if_permit(struct check *check, unsigned code, const char *dsn,
                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *reply = format_reply(code, dsn, format, args);
    va_end(args);
    return check_take_deferral(check, reply);
}

enum check_result check_cannot_tell(struct check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(check->why);
    check->why = g_strdup_vprintf(format, args);
    va_end(args);
    return CHECK_CANNOT_TELL;
}

enum check_result check_wait(struct check *check, enum wait_source source)
{
    check->waits_for = source;
    return CHECK_WAIT;
}
