/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of restriction lists: a row each. A new restriction is a row here and a function in
 * the file of its family.
 */
#include "restrictions.h"

#include <string.h>

#include "base/text.h"

static const struct restriction rows[] = {
    {.name = "permit", .run = run_permit, .traits = TRAIT_PERMITS | TRAIT_ALWAYS},
    {.name = "reject",
     .run = run_reject,
     .traits = TRAIT_REFUSES | TRAIT_ALWAYS | TRAIT_ENDS_RELAY},
    {.name = "defer", .run = run_defer, .traits = TRAIT_REFUSES | TRAIT_ALWAYS | TRAIT_ENDS_RELAY},
    {.name = "warn_if_reject", .argument = ARGUMENT_RESTRICTION},
    {.name = "defer_if_permit", .run = run_defer_if_permit, .traits = TRAIT_REFUSES},
    {.name = "defer_if_reject", .run = run_defer_if_reject},
    {.name = "reject_plaintext_session",
     .run = run_reject_plaintext_session,
     .traits = TRAIT_REFUSES},
    {.name = "permit_mynetworks",
     .run = run_permit_mynetworks,
     .traits = TRAIT_PERMITS | TRAIT_LOOKS_AT_CLIENT,
     .useless_without = "mynetworks"},
    {.name = "permit_inet_interfaces",
     .run = run_permit_inet_interfaces,
     .traits = TRAIT_PERMITS | TRAIT_LOOKS_AT_CLIENT},
    {.name = "permit_sasl_authenticated",
     .run = run_permit_sasl_authenticated,
     .traits = TRAIT_PERMITS},
    {.name = "permit_tls_clientcerts",
     .run = run_permit_tls_clientcerts,
     .traits = TRAIT_PERMITS,
     .useless_without = "relay_clientcerts"},
    {.name = "permit_tls_all_clientcerts",
     .run = run_permit_tls_all_clientcerts,
     .traits = TRAIT_PERMITS},
    {.name = "permit_auth_destination",
     .run = run_permit_auth_destination,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_PERMITS,
     .asks = ASKS_DESTINATION},
    {.name = "reject_unauth_destination",
     .run = run_reject_unauth_destination,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_REFUSES | TRAIT_ENDS_RELAY,
     .asks = ASKS_DESTINATION},
    {.name = "defer_unauth_destination",
     .run = run_defer_unauth_destination,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_REFUSES | TRAIT_ENDS_RELAY,
     .asks = ASKS_DESTINATION},
    {.name = "reject_cleartext_auth",
     .run = run_reject_cleartext_auth,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES},
    {.name = "reject_sender_login_mismatch",
     .run = run_reject_sender_login_mismatch,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES,
     .useless_without = "sender_login_maps"},
    {.name = "reject_authenticated_sender_login_mismatch",
     .run = run_reject_authenticated_sender_login_mismatch,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES,
     .useless_without = "sender_login_maps"},
    {.name = "reject_unauthenticated_sender_login_mismatch",
     .run = run_reject_unauthenticated_sender_login_mismatch,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES,
     .useless_without = "sender_login_maps"},
    {.name = "reject_known_sender_login_mismatch",
     .run = run_reject_known_sender_login_mismatch,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES,
     .useless_without = "sender_login_maps"},
    {.name = "check_client_access",
     .run = run_check_client_access,
     .argument = ARGUMENT_TABLE,
     .traits = TRAIT_PERMITS | TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT},
    {.name = "check_reverse_client_hostname_access",
     .run = run_check_reverse_client_hostname_access,
     .argument = ARGUMENT_TABLE,
     .traits = TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT},
    {.name = "check_helo_access",
     .run = run_check_helo_access,
     .argument = ARGUMENT_TABLE,
     .needs = NEED_HELO,
     .traits = TRAIT_PERMITS | TRAIT_FORGEABLE | TRAIT_REFUSES},
    {.name = "check_sender_access",
     .run = run_check_sender_access,
     .argument = ARGUMENT_TABLE,
     .needs = NEED_SENDER,
     .traits = TRAIT_PERMITS | TRAIT_FORGEABLE | TRAIT_REFUSES},
    {.name = "check_recipient_access",
     .run = run_check_recipient_access,
     .argument = ARGUMENT_TABLE,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_PERMITS | TRAIT_REFUSES},
    {.name = "check_sasl_access",
     .run = run_check_sasl_access,
     .argument = ARGUMENT_TABLE,
     .needs = NEED_SENDER,
     .traits = TRAIT_PERMITS | TRAIT_REFUSES},
    {.name = "check_ccert_access",
     .run = run_check_ccert_access,
     .argument = ARGUMENT_TABLE,
     .traits = TRAIT_PERMITS | TRAIT_REFUSES},
    {.name = "check_header_access",
     .run = run_check_header_access,
     .argument = ARGUMENT_HEADER_TABLE,
     .needs = NEED_MESSAGE,
     .traits = TRAIT_PERMITS | TRAIT_REFUSES},
    {.name = "check_from_access",
     .run = run_check_from_access,
     .argument = ARGUMENT_TABLE,
     .needs = NEED_MESSAGE,
     .traits = TRAIT_PERMITS | TRAIT_REFUSES},
    {.name = "reject_from_login_mismatch",
     .run = run_reject_from_login_mismatch,
     .needs = NEED_MESSAGE,
     .traits = TRAIT_REFUSES,
     .useless_without = "sender_login_maps"},
    {.name = "reject_invalid_helo_hostname",
     .run = run_reject_invalid_helo_hostname,
     .needs = NEED_HELO,
     .traits = TRAIT_REFUSES},
    {.name = "reject_non_fqdn_helo_hostname",
     .run = run_reject_non_fqdn_helo_hostname,
     .needs = NEED_HELO,
     .traits = TRAIT_REFUSES},
    {.name = "reject_non_fqdn_sender",
     .run = run_reject_non_fqdn_sender,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES},
    {.name = "reject_non_fqdn_recipient",
     .run = run_reject_non_fqdn_recipient,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_REFUSES},
    {.name = "reject_dnsbl",
     .run = run_reject_dnsbl,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_LISTS,
     .reads = READS_HEADER},
    {.name = "reject_rbl_client",
     .run = run_reject_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_CLIENT,
     .traits = TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT,
     .asks = ASKS_ZONE},
    {.name = "reject_rhsbl_client",
     .run = run_reject_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_PTR,
     .traits = TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT,
     .asks = ASKS_ZONE},
    {.name = "reject_rhsbl_reverse_client",
     .run = run_reject_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_REVERSE,
     .traits = TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT,
     .asks = ASKS_ZONE},
    {.name = "reject_rhsbl_helo",
     .run = run_reject_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_HELO,
     .needs = NEED_HELO,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_ZONE},
    {.name = "reject_rhsbl_sender",
     .run = run_reject_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_SENDER,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_ZONE},
    {.name = "reject_rhsbl_recipient",
     .run = run_reject_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_RECIPIENT,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_ZONE},
    {.name = "permit_dnswl_client",
     .run = run_permit_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_CLIENT,
     .traits = TRAIT_PERMITS | TRAIT_LOOKS_AT_CLIENT,
     .asks = ASKS_ZONE},
    {.name = "permit_rhswl_client",
     .run = run_permit_listed,
     .argument = ARGUMENT_ZONE,
     .zone_places = DNSBL_PTR,
     .traits = TRAIT_PERMITS | TRAIT_LOOKS_AT_CLIENT,
     .asks = ASKS_ZONE},
    {.name = "reject_unknown_client_hostname",
     .run = run_reject_unknown_client_hostname,
     .traits = TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT},
    {.name = "reject_unknown_reverse_client_hostname",
     .run = run_reject_unknown_reverse_client_hostname,
     .traits = TRAIT_REFUSES | TRAIT_LOOKS_AT_CLIENT},
    {.name = "reject_unknown_helo_hostname",
     .run = run_reject_unknown_helo_hostname,
     .needs = NEED_HELO,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_NAMES},
    {.name = "reject_unknown_sender_domain",
     .run = run_reject_unknown_sender_domain,
     .needs = NEED_SENDER,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_NAMES},
    {.name = "reject_unknown_recipient_domain",
     .run = run_reject_unknown_recipient_domain,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_NAMES},
    {.name = "guard_autoreply",
     .run = run_guard_autoreply,
     .needs = NEED_MESSAGE,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_GUARD,
     .reads = READS_BODY},
    {.name = "check_limit",
     .run = run_check_limit,
     .argument = ARGUMENT_LIMIT,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_STORE,
     .reads = READS_HEADER},
    {.name = "greylist",
     .run = run_greylist,
     .needs = NEED_RECIPIENT,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_STORE | ASKS_LISTS},
    {.name = "reject_spam",
     .run = run_reject_spam,
     .needs = NEED_MESSAGE,
     .traits = TRAIT_REFUSES,
     .asks = ASKS_RULES,
     .reads = READS_BODY},
    {.name = "reject_unknown_client", .alias_of = "reject_unknown_client_hostname"},
    {.name = "reject_unknown_hostname", .alias_of = "reject_unknown_helo_hostname"},
    {.name = "reject_unknown_address", .alias_of = "reject_unknown_sender_domain"},
    {.name = "reject_rbl", .alias_of = "reject_rbl_client"},
    {.name = "reject_invalid_hostname", .alias_of = "reject_invalid_helo_hostname"},
    {.name = "reject_non_fqdn_hostname", .alias_of = "reject_non_fqdn_helo_hostname"},
};

