/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about SASL logins: how they came, and which senders they own.
 */
#include "restrictions.h"

#include <string.h>

#include "base/text.h"
#include "checks/whose.h"

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

/* Whose an address is, seen from LOGIN (NULL: nobody is logged in). */
struct ownership {
    const struct site *site;
    const char *login;
    enum owner owner;
    GString *entry; /* of sender_login_maps, that says so */
};

/* Of what an address may be, one that is somebody else's decides. */
static bool ask_owner(void *data, const struct mail_address *address)
{
    struct ownership *ownership = data;
    const struct site *site = ownership->site;
    g_autoptr(GString) owners = g_string_new(NULL);
    enum lookup_status here = whose_login_domain(site, address->domain);
    enum lookup_status status = here == LOOKUP_ERROR
                                    ? LOOKUP_ERROR
                                    : search_address(site->sender_login_maps, address, SEARCH_LOGIN,
                                                     site->recipient_delimiter, here == LOOKUP_HIT,
                                                     owners, ownership->entry);
    bool own =
        status == LOOKUP_HIT && ownership->login && owns(site, owners->str, ownership->login);
    if (own)
        ownership->owner = OWNER_SELF;
    else if (status != LOOKUP_MISS)
        ownership->owner = status == LOOKUP_HIT ? OWNER_OTHER : OWNER_CANNOT_TELL;
    return own || status == LOOKUP_MISS;
}

/* An envelope sender that cannot be understood wholly may be anybody's address. Words of a header
 * are an address only if one is known that an MTA would make of them: else they are a name. */
static enum owner address_owner(struct check *check, const struct meant_address *meant,
                                const char *login)
{
    g_autoptr(GString) entry = g_string_new(NULL);
    struct ownership ownership = {check->site, login, OWNER_UNKNOWN_SENDER, entry};
    if (meant->untold)
        return OWNER_CANNOT_TELL;
    bool whole = whose_each(check->site, meant, ask_owner, &ownership);
    if (entry->len > 0)
        check_rests_on(check, entry->str);
    bool doubtful =
        !whole && ownership.owner == OWNER_UNKNOWN_SENDER && meant == &check->facts->sender_meant;
    return doubtful ? OWNER_OTHER : ownership.owner;
}

/* A sender that is looked at: how it was typed, whose it is, and what it is called in a reply. */
struct claim {
    const char *typed;
    const struct meant_address *meant;
    const char *class;
};

static enum check_result cannot_tell_owner(struct check *check, const struct claim *claim)
{
    g_autofree char *tables = table_list_names(check->site->sender_login_maps);
    return check_cannot_tell(check,
                             "whose <%s> is cannot be told: sender_login_maps %s, or "
                             "login_domains, cannot be asked",
                             claim->typed, tables);
}

static enum check_result authenticated_mismatch(struct check *check, const struct claim *claim,
                                                bool allow_unknown)
{
    if (!facts_has_login(check->facts))
        return CHECK_DUNNO;
    g_autofree char *login = site_login(check->site, check->facts);
    enum owner owner = address_owner(check, claim->meant, login);
    if (owner == OWNER_CANNOT_TELL)
        return cannot_tell_owner(check, claim);
    if (owner == OWNER_SELF || (owner == OWNER_UNKNOWN_SENDER && allow_unknown))
        return CHECK_DUNNO;
    return check_refuse(check, 553, "5.7.1", "<%s>: %s rejected: not owned by user %s",
                        claim->typed, claim->class, login ? login : "unknown");
}

/* A login that does not count is none: it owns nothing. */
static enum check_result unauthenticated_mismatch(struct check *check, const struct claim *claim)
{
    if (site_authenticated(check->site, check->facts))
        return CHECK_DUNNO;
    enum owner owner = address_owner(check, claim->meant, NULL);
    if (owner == OWNER_CANNOT_TELL)
        return cannot_tell_owner(check, claim);
    if (owner == OWNER_UNKNOWN_SENDER)
        return CHECK_DUNNO;
    return check_refuse(check, 553, "5.7.1", "<%s>: %s rejected: not logged in", claim->typed,
                        claim->class);
}

static enum check_result mismatch(struct check *check, const struct claim *claim,
                                  bool allow_unknown)
{
    enum check_result result = authenticated_mismatch(check, claim, allow_unknown);
    return result != CHECK_DUNNO ? result : unauthenticated_mismatch(check, claim);
}

enum check_result check_owner(struct check *check, const struct mail_address *address,
                              const char *class, bool allow_unknown)
{
    struct meant_address meant;
    if (!check->site->sender_login_maps || address->null)
        return CHECK_DUNNO;
    whose_typed(check->site, address, &meant);
    struct claim claim = {address->text, &meant, class};
    enum check_result result = mismatch(check, &claim, allow_unknown);
    mail_address_clear(&meant.address);
    return result;
}

/* The envelope sender; false if there is nothing to look at. */
static bool claim_of_sender(const struct check *check, struct claim *claim_r)
{
    const struct facts *facts = check->facts;
    *claim_r = (struct claim){facts->sender.text, &facts->sender_meant, "Sender address"};
    return check->site->sender_login_maps && facts->in_message && !claim_r->meant->address.null;
}

enum check_result run_reject_authenticated_sender_login_mismatch(struct check *check)
{
    struct claim claim;
    return claim_of_sender(check, &claim) ? authenticated_mismatch(check, &claim, false)
                                          : CHECK_DUNNO;
}

enum check_result run_reject_unauthenticated_sender_login_mismatch(struct check *check)
{
    struct claim claim;
    return claim_of_sender(check, &claim) ? unauthenticated_mismatch(check, &claim) : CHECK_DUNNO;
}

enum check_result run_reject_sender_login_mismatch(struct check *check)
{
    struct claim claim;
    return claim_of_sender(check, &claim) ? mismatch(check, &claim, false) : CHECK_DUNNO;
}

enum check_result run_reject_known_sender_login_mismatch(struct check *check)
{
    struct claim claim;
    return claim_of_sender(check, &claim) ? mismatch(check, &claim, true) : CHECK_DUNNO;
}
