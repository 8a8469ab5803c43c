/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions about the site. Each answers "no" to what it does not know for sure, except where
 * "cannot tell" is an answer of its own.
 */
#include "checks/site.h"

#include <string.h>

#include "autoreply/bounce_senders.h"
#include "checks/limit.h"
#include "checks/spam.h"

void site_clear(struct site *site)
{
    match_list_unref(site->mynetworks);
    match_list_unref(site->trusted_filters);
    match_list_unref(site->local_domains);
    match_list_unref(site->login_domains);
    table_list_free(site->sender_login_maps);
    table_list_free(site->relay_clientcerts);
    table_list_free(site->dnsbl_reply_map);
    table_list_free(site->recipient_profiles);
    limit_site_free(site->limits);
    spam_site_free(site->spam);
    bounce_senders_free(site->bounce_senders);
    dnsbl_set_unref(site->dnsbl_weighted);
    dnsbl_set_unref(site->dnsbl_zones);
    g_clear_pointer(&site->untrusted_listeners, g_ptr_array_unref);
    g_clear_pointer(&site->submission_listeners, g_ptr_array_unref);
    g_clear_pointer(&site->sasl_local_realms, g_ptr_array_unref);
    g_clear_pointer(&site->auth_mechanisms, g_ptr_array_unref);
    g_free(site->origin);
    g_free(site->recipient_delimiter);
    g_free(site->interfaces);
    *site = (struct site){0};
}

static const char *find_listener(const struct facts *facts, const GPtrArray *names,
                                 bool (*is)(const struct facts *facts, const char *name))
{
    for (guint i = 0; names && i < names->len; i++)
        if (is(facts, names->pdata[i]))
            return names->pdata[i];
    return NULL;
}

void site_judge_listener(const struct site *site, struct facts *facts)
{
    if (facts->without_smtp) {
        facts->untrusted = facts->submission = false;
        return;
    }
    facts->submission = find_listener(facts, site->submission_listeners, facts_listener_is);
    /* A session on standard input has no listener: it is as local as can be. */
    facts->untrusted =
        facts->from_nowhere ||
        find_listener(facts, site->untrusted_listeners,
                      facts->has_address ? facts_listener_may_be : facts_listener_is);
}

const char *site_untold_listener(const struct site *site, const struct facts *facts)
{
    const GPtrArray *names = site->untrusted_listeners;
    if (!facts->untrusted || find_listener(facts, names, facts_listener_is))
        return NULL;
    return find_listener(facts, names, facts_listener_may_be);
}

char *site_cut_realm(const struct site *site, const char *login)
{
    const char *at = strrchr(login, '@');
    for (guint i = 0; at && at > login && i < site->sasl_local_realms->len; i++)
        if (g_ascii_strcasecmp(at + 1, site->sasl_local_realms->pdata[i]) == 0)
            return g_strndup(login, (gsize)(at - login));
    return g_strdup(login);
}

char *site_login(const struct site *site, const struct facts *facts)
{
    const char *authen = facts->macros.auth_authen;
    return authen ? site_cut_realm(site, authen) : NULL;
}

/* One list holds both kinds of words: when a mechanism is named without "!", all others are
 * forbidden. */
static bool mechanism_allowed(const GPtrArray *words, const char *mechanism)
{
    bool closed = false;
    if (words->len == 0)
        return true;
    if (!mechanism)
        return false;
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        bool forbids = word[0] == '!';
        if (g_ascii_strcasecmp(word + (forbids ? 1 : 0), mechanism) == 0)
            return !forbids;
        closed |= !forbids;
    }
    return !closed;
}

enum login_fault site_login_fault(const struct site *site, const struct facts *facts)
{
    if (!facts_has_login(facts))
        return LOGIN_NONE;
    if (facts_login_bits(facts) < site->auth_min_ssf)
        return LOGIN_CLEARTEXT;
    if (!mechanism_allowed(site->auth_mechanisms, facts->macros.auth_type))
        return LOGIN_MECHANISM;
    return LOGIN_SOUND;
}

bool site_authenticated(const struct site *site, const struct facts *facts)
{
    return facts->macros.auth_authen && site_login_fault(site, facts) == LOGIN_SOUND;
}

