/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions about what the reader of a message is shown: the field From:, and how many see each
 * other's addresses. A null sender's message is a report of another machine, whose From: nobody
 * chose.
 */
#include "restrictions.h"

#include <string.h>

#include "checks/whose.h"
#include "mail/header.h"
#include "mail/hostname.h"
#include "mail/mailboxes.h"

enum check_result run_reject_unusable_from(struct check *check)
{
    const struct facts *facts = check->facts;
    if (!facts->message || facts->sender_meant.address.null)
        return CHECK_DUNNO;
    const struct header *from = header_list_first(facts->message->headers, "From");
    if (!from || from->next_same)
        return check_refuse(check, 550, "5.7.1", "Message refused: %s",
                            from ? "more than one From: field" : "no From: field");
    struct mailboxes mailboxes;
    mailboxes_read(from->value, from->value_length, &mailboxes);
    /* Of whom we send for, the MTA completes a bare name. */
    bool usable = mailboxes.addresses->len > 0 ||
                  (mailboxes.bare->len > 0 && site_is_outgoing(check->site, facts));
    mailboxes_clear(&mailboxes);
    return usable ? CHECK_DUNNO
                  : check_refuse(check, 550, "5.7.1",
                                 "Message refused: no address in the From: field");
}

/* Whether LOWER is UPPER or below it. A single label is nobody's to be above others. */
static bool is_within(const char *lower, const char *upper)
{
    size_t length = strlen(lower), end = strlen(upper);
    if (strcmp(lower, upper) == 0)
        return true;
    return strchr(upper, '.') && length > end + 1 && lower[length - end - 1] == '.' &&
           strcmp(lower + length - end, upper) == 0;
}

static char *comparable(const char *domain)
{
    char *ascii = hostname_to_ascii(domain);
    return ascii ? ascii : g_strdup(domain);
}

/* Whether a From: at DOMAIN ("": the MTA will add one of ours) suits the envelope sender. */
static enum lookup_status suits_sender(const struct check *check, const char *domain)
{
    const struct site *site = check->site;
    const char *sender = check->facts->sender_meant.address.domain;
    if (!*domain && site->origin)
        domain = site->origin;
    if (check->facts->sender_meant.untold)
        return LOOKUP_ERROR;
    if (!*domain)
        return *sender ? whose_login_domain(site, sender) : LOOKUP_HIT;
    if (!*sender)
        return whose_login_domain(site, domain);
    g_autofree char *theirs = comparable(domain), *ours = comparable(sender);
    return is_within(theirs, ours) || is_within(ours, theirs) ? LOOKUP_HIT : LOOKUP_MISS;
}

static enum check_result judge_domain(struct check *check, const char *text)
{
    struct mail_address address;
    mail_address_parse(text, &address);
    enum lookup_status status = suits_sender(check, address.domain);
    mail_address_clear(&address);
    if (status == LOOKUP_HIT)
        return CHECK_DUNNO;
    if (status != LOOKUP_MISS)
        return check_cannot_tell(check, "a table of login_domains cannot be asked");
    return check_refuse(check, 550, "5.7.1",
                        "<%s>: From address rejected: not of the envelope sender's domain", text);
}

/* Each address that a reader may take out of a field; where anybody may be meant, another domain
 * may be. Words beside addresses are a name. */
static enum check_result judge_domains(struct check *check, const struct header *header)
{
    struct mailboxes mailboxes;
    mailboxes_read(header->value, header->value_length, &mailboxes);
    const GPtrArray *whom = mailboxes.addresses->len > 0 ? mailboxes.addresses : mailboxes.bare;
    enum check_result result = CHECK_DUNNO;
    for (guint i = 0; i < whom->len && result == CHECK_DUNNO; i++)
        result = judge_domain(check, whom->pdata[i]);
    if (result == CHECK_DUNNO && mailboxes.truncated)
        result = check_too_many_addresses(check);
    else if (result == CHECK_DUNNO && mailboxes.malformed)
        result = check_refuse(check, 550, "5.7.1", "<%s>: From address rejected: cannot be read",
                              whom->len > 0 ? (const char *)whom->pdata[0] : "");
    mailboxes_clear(&mailboxes);
    return result;
}

enum check_result run_reject_from_domain_mismatch(struct check *check)
{
    const struct facts *facts = check->facts;
    if (!facts->message || facts->sender_meant.address.null)
        return CHECK_DUNNO;
    enum check_result result = CHECK_DUNNO;
    const struct header *header = header_list_first(facts->message->headers, "From");
    for (; header && result == CHECK_DUNNO; header = header->next_same)
        result = judge_domains(check, header);
    return result;
}

/* Addresses in all fields called NAME. */
static size_t count_addresses(const struct header_list *headers, const char *name)
{
    size_t count = 0;
    const struct header *header = header_list_first(headers, name);
    for (; header; header = header->next_same) {
        struct mailboxes mailboxes;
        mailboxes_read(header->value, header->value_length, &mailboxes);
        count += mailboxes.addresses->len > 0 ? mailboxes.addresses->len : mailboxes.bare->len;
        mailboxes_clear(&mailboxes);
    }
    return count;
}

enum check_result run_reject_visible_recipients(struct check *check)
{
    if (!check->facts->message)
        return CHECK_DUNNO;
    int64_t most = site_max_visible_recipients(check->site, check->facts);
    if (most == 0)
        return CHECK_DUNNO;
    const struct header_list *headers = check->facts->message->headers;
    size_t count = count_addresses(headers, "To") + count_addresses(headers, "Cc");
    if (count <= (size_t)most)
        return CHECK_DUNNO;
    return check_refuse(check, 550, "5.5.3",
                        "Too many visible recipients (%zu, at most %" G_GINT64_FORMAT "); use Bcc",
                        count, most);
}
