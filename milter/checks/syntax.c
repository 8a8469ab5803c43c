/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about the form of HELO names and addresses, as Postfix's.
 */
#include "restrictions.h"

#include <string.h>

#include "mail/hostname.h"

/* The name without one trailing dot (but not of two): the caller frees it. */
static char *without_dot(const char *name)
{
    size_t length = strlen(name);
    if (length > 1 && name[length - 1] == '.' && name[length - 2] != '.')
        length--;
    return g_strndup(name, length);
}

static enum check_result refuse_helo(struct check *check, unsigned code, const char *why)
{
    return check_refuse(check, code, "5.5.2", "<%s>: Helo command rejected: %s", check->facts->helo,
                        why);
}

/* What HELO said, as a name for the caller to free; NULL, and *RESULT_R decides: there was no HELO,
 * or it is an address literal. */
static char *helo_name(struct check *check, enum check_result *result_r)
{
    const char *helo = check->facts->helo;
    bool bad_literal = helo && helo[0] == '[' && !hostname_is_literal(helo);
    *result_r = bad_literal ? refuse_helo(check, 501, "invalid ip address") : CHECK_DUNNO;
    return helo && helo[0] != '[' ? without_dot(helo) : NULL;
}

static bool is_fqdn(const struct facts *facts, const char *name)
{
    bool valid = facts->smtputf8 ? hostname_valid_utf8(name) : hostname_valid(name);
    return valid && strchr(name, '.');
}

enum check_result run_reject_invalid_helo_hostname(struct check *check)
{
    enum check_result result;
    g_autofree char *name = helo_name(check, &result);
    if (!name || hostname_valid(name) || hostname_is_address(name))
        return result;
    return refuse_helo(check, 501, "Invalid name");
}

enum check_result run_reject_non_fqdn_helo_hostname(struct check *check)
{
    enum check_result result;
    g_autofree char *name = helo_name(check, &result);
    if (!name || is_fqdn(check->facts, name))
        return result;
    return refuse_helo(check, 504, "need fully-qualified hostname");
}

static bool address_is_fqdn(const struct facts *facts, const struct mail_address *address)
{
    const char *at = strrchr(address->text, '@');
    const char *domain = at ? at + 1 : "";
    size_t length = strlen(domain);
    if (length > 1 && domain[0] == '[' && domain[length - 1] == ']')
        return true;
    g_autofree char *name = without_dot(domain);
    return is_fqdn(facts, name);
}

enum check_result run_reject_non_fqdn_sender(struct check *check)
{
    const struct facts *facts = check->facts;
    if (!facts->in_message || facts->sender.null || address_is_fqdn(facts, &facts->sender))
        return CHECK_DUNNO;
    return check_refuse(check, 504, "5.5.2",
                        "<%s>: Sender address rejected: need fully-qualified address",
                        facts->sender.text);
}

enum check_result run_reject_non_fqdn_recipient(struct check *check)
{
    const struct facts *facts = check->facts;
    if (!facts->has_recipient || address_is_fqdn(facts, &facts->recipient))
        return CHECK_DUNNO;
    return check_refuse(check, 504, "5.5.2",
                        "<%s>: Recipient address rejected: need fully-qualified address",
                        facts->recipient.text);
}
