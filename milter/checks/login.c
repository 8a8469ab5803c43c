/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about SASL logins: how they came, and which senders they own.
 */
#include "restrictions.h"

#include <string.h>

#include "base/text.h"

const char *check_weak_login_reply(enum login_fault fault)
{
    switch (fault) {
    case LOGIN_CLEARTEXT:
        return "538 5.7.11 Encryption required for authentication; use STARTTLS";
    case LOGIN_MECHANISM:
        return "534 5.7.9 Authentication mechanism not allowed here; use another one";
    default:
        return NULL;
    }
}

enum check_result run_permit_sasl_authenticated(struct check *check)
{
    return site_authenticated(check->site, check->facts) ? CHECK_PERMIT : CHECK_DUNNO;
}

enum check_result run_reject_cleartext_auth(struct check *check)
{
    const char *reply = check_weak_login_reply(site_login_fault(check->site, check->facts));
    if (!reply)
        return CHECK_DUNNO;
    g_free(check->reply);
    check->reply = g_strdup(reply);
    return CHECK_REFUSE;
}

/* Whether one of OWNERS, separated by commas or white space, is LOGIN. */
static bool owns(const struct site *site, const char *owners, const char *login)
{
    g_auto(GStrv) names = g_strsplit_set(owners, ", \t\r\n", -1);
    for (char **name = names; *name; name++) {
        g_autofree char *owner = site_cut_realm(site, *name);
        if (**name && g_ascii_strcasecmp(owner, login) == 0)
            return true;
    }
    return false;
}

enum owner { OWNER_UNKNOWN_SENDER, OWNER_SELF, OWNER_OTHER, OWNER_CANNOT_TELL };

/* Whose ADDRESS is, seen from LOGIN (NULL: nobody is logged in). */
static enum owner address_owner(struct check *check, const struct mail_address *address,
                                const char *login)
{
    const struct site *site = check->site;
    g_autoptr(GString) owners = g_string_new(NULL);
    enum destination destination = site_destination(site, address);
    switch (search_address(site->sender_login_maps, address, SEARCH_LOGIN,
                           site->recipient_delimiter, destination == DESTINATION_LOCAL, owners)) {
    case LOOKUP_HIT:
        return login && owns(site, owners->str, login) ? OWNER_SELF : OWNER_OTHER;
    case LOOKUP_MISS:
        /* What the MTA makes of a malformed sender may be anybody's address. */
        return address->malformed && address == &check->facts->sender ? OWNER_OTHER
                                                                      : OWNER_UNKNOWN_SENDER;
    default:
        return OWNER_CANNOT_TELL;
    }
}

static enum check_result cannot_tell_owner(struct check *check)
{
    return check_cannot_tell(check, "sender_login_maps cannot be asked");
}

static enum check_result authenticated_mismatch(struct check *check,
                                                const struct mail_address *address,
                                                const char *class, bool allow_unknown)
{
    if (!facts_has_login(check->facts))
        return CHECK_DUNNO;
    g_autofree char *login = site_login(check->site, check->facts);
    enum owner owner = address_owner(check, address, login);
    if (owner == OWNER_CANNOT_TELL)
        return cannot_tell_owner(check);
    if (owner == OWNER_SELF || (owner == OWNER_UNKNOWN_SENDER && allow_unknown))
        return CHECK_DUNNO;
    return check_refuse(check, 553, "5.7.1", "<%s>: %s rejected: not owned by user %s",
                        address->text, class, login ? login : "unknown");
}

/* A login that does not count is none: it owns nothing. */
static enum check_result
unauthenticated_mismatch(struct check *check, const struct mail_address *address, const char *class)
{
    if (site_authenticated(check->site, check->facts))
        return CHECK_DUNNO;
    enum owner owner = address_owner(check, address, NULL);
    if (owner == OWNER_CANNOT_TELL)
        return cannot_tell_owner(check);
    if (owner == OWNER_UNKNOWN_SENDER)
        return CHECK_DUNNO;
    return check_refuse(check, 553, "5.7.1", "<%s>: %s rejected: not logged in", address->text,
                        class);
}

enum check_result check_owner(struct check *check, const struct mail_address *address,
                              const char *class, bool allow_unknown)
{
    if (!check->site->sender_login_maps || address->null)
        return CHECK_DUNNO;
    enum check_result result = authenticated_mismatch(check, address, class, allow_unknown);
    return result != CHECK_DUNNO ? result : unauthenticated_mismatch(check, address, class);
}

static const char sender_class[] = "Sender address";

/* The envelope sender, if it is to be looked at; else NULL. */
static const struct mail_address *sender_to_check(const struct check *check)
{
    bool looked_at =
        check->site->sender_login_maps && check->facts->in_message && !check->facts->sender.null;
    return looked_at ? &check->facts->sender : NULL;
}

enum check_result run_reject_authenticated_sender_login_mismatch(struct check *check)
{
    const struct mail_address *sender = sender_to_check(check);
    return sender ? authenticated_mismatch(check, sender, sender_class, false) : CHECK_DUNNO;
}

enum check_result run_reject_unauthenticated_sender_login_mismatch(struct check *check)
{
    const struct mail_address *sender = sender_to_check(check);
    return sender ? unauthenticated_mismatch(check, sender, sender_class) : CHECK_DUNNO;
}

enum check_result run_reject_sender_login_mismatch(struct check *check)
{
    const struct mail_address *sender = sender_to_check(check);
    return sender ? check_owner(check, sender, sender_class, false) : CHECK_DUNNO;
}

enum check_result run_reject_known_sender_login_mismatch(struct check *check)
{
    const struct mail_address *sender = sender_to_check(check);
    return sender ? check_owner(check, sender, sender_class, true) : CHECK_DUNNO;
}
