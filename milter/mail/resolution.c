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

/* DOMAIN as tables have it, without one dot at its end; what is folded otherwise is *OWN_R's. */
static const char *fold(char *domain, char **own_r)
{
    /* one trailing dot belongs to a name (RFC 1034 3.1), two are a mistake */
    size_t length = strlen(domain);
    if (length > 1 && domain[length - 1] == '.' && domain[length - 2] != '.')
        domain[length - 1] = '\0';
    if (g_str_has_suffix(domain, ".") || mail_domain_is_folded(domain))
        return domain;
    return *own_r = mail_domain_fold(domain);
}

static enum domain_place place_of(const struct resolution_site *site, const char *domain)
{
    return site->where ? site->where(site->data, domain) : DOMAIN_ELSEWHERE;
}

/* LOCAL at DOMAIN is what remains. Where nobody knows what is taken apart at PLACE, nobody knows
 * whose it is. */
static void take_rest(const char *local, const char *domain, enum domain_place place,
                      const struct resolution_site *site, struct mail_address *meant)
{
    mail_address_set(meant, NULL, local, domain);
    meant->routed = strpbrk(local, "%!@") != NULL;
    meant->malformed |= place == DOMAIN_CANNOT_TELL || (meant->routed && !site->where);
}

bool mail_address_resolve(const struct mail_address *typed, const struct resolution_site *site,
                          struct mail_address *meant_r)
{
    enum domain_place place = DOMAIN_HERE;
    *meant_r = (struct mail_address){.null = typed->null, .malformed = typed->malformed};
    if (typed->null) {
        mail_address_set(meant_r, NULL, typed->local, typed->domain);
    } else if (*typed->domain && !typed->routed && !typed->malformed && /* as most are */
               mail_address_is_sound(typed->local, typed->domain)) {
        place = place_of(site, typed->domain);
        take_rest(typed->local, typed->domain, place, site, meant_r);
    } else {
        g_autofree char *text = mail_address_key(typed);
        while (text) {
            char *at = strrchr(text, '@');
            g_autofree char *origin = at ? NULL : g_strdup(site->origin ? site->origin : "");
            g_autofree char *own = NULL;
            const char *domain = fold(at ? at + 1 : origin, &own);
            place = at ? place_of(site, domain) : DOMAIN_HERE;
            if (at)
                *at = '\0';
            char *next = place == DOMAIN_HERE ? take_apart(text) : NULL;
            if (!next) {
                take_rest(text, domain, place, site, meant_r);
                meant_r->malformed |= !mail_address_is_sound(text, at ? domain : "x");
            }
            g_free(text);
            text = next;
        }
    }
    /* Pattern tables are asked for what nobody understands as it was given. */
    if (meant_r->malformed)
        mail_address_set(meant_r, typed->text, meant_r->local, meant_r->domain);
    return place != DOMAIN_CANNOT_TELL;
}
