/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies: one place where they are put together and made safe. RFC 5321 4.2, RFC 3463.
 */
#include "restrictions.h"

#include <string.h>

#include "base/text.h"
#include "checks/commit.h"
#include "checks/spam.h"

/* Postfix cuts a reply here (RFC 5321 4.5.3.1.5 allows 512 with CRLF). */
enum { REPLY_MAX = 510 };

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

void check_errand_clear(struct check_errand *errand)
{
    if (errand->data)
        errand->free(errand->data);
    *errand = (struct check_errand){0};
}

void check_effects_init(struct check_effects *effects)
{
    *effects = (struct check_effects){.prepend = g_ptr_array_new_with_free_func(g_free)};
}

static void free_change(void *data)
{
    struct header_change *change = data;
    g_free(change->name);
    g_free(change->value);
    g_free(change);
}

void check_effects_change(struct check_effects *effects, const char *name, unsigned index,
                          const char *value)
{
    if (!effects->changes)
        effects->changes = g_ptr_array_new_with_free_func(free_change);
    struct header_change *change = g_new0(struct header_change, 1);
    change->name = g_strdup(name);
    change->index = index;
    change->value = g_strdup(value);
    g_ptr_array_add(effects->changes, change);
}

static void free_detail(void *data)
{
    struct check_detail *detail = data;
    g_free(detail->value);
    g_free(detail);
}

void check_details_set(GPtrArray **details, const char *key, const char *value)
{
    if (!*details)
        *details = g_ptr_array_new_with_free_func(free_detail);
    for (guint i = 0; i < (*details)->len; i++)
        if (strcmp(((const struct check_detail *)(*details)->pdata[i])->key, key) == 0)
            g_ptr_array_remove_index(*details, i--);
    struct check_detail *detail = g_new0(struct check_detail, 1);
    detail->key = key;
    detail->value = g_strdup(value);
    g_ptr_array_add(*details, detail);
}

void check_effects_detail(struct check_effects *effects, const char *key, const char *value)
{
    check_details_set(&effects->details, key, value);
}

static void free_charge(void *data)
{
    struct charge *charge = data;
    charge->free(charge);
}

void check_effects_charge(struct check_effects *effects, struct charge *charge)
{
    if (!effects->charges)
        effects->charges = g_ptr_array_new_with_free_func(free_charge);
    g_ptr_array_add(effects->charges, charge);
}

void check_effects_clear(struct check_effects *effects)
{
    if (effects->changes)
        g_ptr_array_unref(effects->changes);
    if (effects->body)
        g_string_free(effects->body, TRUE);
    if (effects->charges)
        g_ptr_array_unref(effects->charges);
    if (effects->details)
        g_ptr_array_unref(effects->details);
    spam_verdict_free(effects->spam);
    g_free(effects->hold);
    g_free(effects->defer_if_permit);
    g_free(effects->defer_if_reject);
    if (effects->prepended)
        g_hash_table_unref(effects->prepended);
    if (effects->prepend)
        g_ptr_array_unref(effects->prepend);
    *effects = (struct check_effects){0};
}
