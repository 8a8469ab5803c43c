/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose an address of the envelope is, and at which domain: what the MTA makes of what was typed.
 * Postfix tells by macros. Sendmail tells for a local address that it is local and who it is, not
 * at which domain; there, and where an MTA tells nothing, we resolve what was typed ourselves.
 *
 * Threads: as the site.
 */
#ifndef CHECKS_WHOSE_H
#define CHECKS_WHOSE_H

#include "checks/site.h"

/* Names of login_domains that an address without a domain is taken for, when the origin is not
 * known; beyond them it may be anybody's. */
#define WHOSE_DOMAINS_MAX 1000u

/* Sets facts->sender_meant, facts->recipient_meant behind facts_mail, facts_rcpt. */
void whose_sender(const struct site *site, struct facts *facts);
void whose_recipient(const struct site *site, struct facts *facts);

/* The same by our own resolution alone, for an address of the header, say. The caller empties
 * MEANT_R->address. */
void whose_typed(const struct site *site, const struct mail_address *typed,
                 struct meant_address *meant_r);

/* Calls VISIT for each address that MEANT may be, until it returns false: itself, and without a
 * domain, the same local part at each of login_domains. Returns whether it can be no other. */
bool whose_each(const struct site *site, const struct meant_address *meant,
                bool (*visit)(void *data, const struct mail_address *address), void *data);

/* What TABLES have for the first of those addresses that they know; ERROR also where a table of
 * login_domains cannot be asked. */
enum lookup_status whose_find(const struct site *site, const struct table_list *tables,
                              const struct meant_address *meant, enum search_order order,
                              GString *value);

/* Whether a table key without a domain owns the addresses at DOMAIN: HIT, MISS, ERROR. */
enum lookup_status whose_login_domain(const struct site *site, const char *domain);

#endif