/* Words of Postfix's smtpd that no milter can keep its promise for, and what is to come. */
static const struct {
    const char *name;
    const char *why;
} not_served[] = {
    {"check_policy_service", "gatepost asks no policy servers; leave it in main.cf"},
    {"reject_unverified_sender", "only the MTA can probe an address; leave it in main.cf"},
    {"reject_unverified_recipient", "only the MTA can probe an address; leave it in main.cf"},
    {"reject_unauth_pipelining", "a milter does not see pipelining; leave it in main.cf"},
    {"reject_unlisted_sender", "only the MTA knows its users; leave it in main.cf"},
    {"reject_unlisted_recipient", "only the MTA knows its users; leave it in main.cf"},
    {"check_recipient_maps", "only the MTA knows its users; leave it in main.cf"},
    {"reject_multi_recipient_bounce",
     "the number of recipients is known at DATA, when a milter can refuse none of them alone; "
     "leave it in main.cf"},
    {"permit_mx_backup", "it lets anybody who controls a domain's MX relay; list the domains in "
                         "local_domains"},
    {"permit_naked_ip_address", "Postfix has removed it; use permit_mynetworks"},
    {"check_relay_domains", "Postfix has removed it; use reject_unauth_destination"},
    {"reject_maps_rbl", "Postfix has removed it; use reject_rbl_client ZONE"},
    {"check_etrn_access", "a milter does not see ETRN; leave it in main.cf"},
    {"sleep", "it would hold up other connections too"},
    {"check_client_a_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_client_mx_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_client_ns_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_reverse_client_hostname_a_access",
     "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_reverse_client_hostname_mx_access",
     "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_reverse_client_hostname_ns_access",
     "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_helo_a_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_helo_mx_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_helo_ns_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_sender_a_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_sender_mx_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_sender_ns_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_recipient_a_access", "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_recipient_mx_access",
     "gatepost does not look hosts up for tables; leave it in main.cf"},
    {"check_recipient_ns_access",
     "gatepost does not look hosts up for tables; leave it in main.cf"},
};

