/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about names that do not exist: the client's, of which the MTA has told what it
 * found, and those of HELO, sender and recipient, which are asked for. Codes and words are
 * Postfix's.
 */
#include "restrictions.h"

#include <string.h>

#include "checks/dns_questions.h"
#include "mail/hostname.h"

static const char no_resolver[] = "the resolver could not be started";

enum check_result run_reject_unknown_client_hostname(struct check *check)
{
    const struct facts *facts = check->facts;
    char address[IPADDR_TEXT_MAX];
    if (facts->untrusted || facts->name_status == NAME_OK)
        return CHECK_DUNNO;
    return check_refuse(check, 450, "4.7.25",
                        "Client host rejected: cannot find your hostname, [%s]",
                        ipaddr_format(&facts->address, address));
}

enum check_result run_reject_unknown_reverse_client_hostname(struct check *check)
{
    const struct facts *facts = check->facts;
    char address[IPADDR_TEXT_MAX];
    if (facts->untrusted || strcmp(facts->reverse_name, "unknown") != 0)
        return CHECK_DUNNO;
    return check_refuse(check, 450, "4.7.1",
                        "Client host rejected: cannot find your reverse hostname, [%s]",
                        ipaddr_format(&facts->address, address));
}

enum check_result run_reject_unknown_helo_hostname(struct check *check)
{
    const char *helo = check->facts->helo;
    if (!helo)
        return CHECK_DUNNO;
    if (!check->dns_questions)
        return check_cannot_tell(check, no_resolver);
    if (helo[0] == '[')
        return run_reject_invalid_helo_hostname(check);
    static const char format[] = "<%s>: Helo command rejected: %s";
    if (g_str_has_suffix(helo, ".")) /* smtpd takes it for no name, and does not ask */
        return check_refuse(check, 450, "4.7.1", format, helo, "Host not found");
    switch (dns_questions_ask_domain(check->dns_questions, helo, DOMAINCHECK_HOST)) {
    case DOMAINCHECK_PENDING:
        return check_wait(check, WAIT_DNS);
    case DOMAINCHECK_NOT_FOUND:
        return check_refuse(check, 450, "4.7.1", format, helo, "Host not found");
    case DOMAINCHECK_MALFORMED:
        return check_refuse(check, 450, "4.7.1", format, helo, "Malformed DNS server reply");
    case DOMAINCHECK_CANNOT_TELL:
        return check_defer_if_permit(check, 450, "4.7.1", format, helo, "Host not found");
    default:
        return CHECK_DUNNO;
    }
}

/* What differs between the two sides of an envelope. */
struct side {
    const char *class, *dsn, *null_mx_dsn;
    unsigned null_mx_code;
};

/* Asks for the domain of MEANT; a refusal shows the address as it was TYPED. */
static enum check_result check_domain(struct check *check, const struct mail_address *typed,
                                      const struct meant_address *meant, const struct side *side)
{
    static const char format[] = "<%s>: %s rejected: %s";
    const char *domain = meant->address.domain, *text = typed->text;
    if (domain[0] == '\0' || domain[0] == '[')
        return CHECK_DUNNO;
    if (!check->dns_questions)
        return check_cannot_tell(check, no_resolver);
    switch (dns_questions_ask_domain(check->dns_questions, domain, DOMAINCHECK_MAIL)) {
    case DOMAINCHECK_PENDING:
        return check_wait(check, WAIT_DNS);
    case DOMAINCHECK_NULL_MX:
        return check_refuse(check, side->null_mx_code, side->null_mx_dsn,
                            "<%s>: %s rejected: Domain %s does not accept mail (nullMX)", text,
                            side->class, domain);
    case DOMAINCHECK_NOT_FOUND:
        return check_refuse(check, 450, side->dsn, format, text, side->class, "Domain not found");
    case DOMAINCHECK_MALFORMED:
        return check_refuse(check, 450, side->dsn, format, text, side->class,
                            "Malformed DNS server reply");
    case DOMAINCHECK_CANNOT_TELL:
        return check_defer_if_permit(check, 450, side->dsn, format, text, side->class,
                                     "Domain not found");
    default:
        return CHECK_DUNNO;
    }
}

/* As in Postfix, a domain of this site need not be asked for. */
static bool is_here(const struct check *check, const struct mail_address *address)
{
    return site_destination(check->site, address) == DESTINATION_LOCAL;
}

enum check_result run_reject_unknown_sender_domain(struct check *check)
{
    static const struct side side = {"Sender address", "4.1.8", "5.7.27", 550};
    const struct facts *facts = check->facts;
    const struct mail_address *meant = &facts->sender_meant.address;
    if (!facts->in_message || meant->null || is_here(check, meant))
        return CHECK_DUNNO;
    return check_domain(check, &facts->sender, &facts->sender_meant, &side);
}

enum check_result run_reject_unknown_recipient_domain(struct check *check)
{
    static const struct side side = {"Recipient address", "4.1.2", "5.1.10", 556};
    const struct facts *facts = check->facts;
    if (!facts->has_recipient || is_here(check, &facts->recipient_meant.address))
        return CHECK_DUNNO;
    return check_domain(check, &facts->recipient, &facts->recipient_meant, &side);
}