enum lookup_status site_in_mynetworks(const struct site *site, const struct facts *facts,
                                      GString *entry_r)
{
    if (facts->network_known) {
        if (entry_r)
            g_string_assign(entry_r, facts->network_entry ? facts->network_entry : "");
        return (enum lookup_status)facts->network;
    }
    if (facts->untrusted)
        return LOOKUP_MISS;
    return match_list_find_client(site->mynetworks, &facts->address, facts->client_name, entry_r);
}

void site_judge_client(const struct site *site, struct facts *facts)
{
    g_autoptr(GString) entry = g_string_new(NULL);
    facts->network_known = false;
    facts->network = (int)site_in_mynetworks(site, facts, entry);
    facts->network_entry = entry->len > 0 ? g_strdup(entry->str) : NULL;
    facts->network_known = true;
}

bool site_is_outgoing(const struct site *site, const struct facts *facts)
{
    return facts->without_smtp || site_authenticated(site, facts) ||
           site_in_mynetworks(site, facts, NULL) != LOOKUP_MISS;
}

enum lookup_status site_relay_certificate(const struct site *site, const struct facts *facts,
                                          GString *entry_r)
{
    g_autofree char *subject = facts_verified_subject(facts);
    if (!subject || !site->relay_clientcerts)
        return LOOKUP_MISS;
    return table_list_find(site->relay_clientcerts, subject, NULL, entry_r);
}

static int64_t profile_threshold(const struct site *site, unsigned profile)
{
    if (!site->spam || profile >= site->spam->profiles->len)
        return site->dnsbl_threshold;
    return ((const struct spam_profile *)site->spam->profiles->pdata[profile])->dnsbl_threshold;
}

int64_t site_dnsbl_threshold(const struct site *site, const struct facts *facts)
{
    const struct message_facts *message = facts->message;
    if (!message || message->recipient_count == 0)
        return profile_threshold(site, facts->profile);
    int64_t mildest = profile_threshold(site, message->profiles[0]);
    for (size_t i = 1; i < message->recipient_count; i++)
        mildest = MAX(mildest, profile_threshold(site, message->profiles[i]));
    return mildest;
}

static int64_t profile_visible(const struct site *site, unsigned profile)
{
    if (!site->spam || profile >= site->spam->profiles->len)
        return site->max_visible_recipients;
    const struct spam_profile *found = site->spam->profiles->pdata[profile];
    return found->max_visible_recipients;
}

int64_t site_max_visible_recipients(const struct site *site, const struct facts *facts)
{
    const struct message_facts *message = facts->message;
    if (!message || message->recipient_count == 0)
        return profile_visible(site, facts->profile);
    int64_t mildest = profile_visible(site, message->profiles[0]);
    for (size_t i = 1; i < message->recipient_count && mildest > 0; i++) {
        int64_t own = profile_visible(site, message->profiles[i]);
        mildest = own == 0 ? 0 : MAX(mildest, own);
    }
    return mildest;
}

enum destination site_destination(const struct site *site, const struct mail_address *address)
{
    if (address->routed || address->malformed || address->null)
        return DESTINATION_REMOTE;
    if (address->domain[0] == '\0')
        return DESTINATION_LOCAL;
    if (!site->local_domains)
        return DESTINATION_UNSET;
    switch (match_list_find_domain(site->local_domains, address->domain)) {
    case LOOKUP_HIT:
        return DESTINATION_LOCAL;
    case LOOKUP_MISS:
        return DESTINATION_REMOTE;
    default:
        return DESTINATION_UNKNOWN;
    }
}

bool site_trusts_marks(const struct site *site, const struct facts *facts)
{
    if (facts->without_smtp || site_authenticated(site, facts))
        return true;
    return !facts->untrusted && (site_in_mynetworks(site, facts, NULL) == LOOKUP_HIT ||
                                 match_list_find_client(site->trusted_filters, &facts->address,
                                                        facts->client_name, NULL) == LOOKUP_HIT);
}

char *site_shown_list(const struct site *site, const char *zone, bool *failed_r)
{
    *failed_r = false;
    if (!site->dnsbl_reply_map)
        return NULL;
    g_autoptr(GString) value = g_string_new(NULL);
    enum lookup_status status = table_list_find(site->dnsbl_reply_map, zone, value, NULL);
    *failed_r = status == LOOKUP_ERROR;
    return status == LOOKUP_HIT ? g_strdup(value->str) : NULL;
}
