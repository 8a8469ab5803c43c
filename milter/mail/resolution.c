/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Resolving addresses, on the text with its quotes undone: Postfix itself looks for operators in
 * quoted local parts, since whoever it hands the mail on to may.
 */
#include "mail/resolution.h"

#include <glib.h>
#include <string.h>

/* Whether LOCAL is a dot-atom (RFC 5322 3.2.3; bytes above 127 may stand), so that Postfix would
 * not have it in quotes. In quotes "%" goes before "!", outside behind it. */
static bool is_plain(const char *local)
{
    for (const char *p = local; *p; p++)
        if (g_ascii_iscntrl(*p) || strchr(" ()<>@,;:\\\"[]", *p))
            return false;
    return *local && *local != '.' && !strstr(local, "..") && !g_str_has_suffix(local, ".");
}

/* USER at HOST for a local part that holds an operator, in the MTAs' order; NULL: there is none. */
static char *take_apart(const char *local)
{
    const char *bang = strchr(local, '!'), *percent = strrchr(local, '%');
    if (strchr(local, '@'))
        return g_strdup(local);
    if (bang && (is_plain(local) || !percent))
        return g_strdup_printf("%s@%.*s", bang + 1, (int)(bang - local), local);
    if (percent)
        return g_strdup_printf("%.*s@%s", (int)(percent - local), local, percent + 1);
    return NULL;
}

/* One trailing dot belongs to a name (RFC 1034 3.1), two are a mistake. */
static void cut_dot(char *domain)
{
    size_t length = strlen(domain);
    if (length > 1 && domain[length - 1] == '.' && domain[length - 2] != '.')
        domain[length - 1] = '\0';
}

static char *fold(const char *domain)
{
    g_autofree char *copy = g_strdup(domain);
    cut_dot(copy);
    bool dotted = g_str_has_suffix(copy, ".");
    return dotted ? g_steal_pointer(&copy) : mail_domain_fold(copy);
}

static void set_parts(struct mail_address *meant, const char *local, const char *domain)
{
    g_free(meant->local);
    g_free(meant->domain);
    g_free(meant->text);
    meant->local = g_strdup(local);
    meant->domain = g_strdup(domain);
    meant->text = mail_address_key(meant);
    meant->routed = strpbrk(meant->local, "%!@") != NULL;
}

bool mail_address_resolve(const struct mail_address *typed, const struct resolution_site *site,
                          struct mail_address *meant_r)
{
    *meant_r = (struct mail_address){.null = typed->null, .malformed = typed->malformed};
    set_parts(meant_r, typed->local, typed->domain);
    g_autofree char *text = mail_address_key(typed);
    bool told = true, ends = typed->null;
    while (!ends) {
        char *at = strrchr(text, '@');
        g_autofree char *local = at ? g_strndup(text, (gsize)(at - text)) : g_strdup(text);
        g_autofree char *domain = fold(at ? at + 1 : site->origin ? site->origin : "");
        enum domain_place place = !at           ? DOMAIN_HERE
                                  : site->where ? site->where(site->data, domain)
                                                : DOMAIN_ELSEWHERE;
        char *next = place == DOMAIN_HERE ? take_apart(local) : NULL;
        ends = !next;
        if (ends) {
            told = place != DOMAIN_CANNOT_TELL;
            set_parts(meant_r, local, domain);
            /* Where nobody knows what is taken apart here, nobody knows whose this is. */
            meant_r->malformed |= !told || (meant_r->routed && !site->where) ||
                                  !mail_address_is_sound(local, at ? domain : "x");
        }
        g_free(text);
        text = next;
    }
    /* Pattern tables are asked for what nobody understands as it was given. */
    if (meant_r->malformed) {
        g_free(meant_r->text);
        meant_r->text = g_strdup(typed->text);
    }
    return told;
}