const struct restriction *restriction_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_ascii_strcasecmp(rows[i].name, name) == 0)
            return rows[i].alias_of ? restriction_find(rows[i].alias_of) : &rows[i];
    return NULL;
}

unsigned restriction_reads(const struct restriction *row)
{
    return row->reads | (row->needs & NEED_MESSAGE || row->reads ? READS_HEADER : 0);
}

void restriction_of_results(unsigned *asks_r, unsigned *reads_r)
{
    *asks_r = *reads_r = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].argument != ARGUMENT_NONE)
            continue;
        *asks_r |= rows[i].asks;
        *reads_r |= restriction_reads(&rows[i]);
    }
}

const char *restriction_not_served(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(not_served); i++)
        if (g_ascii_strcasecmp(not_served[i].name, name) == 0)
            return not_served[i].why;
    return NULL;
}

const char *restriction_nearest(const char *name)
{
    const char *names[G_N_ELEMENTS(rows)];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        names[i] = rows[i].name;
    return text_nearest(name, names, G_N_ELEMENTS(rows));
}

const struct restriction *restriction_for_table(enum restriction_list_kind list)
{
    static const char *const names[LIST_COUNT] = {
        [LIST_CLIENT] = "check_client_access",       [LIST_HELO] = "check_helo_access",
        [LIST_SENDER] = "check_sender_access",       [LIST_RELAY] = "check_recipient_access",
        [LIST_RECIPIENT] = "check_recipient_access",
    };
    return names[list] ? restriction_find(names[list]) : NULL;
}
